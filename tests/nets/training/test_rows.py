"""Rows with an answer each: what the user asks, label smoothing, what suits a network otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs
from lighten.nets.encoders.network import open_network
from lighten.nets.training.rows import FRESH, RATE, USUAL, labels_loss, of_needs
from lighten.nets.training.schedule import Hyperparameters
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK = TextClassification()


def test_label_smoothing_is_that_of_torch() -> None:
    outputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    rows = Rows(("a",) * 5, (0, 1, 2, 1, 0))
    batch = [4, 1, 2]
    targets = torch.tensor([0, 1, 2])
    for smoothing in (0.0, 0.2):
        expected = torch.nn.functional.cross_entropy(outputs[batch], targets, label_smoothing=smoothing)
        assert labels_loss(rows, TASK, smoothing)(outputs[batch], batch).item() == pytest.approx(expected.item())


def test_what_is_asked_is_done_and_the_rest_suits_the_network(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2), ("negative", "positive"))
    needs = Needs(TASK, train=toy_rows(20), tune=toy_rows(8, seed=1))
    usual = of_needs(network, needs, Hyperparameters()).schedule
    assert (usual.epochs, usual.learning_rate, usual.batch_rows) == (USUAL, RATE, 32)
    fresh = of_needs(network, needs, Hyperparameters(from_scratch=True)).schedule
    assert (fresh.epochs, fresh.batch_rows) == (FRESH, 128) and fresh.learning_rate > RATE
    asked = of_needs(network, needs, Hyperparameters(epochs=2.0, learning_rate=3e-5, batch_rows=4, weight_decay=0.0))
    assert asked.peak == pytest.approx(3e-5) and asked.batch == 4
    assert (asked.schedule.epochs, asked.schedule.weight_decay) == (2.0, 0.0)
    assert of_needs(network, needs, Hyperparameters(timed=True)).schedule.epochs > usual.epochs
    with pytest.raises(StepFailed, match="needs rows"):
        of_needs(network, Needs(TASK), Hyperparameters())
