"""How a floor is judged: by what was asked (a loss, a share of the original's, a value) and by what a row can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.proof.absolute import judge_level, judge_rate
from lighten.proof.bootstrap import LEAST_UNITS, judge_bootstrap, judge_clustered
from lighten.proof.scores import Statistic, mean
from lighten.proof.verdict import Direction, Verdict, judge_paired

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE = 0.95


def judge_right(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    floor: Constraint,
    units: Sequence[str] | NDArray[Any],
    seed: int,
    confidence: float = CONFIDENCE,
) -> Verdict:
    """Judge rows that are answered right or wrong, by original and candidate, [n] each.

    Args:
        units: [n] the independent unit of each row; empty when every row is its own.

    Raises:
        ValueError: a share of a share was asked.
    """
    if floor.relative == "ratio":
        raise ValueError(f"a loss of {floor.metric} is given in points, not as a share of the original's")
    if len(units) and len(set(units)) < 2:  # nothing to resample, so that nothing can be said
        alone = judge_right(before, after, floor, (), seed, confidence)
        return replace(alone, state="not_enough_data", units=1, needed=LEAST_UNITS)
    own = np.asarray(units) if len(units) else None
    if not floor.relative:
        return judge_rate(
            after, floor.bound, floor.metric, original=float(before.mean()), units=own, seed=seed, confidence=confidence
        )
    if own is None:
        return judge_paired(before, after, floor.bound, floor.metric, confidence)
    return judge_clustered(before, after, own, floor.bound, floor.metric, seed=seed, confidence=confidence)


def judge_changed(changed: NDArray[np.bool_], floor: Constraint, units: Sequence[str], seed: int) -> Verdict:
    """Judge the share of rows with another answer than the original's, [n]: a bound on that share alone.

    The original changes none of its own answers, so a loss against it and a value by itself are the same.

    Raises:
        ValueError: a share of the original's value was asked, which is none.
    """
    if floor.relative == "ratio":
        raise ValueError(f"{floor.metric} of the original is 0, and a share of 0 is 0")
    return judge_rate(changed, floor.bound, floor.metric, "lower", units=units or None, seed=seed)


@dataclass(frozen=True)
class MetricRows:
    """What a bootstrap needs of a metric: rows of original, candidate, and of a candidate without fault.

    Attributes:
        original, candidate, perfect: [n] or [n, k] rows that ``statistic`` takes.
        reach: the most that the metric changes per share of rows gone wrong; 1 for a score between 0 and 1.
        units: [n] the independent unit of each row; empty when every row is its own.
        classes: [n] classes of which the metric is the mean; None for one.
    """

    original: NDArray[Any]
    candidate: NDArray[Any]
    perfect: NDArray[Any]
    statistic: Statistic = mean
    reach: float = 1.0
    units: Sequence[str] = ()
    classes: NDArray[Any] | None = None

    def judge(self, floor: Constraint, direction: Direction, seed: int) -> Verdict:
        """The verdict on a floor.

        Raises:
            ValueError: fewer than two units.
        """
        own = np.asarray(self.units) if len(self.units) else None
        if floor.relative:
            return judge_bootstrap(
                self.statistic,
                self.original,
                self.candidate,
                floor.bound,
                floor.metric,
                direction,
                units=own,
                seed=seed,
                reach=self.reach,
                classes=self.classes,
                share=floor.relative == "ratio",
            )
        first = float(self.statistic(self.original, np.ones((1, len(self.original))))[0])
        return judge_level(
            self.statistic,
            self.perfect,
            self.candidate,
            floor.bound,
            floor.metric,
            direction,
            original=first,
            units=own,
            seed=seed,
            reach=self.reach,
            classes=self.classes,
        )
