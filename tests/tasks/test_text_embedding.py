"""Text embedding: losses and scores by hand, data of pairs, vectors as predictions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.core.rows import Rows
from lighten.tasks._retrieval import OWN
from lighten.tasks.text_embedding import SCALE, TextEmbedding

TASK = TextEmbedding()
ROWS = Rows((("a", "x"), ("b", "y")), (OWN, OWN), groups=("g", "h"), ids=("1", "2"))


def test_is_in_the_catalog_and_says_that_it_embeds() -> None:
    assert catalog.load("tasks", "text_embedding") is TextEmbedding
    assert TASK.metrics[0] == "accuracy" and TASK.embeds and TASK.columns(7) is None


def test_distance_is_squared_between_vectors_one_long() -> None:
    value = TASK.distance(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 3.0], [0.0, 5.0]]))
    assert float(value) == pytest.approx((2 + 0) / 2)


def test_loss_chooses_the_partner_among_the_batch() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    value = TASK.loss(vectors, torch.tensor([0, 0, 1, 1]))
    assert float(value) == pytest.approx(math.log(1 + 2 * math.exp(-SCALE)), abs=1e-6)
    crossed = TASK.loss(vectors, torch.tensor([0, 1, 0, 1]))
    assert float(crossed) == pytest.approx(math.log(math.exp(SCALE) + 2), rel=1e-5)
    even = TASK.evenly(vectors, torch.tensor([0, 0, 1, 1]))
    assert float(even) == pytest.approx((0 + 2 * SCALE) / 3, rel=1e-5)
    alone = TASK.loss(vectors.requires_grad_(), torch.tensor([0, 1, 2, 3]))
    assert alone.requires_grad and float(alone.detach()) == 0.0


def test_right_is_whose_own_document_is_nearest_of_pairs_and_of_singles() -> None:
    good, bad = [1, 0, 1, 0.1], [0.9, 1, 0, -1]
    assert TASK.right(np.array([good, bad]), ROWS).tolist() == [True, False]
    singles = TASK.singles(ROWS)
    assert (singles.inputs, singles.targets) == (("a", "x", "b", "y"), (0, 0, 1, 1))
    assert (singles.groups, singles.ids) == (("g", "g", "h", "h"), ("1", "1", "2", "2"))
    assert TASK.right(np.array([good, bad]).reshape(4, 2), singles).tolist() == [True, True, False, False]
    texts = Rows(("a", "b"), (0, 0))
    assert TASK.singles(texts) is texts


def test_answers_are_named_by_the_documents() -> None:
    names = TASK.named((), ROWS)
    assert names is not None and (names[0][0], names[0][OWN], names[1][OWN]) == ("y", "x", "y")


def test_pairs_are_read_in_four_parts(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("query,document\n" + "".join(f"what is {n},it is the {n}th of all\n" for n in range(200)))
    data = TASK.read(file, DataOptions(), seed=0)
    assert dict(data.columns) == {"text": "query", "answer": "document"}
    parts = data.parts
    assert sum(map(len, (parts.train, parts.tune, parts.select, parts.proof))) == 200
    assert all(isinstance(item, tuple) and len(item) == 2 for item in parts.proof.inputs)
    assert set(parts.proof.targets) == {OWN} and parts.labels == ()
    assert len(TASK.read_new(file, DataOptions(), ()).rows) == 200
    assert TASK.read_inputs(file, DataOptions(text="document"))[0] == "it is the 0th of all"
    with pytest.raises(InputError, match="pairs of texts have no labels"):
        TASK.read(file, DataOptions(label="document"), seed=0)
