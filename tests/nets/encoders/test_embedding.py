"""A network that makes vectors: opened, pooled as it says, saved, exported, made smaller and brought back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from lighten.core.rows import Rows
from lighten.core.step import Needs
from lighten.export.onnx import Onnx
from lighten.nets.encoders.embedding import TOKENS, open_embedder, save_embedder
from lighten.nets.encoders.pooling import Pooling
from lighten.nets.forward import logits
from lighten.nets.record import record
from lighten.nets.runtimes.onnx_model import answers
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule
from lighten.tasks.text_embedding import TextEmbedding
from lighten.testing.tiny import tiny_network_folder

TEXTS = ["the film was good", "a bad plot", "great great scene and music in the very fine film"]


@pytest.mark.parametrize("pooling", [Pooling(), Pooling("cls", False)])
def test_vectors_are_those_of_transformers_pooled_by_hand(tmp_path: Path, pooling: Pooling) -> None:
    folder = tiny_network_folder(tmp_path / "m", "bert", 2, labels=None)
    pooling.save(folder, 32)
    network = open_embedder(folder)
    found = logits(network, TEXTS, 1)
    asked = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        tokens = AutoModel.from_pretrained(folder).eval()(**asked).last_hidden_state
    mask = asked["attention_mask"][:, :, None]
    wanted = tokens[:, 0] if pooling.mode == "cls" else (tokens * mask).sum(1) / mask.sum(1)
    wanted = wanted / wanted.norm(dim=-1, keepdim=True) if pooling.normalized else wanted
    assert (network.columns, network.labels) == (32, ())
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_a_saved_network_and_its_graph_give_the_same_vectors(tmp_path: Path, family: str) -> None:
    network = open_embedder(tiny_network_folder(tmp_path / "m", family, 2, labels=None))
    wanted = logits(network, TEXTS, 1)
    save_embedder(network, tmp_path / "again")
    np.testing.assert_allclose(logits(open_embedder(tmp_path / "again"), TEXTS, 1), wanted, atol=1e-6)
    made = Onnx().run(network, Needs(TextEmbedding()))
    assert len(made.proto.graph.output) == 1
    assert any(TOKENS in node.output for node in made.proto.graph.node)
    assert record(made)["embedding"] == {"pooling": "mean", "normalized": True, "size": 32}
    alone = [answers(made.proto, network.reader.batch(network.reader([text])), 1)[0] for text in TEXTS]
    np.testing.assert_allclose(alone, wanted, atol=1e-4)


def test_texts_that_belong_together_are_learned_in_one_batch(tmp_path: Path) -> None:
    network = open_embedder(tiny_network_folder(tmp_path / "m", "bert", 1, labels=None))
    pairs = Rows(tuple((f"good film {'a ' * (n % 5)}", f"bad {'plot ' * (n % 7)}") for n in range(20)), (99,) * 20)
    task = TextEmbedding()
    rows = task.singles(pairs)
    work = RowsTraining(network, rows, rows, task, Schedule(batch_rows=8), threads=1)
    batches = work.batches(0, 0)
    assert sorted(row for batch in batches for row in batch) == list(range(40))
    for batch in batches:
        assert len(batch) <= 8 and all(batch[at] + 1 == batch[at + 1] for at in range(0, len(batch), 2))
    assert 0.0 <= work.judge().quality <= 1.0
    before = work.backward(batches[0], 1.0)
    assert before > 0 and any(one.grad is not None for one in network.net.parameters())
