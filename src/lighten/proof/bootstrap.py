"""Paired bootstrap over independent units, for metrics that are not right or wrong row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, hypot
from typing import Any

import numpy as np
import numpy.typing as npt

from lighten.proof.paired import normal_quantile, paired_interval
from lighten.proof.power import effective_units
from lighten.proof.resampling import bca_bounds, leave_out, resample, skewed_t_bounds, unit_numbers, unseen_harm
from lighten.proof.scores import Floats, Rows, Statistic, by_units, mean, ratio_of_sums
from lighten.proof.verdict import Direction, State, Verdict, check_margin, paired_counts, right_or_wrong

LEAST_UNITS = 30  # below this many units no bootstrap interval is to be trusted, and no verdict is given
BOOTSTRAP = "bootstrap over units, widest of percentile, BCa and skewed t"
"""How the bounds of a verdict were found, as it says itself."""


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """One-sided bounds of candidate - scale x original, in the metric's unit.

    Attributes:
        original: the statistic of the original on all rows.
        candidate: the statistic of the candidate on all rows.
        percentile: lower and upper bound by percentiles.
        bca: lower and upper bound, bias-corrected and accelerated.
        skewed_t: lower and upper bound by a t interval that heeds skewness.
        floor: least distance of either bound from the difference: the harm that may have gone unseen.
        units: independent units that were resampled.
        changed: units in which any row differs between the two.
        scale: what the original's value is multiplied by; 1 for a plain difference.
        heaviest: how far one more unit as heavy as the heaviest would move the difference, down and up, each above 0.
    """

    original: float
    candidate: float
    percentile: tuple[float, float]
    bca: tuple[float, float]
    skewed_t: tuple[float, float]
    floor: float
    units: int
    changed: int
    scale: float = 1.0
    heaviest: tuple[float, float] = (0.0, 0.0)

    @property
    def difference(self) -> float:
        """Candidate - scale x original."""
        return self.candidate - self.scale * self.original

    @property
    def lower(self) -> float:
        """The lowest of the lower bounds, with one more unit as heavy as the heaviest on that side."""
        resampled = min(self.percentile[0], self.bca[0], self.skewed_t[0]) - self.heaviest[0]
        return min(resampled, self.difference - self.floor)

    @property
    def upper(self) -> float:
        """The highest of the upper bounds, with one more unit as heavy as the heaviest on that side."""
        resampled = max(self.percentile[1], self.bca[1], self.skewed_t[1]) + self.heaviest[1]
        return max(resampled, self.difference + self.floor)


def paired_bootstrap(
    statistic: Statistic,
    original: npt.ArrayLike,
    candidate: npt.ArrayLike,
    units: npt.ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    reach: float = 1.0,
    scale: float = 1.0,
    classes: npt.ArrayLike | None = None,
) -> BootstrapInterval:
    """Bounds of statistic(candidate) - scale x statistic(original), both on the same resampled units.

    Args:
        statistic: see ``scores``.
        original: [n] or [n, k] rows of the original.
        candidate: rows of the candidate, same shape and order.
        units: [n] the independent unit (document, user) of each row; None when every row is its own.
        resamples: at least 100.
        seed: of the resampling.
        confidence: of each bound on its own.
        reach: the most that the metric changes per share of rows gone wrong: 1 for a score between 0 and 1.
        scale: 1 for a difference; 1.02 to ask whether the candidate's value is above 102 % of the original's, whose
            sampling is then part of the bounds.
        classes: [n] the class of each row, when the statistic is a mean over classes (macro-F1): harm may then have
            gone unseen in each of them. None for one class.

    Returns:
        Percentile and BCa bounds; bounds that are wider where skewness or a few heavy units make those two too narrow;
        what one more heavy unit would add, since in most samples of a heavy tail the heaviest are not drawn; and a
        least width, below which no number of resamples shows that what was not seen is not there.

    Raises:
        ValueError: no rows, shapes that differ, NaN in rows or statistic, fewer than two units, too few resamples.

    Source:
        Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapters 13 and 14; the acceleration from a
        jackknife over at most 1,000 random groups of units. Scaled differences: Fieller, J. Royal Statistical Society
        B 16 (1954).
    """
    before, after = _checked_rows(original, candidate, resamples, reach)
    unit, count = unit_numbers(units, before.shape[0])
    differences = _differences(statistic, before, after, unit, scale)
    rng = np.random.default_rng(seed)
    everything = np.ones((1, before.shape[0]))
    value_before = float(statistic(before, everything)[0])
    value_after = float(statistic(after, everything)[0])
    difference = value_after - scale * value_before
    draws = np.sort(np.concatenate([differences(block) for block in resample(count, resamples, rng)]))
    left_out = np.concatenate([differences(block) for block in leave_out(count, rng)])

    moved = before != after if before.ndim == 1 else (before != after).any(axis=1)
    return BootstrapInterval(
        original=value_before,
        candidate=value_after,
        percentile=(float(np.quantile(draws, 1.0 - confidence)), float(np.quantile(draws, confidence))),
        bca=bca_bounds(draws, difference, left_out, normal_quantile(confidence)),
        skewed_t=skewed_t_bounds(difference, left_out, confidence),
        floor=reach * _unseen(moved, unit, classes, confidence),
        units=count,
        changed=_changed(moved, unit)[0],
        scale=scale,
        heaviest=_heaviest(left_out),
    )


def _checked_rows(
    original: npt.ArrayLike, candidate: npt.ArrayLike, resamples: int, reach: float
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Rows of both. Raises ValueError: see :func:`paired_bootstrap`."""
    before, after = _rows(original), _rows(candidate)
    if before.shape != after.shape:
        raise ValueError(f"not the same rows: shape {before.shape} against {after.shape}")
    if resamples < 100:
        raise ValueError(f"at least 100 resamples are needed: {resamples}")
    if not reach > 0.0:
        raise ValueError(f"reach must be above 0: {reach}")
    return before, after


