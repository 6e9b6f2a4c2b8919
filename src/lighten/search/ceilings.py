"""How a candidate stands against each bound of the budget, the spread of its measurement included."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lighten.core.budget import Budget, Constraint
from lighten.core.outcome import Bound
from lighten.core.result import HIGHER, Candidate, Quantity


def bound_of(
    constraint: Constraint, quantity: Quantity, candidate: Candidate, original: Candidate, *, kind: str = "ceiling"
) -> Bound:
    """How a candidate stands against one floor or ceiling. A value that was never measured is unknown, not met."""
    mine, first = candidate.results.get(constraint.metric), original.results.get(constraint.metric)
    value = mine.value if mine else None
    before = first.value if first else None
    limit = constraint.limit(before or 0.0, quantity.direction)
    state, spread = "unknown", 0.0
    if value is not None and (before is not None or not constraint.relative):
        own = (mine.spread if mine else None) or 0.0
        moves = 0.0  # a limit that is a share of the original's value is as sure as that value
        if constraint.relative and first is not None and before:
            moves = (first.spread or 0.0) * (abs(limit / before) if constraint.relative == "ratio" else 1.0)
        if constraint.relative == "ratio" and mine is not None and mine.ratio:  # measured in turns: one spread of both
            value = candidate.value_beside(constraint.metric, original) or value
            own, moves = value * (mine.ratio_spread or 0.0) / mine.ratio, 0.0
        spread = math.hypot(own, moves)
        over = limit - value if quantity.direction == HIGHER else value - limit
        state = "met" if over <= 0 else "close" if over <= spread else "missed"
    return Bound(
        constraint.metric, quantity.unit, quantity.direction, constraint.text, kind, value, spread, limit, state
    )


def ceilings_of(
    budget: Budget, quantities: Mapping[str, Quantity], candidate: Candidate, original: Candidate
) -> tuple[Bound, ...]:
    """Every ceiling of the budget, in the order in which it was given."""
    return tuple(bound_of(c, quantities[c.metric], candidate, original) for c in budget.under)


def floors_of(
    budget: Budget, quantities: Mapping[str, Quantity], candidate: Candidate, original: Candidate
) -> tuple[Bound, ...]:
    """Every floor of the budget on ``select``. No spread: whether a floor holds is for the proof to say."""
    found = [bound_of(c, quantities[c.metric], candidate, original, kind="floor") for c in budget.keep]
    return tuple(
        Bound(
            b.metric,
            b.unit,
            b.direction,
            b.text,
            b.kind,
            b.value,
            0.0,
            b.limit,
            "missed" if b.state == "close" else b.state,
        )
        for b in found
    )


def is_out(bounds: tuple[Bound, ...]) -> bool:
    """Whether any of them is unknown, or missed by more than repeated measurements differ."""
    return any(bound.state in ("missed", "unknown") for bound in bounds)
