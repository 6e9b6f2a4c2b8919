"""Absolute floors: is the candidate itself above (or below) a value? What the original reached is no part of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lighten.proof.bootstrap import BOOTSTRAP, BootstrapInterval, needed_units, paired_bootstrap, state_of
from lighten.proof.paired import binomial_interval
from lighten.proof.power import items_to_clear
from lighten.proof.scores import Statistic, mean
from lighten.proof.verdict import Direction, Verdict, right_or_wrong

EXACT = "exact binomial"
"""How the bounds of a verdict were found, as it says itself."""


def judge_rate(
    outcomes: npt.ArrayLike,
    floor: float,
    metric: str,
    direction: Direction = "higher",
    original: float = 0.0,
    units: npt.ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Verdict:
    """Judge the share of rows with an outcome: answered right, answered differently.

    *holds* when the one-sided bound is beyond the floor: exact (Clopper and Pearson) where rows are independent, and
    the wider of that and the bootstrap over units where they belong together. *worse* when the other bound is on the
    wrong side; else *not enough data*.

    Args:
        outcomes: [n] booleans, or the numbers 0 and 1, of the candidate.
        floor: the share that is asked, in [0, 1]: at least, or at most when lower is better.
        original: the share of the original, for the record alone.
        units: [n] the independent unit of each row; None when every row is its own.

    Raises:
        ValueError: no rows, other values, a floor outside [0, 1], fewer than two units.
    """
    hits = right_or_wrong(outcomes)
    if not 0.0 <= floor <= 1.0:
        raise ValueError(f"a share lies between 0 and 1: {floor}")
    n, count = hits.shape[0], int(np.count_nonzero(hits))
    low, high = binomial_interval(count, n, confidence)
    found = None
    if units is not None:
        # every row right, or every answer unchanged: what a perfect candidate would show
        perfect = np.full(n, direction == "higher")
        found = paired_bootstrap(mean, perfect, hits, units, resamples, seed, confidence)
        low, high = max(0.0, min(low, found.original + found.lower)), min(1.0, max(high, found.original + found.upper))
    return _level(
        metric, direction, floor, original, count / n, (low, high), n, found, confidence,
        needed=None if found else items_to_clear(count, n, floor, confidence),
        method=f"{BOOTSTRAP}, and of the {EXACT}" if found else EXACT,
    )  # fmt: skip


def judge_level(
    statistic: Statistic,
    perfect: npt.ArrayLike,
    candidate: npt.ArrayLike,
    floor: float,
    metric: str,
    direction: Direction = "higher",
    original: float = 0.0,
    units: npt.ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    reach: float = 1.0,
    classes: npt.ArrayLike | None = None,
) -> Verdict:
    """Judge any statistic of the candidate by a one-sample bootstrap over units.

    As ``bootstrap.judge_bootstrap``, the candidate compared with a perfect one: whose statistic is the same in every
    resample, so that nothing but the candidate's own sampling is in the bounds.

    Args:
        perfect: rows of a candidate without fault (labels all right, no loss in any row), same shape.
        floor: the value that is asked, in the metric's unit: at least, or at most when lower is better.
        original: the original's value, for the record alone.

    Raises:
        ValueError: as ``paired_bootstrap``.
    """
    found = paired_bootstrap(statistic, perfect, candidate, units, resamples, seed, confidence, reach, classes=classes)
    bounds = found.original + found.lower, found.original + found.upper
    n = np.shape(candidate)[0]
    return _level(metric, direction, floor, original, found.candidate, bounds, n, found, confidence, method=BOOTSTRAP)


def _level(
    metric: str,
    direction: Direction,
    floor: float,
    original: float,
    value: float,
    bounds: tuple[float, float],
    n: int,
    found: BootstrapInterval | None,
    confidence: float,
    method: str,
    needed: int | None = None,
) -> Verdict:
    """The verdict on a value whose bounds are known; ``found`` says how many units there are, where rows have them."""
    sign = 1.0 if direction == "higher" else -1.0
    distance = sign * (value - floor)
    lower, upper = sorted((sign * (bounds[0] - floor), sign * (bounds[1] - floor)))
    state = state_of(lower, upper)
    if found is not None:
        state, needed = state_of(lower, upper, found.units), needed_units(found, distance, lower, upper, confidence)
    return Verdict(
        metric=metric,
        state=state,
        original=original,
        candidate=value,
        direction=direction,
        difference=distance,
        lower=lower,
        upper=upper,
        margin=0.0,
        confidence=confidence,
        n=n,
        units=found.units if found else n,
        b=None,
        c=None,
        needed=needed if state == "not_enough_data" else None,
        method=method,
        kind="absolute",
        floor=floor,
    )
