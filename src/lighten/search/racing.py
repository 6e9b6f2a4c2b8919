"""Racing: which candidates look good enough to go on with, and which training is hopeless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt

from lighten.core.budget import Budget, Constraint
from lighten.core.result import HIGHER, Candidate, Quantity
from lighten.measure.rounds import doubtful

WORTH = 0.03
"""Share of the cost that must be saved to give up safety for it: two measurements differ by as much."""


def shortfall(constraint: Constraint, quantity: Quantity, candidate: Candidate, original: Candidate) -> float | None:
    """By how much a candidate misses a constraint, in the quantity's unit; at most 0 when it meets it."""
    value, before = candidate.value(constraint.metric), original.value(constraint.metric)
    if value is None or (before is None and constraint.relative):
        return None
    if constraint.relative == "ratio":
        value = candidate.value_beside(constraint.metric, original) or value
    limit = constraint.limit(before or 0.0, quantity.direction)
    return limit - value if quantity.direction == HIGHER else value - limit


def excess(constraint: Constraint, quantity: Quantity, candidate: Candidate, original: Candidate) -> float | None:
    """By how much a candidate misses a constraint, as a share of its limit; at most 0 when it meets it."""
    missed = shortfall(constraint, quantity, candidate, original)
    if missed is None:
        return None
    limit = constraint.limit(original.value(constraint.metric) or 0.0, quantity.direction)
    return missed / max(abs(limit), 1e-12)


def promising(candidate: Candidate, original: Candidate, budget: Budget, quantities: Mapping[str, Quantity]) -> bool:
    """Whether a measured candidate meets every floor and ceiling on ``select`` by its point estimates."""
    if candidate.state != "ok":
        return False
    for constraint in (*budget.keep, *budget.under):
        missed = shortfall(constraint, quantities[constraint.metric], candidate, original)
        if missed is None or missed > 0:
            return False
    return True


def cost(candidate: Candidate, original: Candidate, budget: Budget, quantities: Mapping[str, Quantity]) -> float | None:
    """The minimized quantity as a multiple of the original's: below 1 is better; None if unknown."""
    result = candidate.results.get(budget.minimize)
    if result is None or result.value is None:
        return None
    if result.ratio:
        return 1.0 / result.ratio
    before = original.value(budget.minimize)
    if not before or not result.value:
        return None
    up = quantities[budget.minimize].direction == HIGHER
    return before / result.value if up else result.value / before


def cost_interval(
    candidate: Candidate, budget: Budget, price: float, usual: Mapping[str, float] | None = None
) -> tuple[float, float]:
    """The least and the most that a cost may be, by how its measurements differ; unbounded where it is unsure.

    Args:
        price: what :func:`cost` says.
        usual: what the original usually reads in this run (see ``measure.rounds.usual_of``): beside one that starved,
            a ratio is unsure too.
    """
    result = candidate.results.get(budget.minimize)
    if result is None or result.unsure or doubtful(candidate, budget.minimize, usual or {}):
        return 0.0, float("inf")
    share = max(WORTH, (result.ratio_spread or 0.0) / result.ratio) if result.ratio else WORTH
    return price * max(1.0 - share, 0.0), price * (1.0 + share)


def frontier(points: Iterable[tuple[Candidate, float, float]]) -> list[Candidate]:
    """Candidates that no other beats on cost (lower) and quality (higher), cheapest first.

    Args:
        points: (candidate, cost, quality) of each.
    """
    best = float("-inf")
    kept = []
    for candidate, _, quality in sorted(points, key=lambda p: (p[1], -p[2])):
        if quality > best:
            kept.append(candidate)
            best = quality
    return kept


def hopeless_below(original: float, margin: float, rows: int) -> float:
    """Quality on ``tune`` below which a finished training is hopeless: the estimate is off by three standard errors.

    Args:
        original: accuracy of the original on ``tune``. margin: the largest loss allowed. rows: of ``tune``.
    """
    return original - margin - 3.0 * sqrt(max(original * (1.0 - original), 0.01) / max(rows, 1))
