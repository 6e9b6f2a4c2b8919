"""Absolute floors: a bound on the candidate alone."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.proof.absolute import judge_level, judge_rate
from lighten.proof.bootstrap import LEAST_UNITS
from lighten.proof.scores import macro_f1, mean


def right(hits: int, n: int) -> np.ndarray:
    return np.arange(n) < hits


@pytest.mark.parametrize(
    ("hits", "state"),
    [(916, "holds"), (915, "not_enough_data"), (885, "not_enough_data"), (884, "not_enough_data"), (883, "worse")],
)
def test_accuracy_of_at_least_ninety_per_cent(hits: int, state: str) -> None:
    verdict = judge_rate(right(hits, 1000), 0.9, "accuracy", original=0.99)
    assert (verdict.state, verdict.kind, verdict.floor, verdict.margin) == (state, "absolute", 0.9, 0.0)
    assert (verdict.candidate, verdict.original) == (hits / 1000, 0.99)
    assert verdict.difference == pytest.approx(hits / 1000 - 0.9)
    assert verdict.method == "exact binomial"


def test_the_value_that_is_proved() -> None:
    assert judge_rate(right(910, 1000), 0.9, "accuracy").reached == pytest.approx(0.8937, abs=5e-5)
    assert judge_rate(right(10, 1000), 0.02, "flips", "lower").reached == pytest.approx(0.0169, abs=5e-5)


def test_what_the_original_reached_is_no_part_of_it() -> None:
    low, high = (judge_rate(right(916, 1000), 0.9, "accuracy", original=first) for first in (0.2, 1.0))
    assert low.lower == high.lower and low.state == high.state == "holds"


def test_no_change_seen_is_not_no_change() -> None:
    assert judge_rate(right(0, 148), 0.02, "flips", "lower").state == "not_enough_data"
    assert judge_rate(right(0, 149), 0.02, "flips", "lower").holds  # 0.98 ** 149 < 0.05
    assert judge_rate(right(0, 149), 0.0, "flips", "lower").state == "not_enough_data"


def test_needed_settles_it_when_the_rate_stays() -> None:
    verdict = judge_rate(right(910, 1000), 0.9, "accuracy")
    assert verdict.needed is not None and verdict.needed > 1000
    times = -(-verdict.needed // 1000)
    assert judge_rate(right(910 * times, 1000 * times), 0.9, "accuracy").holds


def test_rows_of_one_unit_count_as_one() -> None:
    units = np.repeat(np.arange(100), 20)
    hits = np.repeat(np.arange(100) < 94, 20)  # six units are wrong as a whole
    alone, together = judge_rate(hits, 0.9, "accuracy"), judge_rate(hits, 0.9, "accuracy", units=units)
    assert alone.holds and together.state == "not_enough_data"
    assert together.units == 100 and together.needed is not None and together.needed > 100
    few = judge_rate(np.ones(300, bool), 0.5, "accuracy", units=np.repeat(np.arange(10), 30))
    assert (few.state, few.needed) == ("not_enough_data", LEAST_UNITS)


def test_a_mean_loss_below_a_ceiling() -> None:
    rng = np.random.default_rng(0)
    losses = rng.exponential(0.3, 2000)
    states = [
        judge_level(mean, np.zeros(2000), losses, floor, "log_loss", "lower").state for floor in (0.35, 0.305, 0.25)
    ]
    assert states == ["holds", "not_enough_data", "worse"]
    verdict = judge_level(mean, np.zeros(2000), losses, 0.35, "log_loss", "lower", original=0.1)
    assert verdict.candidate == pytest.approx(losses.mean()) and verdict.original == 0.1
    assert verdict.difference == pytest.approx(0.35 - losses.mean())
    half = 1.645 * losses.std() / np.sqrt(2000)
    assert verdict.reached == pytest.approx(losses.mean() + half, rel=0.01)


def test_macro_f1_of_a_model_that_is_always_right_is_not_proved_by_few_rows() -> None:
    truth = np.repeat([0, 1, 2], [60, 30, 10])
    verdict = judge_level(macro_f1(truth, 3), truth, truth, 0.95, "macro_f1", classes=truth)
    assert verdict.candidate == 1.0 and verdict.state == "not_enough_data"
    more = np.tile(truth, 10)
    assert judge_level(macro_f1(more, 3), more, more, 0.95, "macro_f1", classes=more).holds


@pytest.mark.parametrize("floor", [-0.1, 1.1])
def test_a_floor_that_no_share_can_have_is_refused(floor: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        judge_rate(right(5, 10), floor, "accuracy")
