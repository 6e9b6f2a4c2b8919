"""Text classification: losses and scores by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.rows import Rows
from lighten.tasks.text_classification import TextClassification

TASK = TextClassification()


def test_loss_is_mean_cross_entropy_in_nats() -> None:
    logits = torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]])
    value = TASK.loss(logits, torch.tensor([0, 1]))
    assert float(value) == pytest.approx((math.log(2.0) + math.log(4.0)) / 2)


def test_distance_is_mean_squared_error() -> None:
    value = TASK.distance(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]))
    assert float(value) == pytest.approx((1 + 4) / 2)


def test_divergence_is_of_softened_shares_times_the_squared_temperature() -> None:
    sure, torn = torch.tensor([[math.log(9.0), 0.0]]), torch.tensor([[0.0, 0.0]])
    assert float(TASK.divergence(torn, sure)) == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2))
    softened = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)  # the square root of nine to one is three to one
    assert float(TASK.divergence(torn, sure, 2.0)) == pytest.approx(4 * softened)
    assert float(TASK.divergence(sure, sure, 2.0)) == pytest.approx(0.0)


def test_right_compares_the_largest_logit() -> None:
    outputs = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    assert TASK.right(outputs, Rows(("a", "b", "c"), (1, 1, 2))).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="2 outputs for 3 rows"):
        TASK.right(outputs[:2], Rows(("a", "b", "c"), (1, 1, 2)))


def test_is_in_the_catalog_with_accuracy_first() -> None:
    assert catalog.load("tasks", "text_classification") is TextClassification
    assert TASK.metrics[0] == "accuracy"
