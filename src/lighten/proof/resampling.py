"""Resampling of units: bootstrap weights, jackknife weights, BCa bounds."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from lighten.proof.paired import binomial_interval
from lighten.proof.power import unseen_rate
from lighten.proof.scores import Floats

JACKKNIFE_GROUPS = 1000
FEW_CHANGED = 20  # below this many changed units the resamples cannot show the harm that was not drawn
CELLS = 250_000  # of one block of weights: 2 MB, so that it stays in the cache

Ints = npt.NDArray[np.intp]


def unit_numbers(units: npt.ArrayLike | None, n: int) -> tuple[Ints | None, int]:
    """[n] number of each row's unit (None: every row is its own), and how many units there are."""
    unit: Ints | None = None
    count = n
    if units is not None:
        names = np.asarray(units)
        if names.shape != (n,):
            raise ValueError(f"one unit per row is needed: shape {names.shape} for {n} rows")
        if names.dtype.kind == "f" and np.isnan(names).any():
            raise ValueError("a unit is NaN")
        found, unit = np.unique(names, return_inverse=True)
        count = found.shape[0]
    if count < 2:
        raise ValueError(f"at least two independent units are needed: {count}")
    return (None if count == n else unit), count


def resample(units: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks of weights [block, units]: how often each unit was drawn; each row sums to ``units``."""
    block = max(1, min(resamples, CELLS // units))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


def leave_out(units: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks of weights [block, units], each row without one of at most ``JACKKNIFE_GROUPS`` random groups."""
    groups = min(units, JACKKNIFE_GROUPS)
    group = rng.permutation(units) % groups
    block = max(1, min(groups, CELLS // units))
    for start in range(0, groups, block):
        yield (group[None, :] != np.arange(start, min(start + block, groups))[:, None]).astype(np.float64)


def bca_bounds(draws: Floats, observed: float, left_out: Floats, z: float) -> tuple[float, float]:
    """BCa lower and upper bound from the sorted resampled values and the jackknife values."""
    below = np.count_nonzero(draws < observed) + 0.5 * np.count_nonzero(draws == observed)
    least = 1.0 / (draws.shape[0] + 1.0)
    bias = float(ndtri(min(max(below / draws.shape[0], least), 1.0 - least)))
    acceleration = _acceleration(left_out.mean() - left_out)

    def bound(quantile: float) -> float:
        shifted = bias + quantile
        stretch = 1.0 - acceleration * shifted
        level = float(ndtr(bias + shifted / stretch)) if stretch > 0.0 else float(shifted > 0.0)
        return float(np.quantile(draws, level))

    return bound(-z), bound(z)


def skewed_t_bounds(observed: float, left_out: Floats, confidence: float) -> tuple[float, float]:
    """Lower and upper bound from the jackknife alone: Student's t, stretched on the side of the longer tail.

    Its degrees of freedom are the units that carry the variance (few, when a few units do most of the harm), so it is
    wider than percentile and BCa where those are known to be too narrow.

    Source:
        Johnson, J. American Statistical Association 73 (1978): t of a skewed mean.
    """
    pull = left_out.mean() - left_out
    variance = float((pull**2).sum())
    if variance <= 0.0:
        return observed, observed
    groups = left_out.shape[0]
    error = sqrt((groups - 1) / groups * variance)
    t = float(stdtrit(max(1.0, variance**2 / float((pull**4).sum())), confidence))
    tail = _acceleration(pull) * (2.0 * t * t + 1.0)
    return observed - error * max(t, t - tail), observed + error * max(t, t + tail)


def unseen_harm(changed: int, units: int, effective: float, severity: float, confidence: float) -> float:
    """Half-width below which no interval of a score between 0 and 1 may fall, whatever the resamples say.

    Resampling what did not change cannot show that it never does. Two exact binomial bounds are put in its place: a
    whole unit gone wrong, seen in none of ``effective`` units of equal size; and where few units changed, more of those
    that did.

    Args:
        changed: units that changed. units: of all. effective: how many of equal size they are worth.
        severity: of the worst unit seen, in mean unit sizes.
    """
    whole = unseen_rate(effective, confidence)
    if changed >= FEW_CHANGED:
        return whole
    more = binomial_interval(changed, units, confidence)[1] - changed / units
    return max(whole, severity * more)


def _acceleration(pull: Floats) -> float:
    """A sixth of the skewness of the statistic, from what each unit pulls it by."""
    spread = float((pull**2).sum())
    return float((pull**3).sum()) / (6.0 * spread**1.5) if spread > 0.0 else 0.0
