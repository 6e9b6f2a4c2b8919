"""Labelled rows tell a wrong guess from a weak model, and a lucky assignment from a better one."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.proof.assignment import best_assignment, judge_assignment


def answered(
    n: int, classes: int, right: float, order: list[int] | None = None, seed: int = 0
) -> tuple[list[int], ...]:
    """Answers and targets of a model that is right so often, else anything; its outputs stand in ``order``."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    said = np.where(rng.random(n) < right, truth, rng.integers(0, classes, n))
    return np.asarray(order or range(classes))[said].tolist(), truth.tolist()


def test_exchanged_labels_are_found() -> None:
    answers, targets = answered(200, 2, 0.85, order=[1, 0])
    found = judge_assignment(answers, targets, (0, 1), 2)
    assert found.beaten and not found.confirmed and found.settled and found.best == (1, 0)
    assert found.right == pytest.approx(1 - found.right_best) and found.right < 0.15 and found.n == 200


def test_a_right_guess_is_confirmed_however_weak_the_model_is() -> None:
    answers, targets = answered(400, 2, 0.3)
    found = judge_assignment(answers, targets, (0, 1), 2)
    assert found.confirmed and not found.beaten and found.best == found.given


def test_an_order_of_many_is_found_when_every_class_has_rows() -> None:
    order = [3, 0, 4, 1, 2]
    answers, targets = answered(500, 5, 0.7, order)
    found = judge_assignment(answers, targets, range(5), 5)
    assert found.beaten and found.settled and found.best == tuple(order)
    few = judge_assignment(answers[:12], targets[:12], range(5), 5)
    assert not few.settled, "twelve rows decide nothing about five classes"


def test_rows_that_know_nothing_decide_nothing() -> None:
    results = []
    for seed in range(300):
        answers, targets = answered(100, 2, 0.0, seed=seed)
        results.append(judge_assignment(answers, targets, (0, 1), 2))
    assert sum(found.beaten for found in results) <= 2
    assert sum(found.settled for found in results) <= 4
    assert sum(found.confirmed for found in results) <= 9


@pytest.mark.parametrize("share", [0.55, 0.9])
def test_a_model_that_always_says_the_same_decides_nothing_however_frequent_a_label_is(share: float) -> None:
    targets = [int(i < share * 600) for i in range(600)]
    for always in (0, 1):
        found = judge_assignment([always] * 600, targets, (0, 1), 2)
        assert not (found.beaten or found.confirmed or found.settled)


def test_a_model_that_loves_the_rare_label_is_weak_and_not_exchanged() -> None:
    targets = [int(i % 10 > 0) for i in range(1000)]  # nine in ten are 1
    answers = [1 if target and i % 4 == 0 else 0 for i, target in enumerate(targets)]
    found = judge_assignment(answers, targets, (0, 1), 2)
    assert found.right < 0.4 < found.confirmed and not found.beaten


def test_a_model_that_mixes_up_neighbours_is_not_renamed() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 5, 600)
    said = np.clip(truth + rng.integers(-1, 2, 600), 0, 4)  # a class too high as often as one too low
    found = judge_assignment(said.tolist(), truth.tolist(), range(5), 5)
    assert not found.beaten


def test_more_outputs_than_labels_and_ties() -> None:
    counts = np.array([[5, 0, 0], [0, 0, 0]])
    assert best_assignment(counts, np.array([0, 2])).tolist() == [0, 2], "no row speaks against what was given"
    assert best_assignment(np.array([[0, 4, 0], [3, 0, 0]]), np.array([0, 1])).tolist() == [1, 0]
    with pytest.raises(ValueError, match="as many of both"):
        judge_assignment([], [], (0, 1), 2)
