"""Paired bootstrap over independent units, for metrics that are not right or wrong row by row."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from lighten.proof.paired import normal_quantile, tango_interval
from lighten.proof.resampling import bca_bounds, few_changed_floor, leave_out, resample, skewed_t_bounds, unit_numbers
from lighten.proof.scores import Floats, Rows, Statistic, mean
from lighten.proof.verdict import Direction, State, Verdict, check_margin, paired_counts, right_or_wrong

LEAST_UNITS = 30  # below this many units no bootstrap interval is to be trusted, and no verdict is given
FEW_CHANGED = 20  # below this many changed units the resamples cannot show the harm that was not drawn


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """One-sided bounds of candidate - original, in the metric's unit.

    Attributes:
        original: the statistic of the original on all rows.
        candidate: the statistic of the candidate on all rows.
        percentile: lower and upper bound by percentiles.
        bca: lower and upper bound, bias-corrected and accelerated.
        skewed_t: lower and upper bound by a t interval that heeds skewness.
        floor: least distance of either bound from the difference; above 0 only when few units changed.
        units: independent units that were resampled.
        changed: units in which any row differs between the two.
    """

    original: float
    candidate: float
    percentile: tuple[float, float]
    bca: tuple[float, float]
    skewed_t: tuple[float, float]
    floor: float
    units: int
    changed: int

    @property
    def difference(self) -> float:
        """Candidate - original."""
        return self.candidate - self.original

    @property
    def lower(self) -> float:
        """The lowest of the lower bounds."""
        return min(self.percentile[0], self.bca[0], self.skewed_t[0], self.difference - self.floor)

    @property
    def upper(self) -> float:
        """The highest of the upper bounds."""
        return max(self.percentile[1], self.bca[1], self.skewed_t[1], self.difference + self.floor)


def paired_bootstrap(
    statistic: Statistic,
    original: npt.ArrayLike,
    candidate: npt.ArrayLike,
    units: npt.ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    reach: float = 1.0,
) -> BootstrapInterval:
    """Bounds of statistic(candidate) - statistic(original), both on the same resampled units.

    Args:
        statistic: see ``scores``.
        original: [n] or [n, k] rows of the original.
        candidate: rows of the candidate, same shape and order.
        units: [n] the independent unit (document, user) of each row; None when every row is its own.
        resamples: at least 100.
        seed: of the resampling.
        confidence: of each bound on its own.
        reach: the most that the metric changes per share of rows gone wrong, used when few units changed: 1 for a
            score between 0 and 1 over all rows, 1 / (share of the smallest group) for the worst group.

    Returns:
        Percentile and BCa bounds; bounds that are wider where skewness or a few heavy units make those two too narrow;
        and where fewer than ``FEW_CHANGED`` units changed a least width, which for rows of accuracy is about Tango's:
        resampling what did not change cannot show that it never does.

    Raises:
        ValueError: no rows, shapes that differ, NaN in rows or statistic, fewer than two units, too few resamples.

    Source:
        Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapters 13 and 14; the acceleration from a
        jackknife over at most 1,000 random groups of units. Floor: the score interval of a Poisson count.
    """
    z = normal_quantile(confidence)
    before, after = _rows(original), _rows(candidate)
    if before.shape != after.shape:
        raise ValueError(f"not the same rows: shape {before.shape} against {after.shape}")
    if resamples < 100:
        raise ValueError(f"at least 100 resamples are needed: {resamples}")
    if not reach > 0.0:
        raise ValueError(f"reach must be above 0: {reach}")
    n = before.shape[0]
    unit, count = unit_numbers(units, n)

    def differences(weights: Floats) -> Floats:
        by_row = weights if unit is None else weights[:, unit]
        values = statistic(after, by_row) - statistic(before, by_row)
        if values.shape != weights.shape[:1] or not np.isfinite(values).all():
            raise ValueError("the statistic must give one finite number per resample")
        return values

    rng = np.random.default_rng(seed)
    everything = np.ones((1, n))
    value_before = float(statistic(before, everything)[0])
    value_after = float(statistic(after, everything)[0])
    draws = np.sort(np.concatenate([differences(block) for block in resample(count, resamples, rng)]))
    left_out = np.concatenate([differences(block) for block in leave_out(count, rng)])

    moved = before != after if before.ndim == 1 else (before != after).any(axis=1)
    changes = moved.astype(np.float64) if unit is None else np.bincount(unit, moved, minlength=count)
    changed = int(np.count_nonzero(changes))
    severity = max(1.0, float(changes.max())) * count / n  # of the worst unit, in mean unit sizes
    return BootstrapInterval(
        original=value_before,
        candidate=value_after,
        percentile=(float(np.quantile(draws, 1.0 - confidence)), float(np.quantile(draws, confidence))),
        bca=bca_bounds(draws, value_after - value_before, left_out, z),
        skewed_t=skewed_t_bounds(value_after - value_before, left_out, confidence),
        floor=reach * severity * few_changed_floor(changed, count, z) if changed < FEW_CHANGED else 0.0,
        units=count,
        changed=changed,
    )


def judge_bootstrap(
    statistic: Statistic,
    original: npt.ArrayLike,
    candidate: npt.ArrayLike,
    margin: float,
    metric: str,
    direction: Direction = "higher",
    units: npt.ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    reach: float = 1.0,
) -> Verdict:
    """Judge any statistic by the paired bootstrap.

    *holds* when the lower bound of the change for the better is above ``-margin``; *worse* when its upper bound is
    below ``-margin``; else, and always below ``LEAST_UNITS`` units, *not enough data*. Arguments are those of
    ``paired_bootstrap``, and the largest loss accepted (``margin``, in the metric's unit), the metric's name, and
    which way it is better.

    Raises:
        ValueError: as ``paired_bootstrap``; a negative margin; an unknown direction.
    """
    check_margin(margin)
    if direction not in ("higher", "lower"):
        raise ValueError(f"direction must be 'higher' or 'lower': {direction!r}")
    found = paired_bootstrap(statistic, original, candidate, units, resamples, seed, confidence, reach)
    bounds = (found.lower, found.upper) if direction == "higher" else (-found.upper, -found.lower)
    return _verdict(found, bounds, margin, metric, direction, confidence, np.shape(original)[0])


def judge_clustered(
    original_right: npt.ArrayLike,
    candidate_right: npt.ArrayLike,
    units: npt.ArrayLike,
    margin: float,
    metric: str = "accuracy",
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Verdict:
    """Judge right/wrong outcomes whose rows belong together in units, such as sentences of one document.

    As ``verdict.judge_paired``, but each bound is the wider of Tango's and the bootstrap's over units. The McNemar
    test plays no part: it supposes independent rows.

    Raises:
        ValueError: as ``judge_paired`` and ``paired_bootstrap``.
    """
    check_margin(margin, below=1.0)
    original, candidate = right_or_wrong(original_right), right_or_wrong(candidate_right)
    found = paired_bootstrap(mean, original, candidate, units, resamples, seed, confidence)
    n = original.shape[0]
    _, b, c = paired_counts(original, candidate)
    lower, upper = tango_interval(b, c, n, confidence)
    bounds = min(lower, found.lower), max(upper, found.upper)
    return _verdict(found, bounds, margin, metric, "higher", confidence, n, (b, c))


def _verdict(
    found: BootstrapInterval,
    bounds: tuple[float, float],
    margin: float,
    metric: str,
    direction: Direction,
    confidence: float,
    n: int,
    flips: tuple[int, int] | None = None,
) -> Verdict:
    lower, upper = bounds
    difference = found.difference if direction == "higher" else -found.difference
    state: State = "not_enough_data"
    if found.units >= LEAST_UNITS and lower > -margin:
        state = "holds"
    elif found.units >= LEAST_UNITS and upper < -margin:
        state = "worse"
    effect = difference + margin
    half_width = difference - lower if effect > 0.0 else upper - difference
    return Verdict(
        metric=metric,
        state=state,
        original=found.original,
        candidate=found.candidate,
        direction=direction,
        difference=difference,
        lower=lower,
        upper=upper,
        margin=margin,
        confidence=confidence,
        n=n,
        units=found.units,
        b=flips[0] if flips else None,
        c=flips[1] if flips else None,
        needed=_needed(found, half_width, abs(effect), confidence) if state == "not_enough_data" else None,
        method="bootstrap over units, widest of percentile, BCa and skewed t" + (", and of Tango" if flips else ""),
    )


def _needed(found: BootstrapInterval, half_width: float, effect: float, confidence: float) -> int | None:
    """Units that would settle it with power 0.8: widths shrink as the root of the units, a floor as the units."""
    if effect <= 1e-9:
        return None
    ratio = half_width / effect
    if half_width > found.floor:
        z = normal_quantile(confidence)
        ratio = (ratio * (z + normal_quantile(0.8)) / z) ** 2
    return max(LEAST_UNITS, found.units + 1, ceil(found.units * ratio))


def _rows(values: npt.ArrayLike) -> Rows:
    rows: Rows = np.asarray(values)
    if rows.ndim not in (1, 2) or rows.shape[0] == 0:
        raise ValueError(f"rows must be a non-empty list, or a table with one row per item; got shape {rows.shape}")
    if rows.dtype.kind not in "biuf" or not np.isfinite(np.asarray(rows, dtype=np.float64)).all():
        raise ValueError("rows must be finite numbers")
    return rows
