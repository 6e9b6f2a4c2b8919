"""Where a training comes apart, the rows are named that did it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from lighten.nets.encoders.network import open_network
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule, State
from lighten.nets.training.setback import came_apart, culprits
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.fixture
def work(tmp_path: Path) -> RowsTraining:
    network = open_network(tiny_network_folder(tmp_path, layers=1))
    return RowsTraining(network, toy_rows(20), toy_rows(8, seed=1), TextClassification(), Schedule(), threads=1)


def test_rows_that_are_not_finite_by_themselves_are_named(work: RowsTraining) -> None:
    backward, bad = work.backward, {3, 7}

    def failing(batch: list[int], weight: float) -> float:
        return math.nan if bad & {*batch} else backward(batch, weight)

    work.backward = failing  # type: ignore[method-assign, assignment]
    work.net.train()
    first = f"the first of which is {toy_rows(20).inputs[3][:60]!r}"
    assert culprits(work, [1, 3, 5, 7]) == f"rows not finite by themselves: 3, 7 of the training part, {first}"
    assert culprits(work, [1, 5]) == "rows 1, 5 of the training part"
    bad |= {*range(20)}
    assert culprits(work, [*range(12)]) == "rows 0, 1, 2, 3, 4, 5, 6, 7, ... of the training part"
    assert work.net.training and all(one.grad is None for one in work.net.parameters())
    told = came_apart(work, State(epoch=1, batch=3, updates=1200), [4], 2, math.nan, 2.5)
    assert told == "update 1,200 (epoch 2, batch 3, rows 4 of the training part): loss nan, gradient norm 2.5"


def test_a_row_whose_gradient_alone_is_no_number_is_named(work: RowsTraining) -> None:
    backward = work.backward

    def failing(batch: list[int], weight: float) -> float:
        loss = backward(batch, weight)
        if 5 in batch:
            next(one.grad for one in work.net.parameters() if one.grad is not None).view(-1)[0] = math.inf
        return loss

    work.backward = failing  # type: ignore[method-assign, assignment]
    assert culprits(work, [1, 5, 9]).startswith("rows not finite by themselves: 5 of the training part")
    assert all(one.grad is None for one in work.net.parameters())
