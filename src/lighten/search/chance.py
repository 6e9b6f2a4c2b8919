"""Chance: how likely a candidate is to hold on ``proof``, from what was seen on ``select`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook
from lighten.core.result import HIGHER, Candidate, Quantity
from lighten.measure.quality import meter_of
from lighten.search.context import Run

LEAST_CHANCE = 0.02
"""Candidates whose estimated chance to hold is below this are not tested: opening the proof for them is idle."""


def chance(run: Run, candidate: Candidate, original: Candidate, quantities: Mapping[str, Quantity]) -> float:
    """Estimated chance that every floor holds on ``proof``, from what was seen on ``select``: see ``Outlook``."""
    rows, proof_rows = run.parts.select, max(len(run.parts.proof), 1)
    before, after = _answers(run, original.key), _answers(run, candidate.key)
    lowest = 1.0
    for constraint in run.budget.keep:
        meter, quantity = meter_of(run.quality, constraint.metric)
        value, first = candidate.value(constraint.metric), original.value(constraint.metric)
        if value is None or first is None:
            return 0.0
        tests = meter.outlook(before, after, rows, constraint)
        for one in tests or (_by_disagreement(run, constraint, quantity, value, first, before, after),):
            lowest = min(lowest, _likely(one, len(rows), proof_rows))
    return lowest


def _likely(one: Outlook, rows: int, proof_rows: int) -> float:
    """Chance that a bound on ``proof_rows`` rows stays within the floor, judging by what ``rows`` other rows showed."""
    from scipy.stats import norm

    seen, proof = (one.deviation / sqrt(max(n * one.share, 1.0)) for n in (rows, proof_rows))
    return float(norm.cdf((one.room - 1.645 * proof) / sqrt(seen**2 + proof**2)))


def _by_disagreement(
    run: Run,
    constraint: Constraint,
    quantity: Quantity,
    value: float,
    first: float,
    before: NDArray[Any],
    after: NDArray[Any],
) -> Outlook:
    """For a meter without an estimate of its own: the measured change, as uncertain as the share of flipped rows."""
    rows, right = run.parts.select, run.task.right
    change = (value - first) if quantity.direction == HIGHER else (first - value)
    disagreement = max(float(np.mean(right(before, rows) != right(after, rows))), 1.0 / len(rows))
    return Outlook(change + constraint.margin(first, quantity.direction), sqrt(disagreement))


def _answers(run: Run, key: int) -> NDArray[Any]:
    answers = run.folder.study.answers(key, "select")
    assert answers is not None, f"candidate {key} was measured without answers"
    return answers
