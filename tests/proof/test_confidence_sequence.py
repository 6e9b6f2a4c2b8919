"""Bounds that may be looked at after every outcome: they hold at all moments at once, and are not much wider for it."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.proof.confidence_sequence import log_evidence, share_bounds
from lighten.proof.paired import binomial_interval

STEPS, REPEATS = 1000, 400


def ever_enough(outcomes: np.ndarray, shares: np.ndarray, level: float = 0.05) -> float:
    """How often an upper bound is below the average share at any moment. outcomes, shares: [repeats, steps]."""
    n = np.arange(1, outcomes.shape[1] + 1)
    totals, averages = outcomes.cumsum(1), shares.cumsum(1) / n
    wrong = [
        log_evidence(sums[at], n[at], average[at]).max(initial=0.0) > -np.log(level)
        for sums, average in zip(totals, averages, strict=True)
        for at in [np.flatnonzero(sums / n < average)]  # nowhere else can a bound be below
    ]
    return float(np.mean(wrong))


def constant(share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    shares = np.full((REPEATS, STEPS), share)
    return rng.random(shares.shape) < shares, shares


def drifting(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Nothing differs for a while, and then a fifth does."""
    shares = np.zeros((REPEATS, STEPS))
    shares[:, 300:] = 0.2
    return rng.random(shares.shape) < shares, shares


def clinging(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """After an outcome that differs the next one differs half of the time, else one in fifty."""
    outcomes, shares = np.zeros((REPEATS, STEPS)), np.zeros((REPEATS, STEPS))
    for step in range(STEPS):
        before = outcomes[:, step - 1] if step else np.zeros(REPEATS)
        shares[:, step] = np.where(before > 0, 0.5, 0.02)
        outcomes[:, step] = rng.random(REPEATS) < shares[:, step]
    return outcomes, shares


@pytest.mark.parametrize("kind", ["0.01", "0.2", "drifting", "clinging"])
def test_it_is_wrong_at_any_moment_at_most_one_time_in_twenty(kind: str) -> None:
    rng = np.random.default_rng(14)
    makes = {"drifting": drifting, "clinging": clinging}
    outcomes, shares = makes[kind](rng) if kind in makes else constant(float(kind), rng)
    assert ever_enough(outcomes, shares) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / REPEATS)


def test_a_bound_for_one_moment_is_wrong_far_more_often_when_it_is_looked_at_again_and_again() -> None:
    outcomes, _ = constant(0.2, np.random.default_rng(14))
    totals = outcomes[:200].cumsum(1)
    moments = np.arange(10, STEPS, 20)
    known = {(k, n): binomial_interval(k, n)[1] for n in moments for k in np.unique(totals[:, n - 1])}
    wrong = [any(known[sums[n - 1], n] < 0.2 for n in moments) for sums in totals]
    assert np.mean(wrong) > 0.12
    ours = {key: share_bounds(*key)[1] for key in known if known[key] < 0.2}
    assert np.mean([any(ours.get((sums[n - 1], n), 1.0) < 0.2 for n in moments) for sums in totals]) <= 0.05


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 50), (0, 1000), (3, 300), (50, 1000), (400, 800), (1, 10_000), (5000, 10_000)]
)
def test_looking_at_any_time_costs_little(hits: int, n: int) -> None:
    lower, upper = share_bounds(hits, n)
    once_lower, once_upper = binomial_interval(hits, n)
    assert lower <= once_lower <= hits / n <= once_upper <= upper
    assert upper - hits / n < 2.4 * (once_upper - hits / n)


def test_one_outcome_by_hand() -> None:
    weights = np.array([1 / ((j + 1) * (j + 2)) for j in range(40)])
    kept = 1 - 2.0 ** (-np.arange(40) / 2)
    for share in (0.1, 0.9):
        factors = 1 / (1 - share * (1 - kept)), kept / (1 - share * (1 - kept))
        for total, factor in zip((0, 1), factors, strict=True):
            assert float(log_evidence(total, 1, share)) == pytest.approx(
                np.log((weights / weights.sum() * factor).sum())
            )


def test_the_bounds_of_what_differs_and_of_what_agrees_are_the_same() -> None:
    lower, upper = share_bounds(2.5, 40)
    other_lower, other_upper = share_bounds(37.5, 40)
    assert (lower, upper) == pytest.approx((1 - other_upper, 1 - other_lower))
    assert share_bounds(0, 0) == (0.0, 1.0) and share_bounds(0, 7)[0] == 0.0 and share_bounds(7, 7)[1] == 1.0
    assert share_bounds(2, 40, 0.99)[1] > share_bounds(2, 40, 0.9)[1]


@pytest.mark.parametrize(
    ("total", "n", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0.4), (float("nan"), 5, 0.9)]
)
def test_what_is_no_share_is_refused(total: float, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"total|confidence"):
        share_bounds(total, n, confidence)
