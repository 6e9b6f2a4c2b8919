"""Resampling of units and the bounds drawn from it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, norm

from lighten.proof.resampling import (
    JACKKNIFE_GROUPS,
    bca_bounds,
    leave_out,
    resample,
    skewed_t_bounds,
    unit_numbers,
    unseen_harm,
)
from lighten.proof.scores import Floats


def test_every_resample_draws_as_many_units_as_there_are() -> None:
    weights = np.concatenate(list(resample(700, 1000, np.random.default_rng(0))))
    assert weights.shape == (1000, 700)
    assert (weights.sum(axis=1) == 700).all()
    assert weights.mean(axis=0) == pytest.approx(1.0, abs=0.2)
    assert weights.var() == pytest.approx(1.0, abs=0.02)  # binomial(n, 1 / n)


@pytest.mark.parametrize("units", [5, JACKKNIFE_GROUPS, 2 * JACKKNIFE_GROUPS + 1])
def test_the_jackknife_leaves_every_unit_out_once(units: int) -> None:
    weights = np.concatenate(list(leave_out(units, np.random.default_rng(0))))
    assert weights.shape == (min(units, JACKKNIFE_GROUPS), units)
    assert ((1.0 - weights).sum(axis=0) == 1.0).all()


def test_bca_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(1.0, 60)
    reference = bootstrap((values,), np.mean, n_resamples=20_000, confidence_level=0.9, rng=np.random.default_rng(2))
    draws = np.sort(np.concatenate([w @ values / 60 for w in resample(60, 20_000, np.random.default_rng(3))]))
    left_out = np.array([np.delete(values, i).mean() for i in range(60)])
    found = bca_bounds(draws, float(values.mean()), left_out, float(norm.ppf(0.95)))
    assert found == pytest.approx((reference.confidence_interval.low, reference.confidence_interval.high), abs=0.01)


def test_skewed_t_is_students_t_without_skewness_and_longer_on_the_tail() -> None:
    def left_out(values: Floats) -> Floats:
        return np.asarray((values.sum() - values) / (values.shape[0] - 1))

    even = np.tile([-1.0, 1.0], 200)
    error = even.std(ddof=1) / 20
    lower, upper = skewed_t_bounds(0.0, left_out(even), 0.95)
    assert (-lower, upper) == pytest.approx((1.6487 * error, 1.6487 * error), rel=1e-3)  # t of 400 degrees
    lower, upper = skewed_t_bounds(0.0, left_out(-np.repeat([0.0, 1.0], [380, 20])), 0.95)
    assert -lower > upper


def test_without_any_spread_the_bounds_are_the_value() -> None:
    assert skewed_t_bounds(0.25, np.full(40, 0.25), 0.95) == (0.25, 0.25)


def test_what_was_not_seen_may_be_there() -> None:
    # nothing changed in 300 rows: 1 - 0.05 ** (1 / 300); in 60 units worth 30, whole units may have gone wrong unseen
    assert unseen_harm(0, 300, 300, 1.0, 0.95) == pytest.approx(0.0099361, abs=1e-7)
    assert unseen_harm(0, 60, 30, 0.05, 0.95) == pytest.approx(0.0950339, abs=1e-7)
    assert unseen_harm(5000, 9000, 300, 1.0, 0.95) == pytest.approx(0.0099361, abs=1e-7)
    # 3 of 300 changed: the exact bound 0.0256414 less 0.01
    assert unseen_harm(3, 300, 300, 1.0, 0.95) == pytest.approx(0.0256414 - 0.01, abs=1e-6)
    assert unseen_harm(3, 300, 300, 4.0, 0.95) == pytest.approx(4 * (0.0256414 - 0.01), abs=1e-6)


def test_unit_numbers() -> None:
    unit, count = unit_numbers(["x", "y", "x"], 3)
    assert unit is not None and (unit.tolist(), count) == ([0, 1, 0], 2)
    assert unit_numbers(None, 3) == (None, 3)
    assert unit_numbers([7, 8, 9], 3) == (None, 3)


@pytest.mark.parametrize(
    ("units", "says"), [([1, 2], "one unit per row"), ([1, 1, 1], "two independent"), ([1, float("nan"), 2], "NaN")]
)
def test_units_that_are_refused(units: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        unit_numbers(units, 3)
