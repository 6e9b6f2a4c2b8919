"""What classifiers have in common: labelled rows in, classes with probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.core.rows import PART_NAMES
from lighten.core.session import Session
from lighten.tasks.text_classification import TextClassification

TASK = TextClassification()


class Given(Session):
    """Answers with these logits."""

    def __init__(self, logits: Sequence[Sequence[float]]) -> None:
        self.logits = np.array(logits, np.float32)

    def run(self, inputs: Sequence[Any]) -> Any:
        return self.logits[: len(inputs)]

    def close(self) -> None: ...


def table(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    path.write_text("review,mood\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return path


def test_rows_are_read_in_four_parts_with_their_classes(tmp_path: Path) -> None:
    path = table(tmp_path / "r.csv", [(f"a text number {i}", ("bad", "good")[i % 2]) for i in range(400)])
    found = TASK.read(path, DataOptions(), seed=3)
    assert found.task is TASK and found.parts.labels == ("bad", "good")
    assert (found.columns["text"], found.columns["label"]) == ("review", "mood")
    assert sum(len(found.parts[name]) for name in PART_NAMES) == 400
    assert found.parts.fingerprint == TASK.read(path, DataOptions(), seed=3).parts.fingerprint
    assert found.parts.fingerprint != TASK.read(path, DataOptions(), seed=4).parts.fingerprint
    with pytest.raises(InputError, match="--answer was given"):
        TASK.read(path, DataOptions(answer="mood"), seed=0)


def test_a_teacher_of_several_tasks_is_followed_in_each_of_them() -> None:
    several, generator = TextClassification(heads=(0, 0, 1, 1, 1)), torch.Generator().manual_seed(0)
    mine, theirs = (torch.randn(4, 5, generator=generator) for _ in range(2))
    each = [TASK.divergence(mine[:, own], theirs[:, own], 2.0) for own in (slice(2), slice(2, 5))]
    assert float(several.divergence(mine, theirs, 2.0)) == pytest.approx(float(sum(each)) / 2)
    moved = theirs + torch.tensor([3.0, 3.0, -1.0, -1.0, -1.0])  # what a task's answers are does not change by that
    assert float(several.divergence(mine, moved, 2.0)) == pytest.approx(float(several.divergence(mine, theirs, 2.0)))


def test_other_rows_keep_their_order_and_their_own_labels(tmp_path: Path) -> None:
    path = table(
        tmp_path / "n.csv", [("one more text", "great"), ("a second text", "bad"), ("the third text", "great")]
    )
    new = TASK.read_new(path, DataOptions(), ("anything",))
    assert new.rows.inputs == ("one more text", "a second text", "the third text")
    assert [new.labels[target] for target in new.rows.targets] == ["great", "bad", "great"]
    assert TASK.read_inputs(path, DataOptions(text="review")) == list(new.rows.inputs)


def test_a_prediction_is_the_likeliest_class_with_the_share_of_each() -> None:
    found = TASK.predict(Given([[0.0, np.log(3.0)], [1000.0, 0.0]]), ["a", "b"], ("no", "yes"))
    assert [one.label for one in found] == ["yes", "no"]
    assert found[0].scores == pytest.approx({"no": 0.25, "yes": 0.75})
    assert found[1].scores == pytest.approx({"no": 1.0, "yes": 0.0})


def test_a_row_of_columns_is_no_input() -> None:
    assert TASK.item_of("a text", DataOptions()) == "a text"
    with pytest.raises(InputError, match="no prompt for columns, and review was given"):
        TASK.item_of({"review": "a text"}, DataOptions())
