"""Chance: how likely a candidate is to hold on ``proof``, from what was seen on ``select`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.result import HIGHER, Candidate, Quantity
from lighten.measure.quality import meter_of
from lighten.search.context import Run

LEAST_CHANCE = 0.02
"""Candidates whose estimated chance to hold is below this are not tested: opening the proof for them is idle."""


def chance(run: Run, candidate: Candidate, original: Candidate, quantities: Mapping[str, Quantity]) -> float:
    """Estimated chance that every floor holds on ``proof``, from the difference and the flips seen on ``select``."""
    from scipy.stats import norm

    rows, proof_rows = run.parts.select, max(len(run.parts.proof), 1)
    before, after = _answers(run, original.key), _answers(run, candidate.key)
    lowest = 1.0
    for constraint in run.budget.keep:
        meter, quantity = meter_of(run.quality, constraint.metric)
        value, first = candidate.value(constraint.metric), original.value(constraint.metric)
        if value is None or first is None:
            return 0.0
        deviation = _deviation(run, meter.effects(before, after, rows), before, after)
        seen, proof = deviation / sqrt(len(rows)), deviation / sqrt(proof_rows)
        change = (value - first) if quantity.direction == HIGHER else (first - value)
        room = change + constraint.margin(first, quantity.direction) - 1.645 * proof
        lowest = min(lowest, float(norm.cdf(room / sqrt(seen**2 + proof**2))))
    return lowest


def _deviation(run: Run, effects: NDArray[Any] | None, before: NDArray[Any], after: NDArray[Any]) -> float:
    """Standard deviation of one row's part in the change of a quantity, in its unit; never 0."""
    rows = run.parts.select
    if effects is not None and run.task.language:
        return max(float(np.std(effects)), 1e-6)
    right = run.task.right
    disagreement = max(float(np.mean(right(before, rows) != right(after, rows))), 1.0 / len(rows))
    return sqrt(disagreement)


def _answers(run: Run, key: int) -> NDArray[Any]:
    answers = run.folder.study.answers(key, "select")
    assert answers is not None, f"candidate {key} was measured without answers"
    return answers