def _heaviest(left_out: Floats) -> tuple[float, float]:
    """How far one more unit as heavy as the heaviest would move the difference, down and up.

    Args:
        left_out: the difference without each unit, or each group of units, in turn.
    """
    pull = left_out.mean() - left_out
    return max(0.0, -float(pull.min())), max(0.0, float(pull.max()))


def _differences(
    statistic: Statistic, before: Rows, after: Rows, unit: npt.NDArray[np.intp] | None, scale: float
) -> Callable[[Floats], Floats]:
    """What gives the difference for each of several weightings of the units: [weightings, units] to [weightings].

    Raises:
        ValueError: (when it is called) the statistic is no finite number.
    """
    summed = None if unit is None else by_units(statistic, unit, before, after)

    def differences(weights: Floats) -> Floats:
        if summed is not None:
            values = ratio_of_sums(summed[1], weights) - scale * ratio_of_sums(summed[0], weights)
        else:
            by_row = weights if unit is None else weights[:, unit]
            values = statistic(after, by_row) - scale * statistic(before, by_row)
        if values.shape != weights.shape[:1] or not np.isfinite(values).all():
            raise ValueError("the statistic must give one finite number per resample")
        return values

    return differences


def _unseen(
    moved: npt.NDArray[np.bool_],
    unit: npt.NDArray[np.intp] | None,
    classes: npt.ArrayLike | None,
    confidence: float,
) -> float:
    """Half-width for the harm that may be in rows of each class and was not seen."""
    members = [slice(None)] if classes is None else [np.asarray(classes) == one for one in np.unique(classes)]
    widths = []
    for own in members:
        within = None if unit is None else unit[own]
        changed, worst, count = _changed(moved[own], within)
        rows = moved[own].size
        severity = max(1.0, worst) * count / rows  # of the worst unit, in mean unit sizes
        widths.append(unseen_harm(changed, count, effective_units(within, rows), severity, confidence))
    return hypot(*widths) / len(widths)


def _changed(moved: npt.NDArray[np.bool_], unit: npt.NDArray[np.intp] | None) -> tuple[int, float, int]:
    """Units in which a row moved, the most rows that moved in one of them, and units in all."""
    if unit is None:
        return int(np.count_nonzero(moved)), 1.0, moved.size
    names, within = np.unique(unit, return_inverse=True)
    rows = np.bincount(within, moved)
    return int(np.count_nonzero(rows)), float(rows.max()), names.size


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
    classes: npt.ArrayLike | None = None,
    share: bool = False,
) -> Verdict:
    """Judge any statistic by the paired bootstrap.

    *holds* when the lower bound of the change for the better is above ``-margin``; *worse* when its upper bound is
    below ``-margin``; else, and always below ``LEAST_UNITS`` units, *not enough data*. Arguments are those of
    ``paired_bootstrap``, and the largest loss accepted, the metric's name, and which way it is better.

    Args:
        margin: in the metric's unit; with ``share``, a share of the original's value.
        share: judge candidate - (1 + margin) x original (1 - margin where higher is better), so that the original's
            own sampling is part of the bounds. They are given in the metric's unit, around the original as observed.

    Raises:
        ValueError: as ``paired_bootstrap``; a negative margin; an unknown direction; a share of a value below 0.
    """
    check_margin(margin)
    if direction not in ("higher", "lower"):
        raise ValueError(f"direction must be 'higher' or 'lower': {direction!r}")
    sign = 1.0 if direction == "higher" else -1.0
    scale = 1.0 - sign * margin if share else 1.0
    found = paired_bootstrap(statistic, original, candidate, units, resamples, seed, confidence, reach, scale, classes)
    if share and found.original < 0.0:
        raise ValueError(f"a share of a value below 0 means nothing: {found.original}")
    allowed = margin * found.original if share else margin
    shift = allowed if share else 0.0
    lower, upper = sorted((sign * found.lower - shift, sign * found.upper - shift))
    return _verdict(found, (lower, upper), allowed, metric, direction, confidence, np.shape(original)[0], share=share)


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
    lower, upper = paired_interval(b, c, n, confidence)
    bounds = max(-1.0, min(lower, found.lower)), min(1.0, max(upper, found.upper))
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
    share: bool = False,
) -> Verdict:
    lower, upper = bounds
    difference = found.candidate - found.original
    difference = difference if direction == "higher" else -difference
    state = state_of(lower + margin, upper + margin, found.units)
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
        needed=(
            needed_units(found, difference + margin, lower + margin, upper + margin, confidence)
            if state == "not_enough_data"
            else None
        ),
        method=BOOTSTRAP + (", and of Tango" if flips else ""),
        kind="share" if share else "difference",
    )


def state_of(lower: float, upper: float, units: int = LEAST_UNITS) -> State:
    """The verdict from bounds of the distance to what is allowed; of fewer than ``LEAST_UNITS`` units there is none."""
    if units < LEAST_UNITS:
        return "not_enough_data"
    return "holds" if lower > 0.0 else "worse" if upper < 0.0 else "not_enough_data"


def needed_units(found: BootstrapInterval, effect: float, lower: float, upper: float, confidence: float) -> int | None:
    """Units that would settle it with power 0.8: widths shrink as the root of the units, a floor as the units.

    Args:
        effect: distance to what is allowed, as observed. lower, upper: its bounds.
    """
    if abs(effect) <= 1e-9:
        return None
    half_width = effect - lower if effect > 0.0 else upper - effect
    ratio = half_width / abs(effect)
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
