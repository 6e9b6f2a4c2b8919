"""Chance: how likely a candidate is to hold on ``proof``, from what was seen on ``select`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.result import HIGHER, Candidate, Quantity
from lighten.search.context import Run


def chance(run: Run, candidate: Candidate, original: Candidate, quantities: Mapping[str, Quantity]) -> float:
    """Estimated chance that every floor holds on ``proof``, from the difference and the flips seen on ``select``."""
    from scipy.stats import norm

    rows = run.parts.select
    before, after = _right(run, original.key), _right(run, candidate.key)
    disagreement = max(float(np.mean(before != after)), 1.0 / len(rows))
    seen, proof = sqrt(disagreement / len(rows)), sqrt(disagreement / max(len(run.parts.proof), 1))
    lowest = 1.0
    for constraint in run.budget.keep:
        quantity = quantities[constraint.metric]
        value, first = candidate.value(constraint.metric), original.value(constraint.metric)
        if value is None or first is None:
            return 0.0
        change = (value - first) if quantity.direction == HIGHER else (first - value)
        room = change + constraint.margin(first, quantity.direction) - 1.645 * proof
        lowest = min(lowest, float(norm.cdf(room / sqrt(seen**2 + proof**2))))
    return lowest


def _right(run: Run, key: int) -> NDArray[Any]:
    answers = run.folder.study.answers(key, "select")
    assert answers is not None, f"candidate {key} was measured without answers"
    return run.task.right(answers, run.parts.select)
