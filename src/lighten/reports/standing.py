"""Where each candidate stands: which bounds it misses, what its tests said, who beats it. No text, only facts."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.core.budget import Constraint
from lighten.core.result import HIGHER, Candidate, Result
from lighten.core.summary import Summary
from lighten.proof import Verdict

STATUSES = (
    "winner", "held", "untested", "original", "beaten", "not_enough_data", "worse", "below_floor", "over_ceiling",
    "stopped", "failed", "running",
)  # fmt: skip
"""What became of a candidate, from the best outcome to the worst; the order in which tables sort them."""

SLACK = 1e-9
"""Relative slack when a value is compared with its bound, so that rounding never decides."""


@dataclass(frozen=True, slots=True)
class Miss:
    """One bound that a candidate does not meet on ``select``.

    Attributes:
        metric, unit, direction: of the quantity.
        floor: whether it is a quality floor (``--keep``), not a ceiling (``--under``).
        value: what the candidate has; None when it could not be measured.
        limit: what it needed.
    """

    metric: str
    unit: str
    direction: str
    floor: bool
    value: float | None
    limit: float

    @property
    def excess(self) -> float:
        """How far beyond the limit, in shares of the limit; infinite when the value is unknown."""
        if self.value is None:
            return float("inf")
        return abs(self.value - self.limit) / max(abs(self.limit), 1e-12)


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of one candidate.

    Attributes:
        status: one of ``STATUSES``.
        misses: bounds it does not meet on ``select``.
        verdicts: what the proof said; empty when it was not tested.
        beaten_by: a candidate that is cheaper and at least as good; None when there is none.
    """

    status: str
    misses: tuple[Miss, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    beaten_by: Candidate | None = None


QUALITIES = ("accuracy", "bits_per_byte", "exact_match")
"""What the figure shows where no floor was asked for: the first that was measured."""


def quality_metric(summary: Summary) -> str:
    """The quality that the figure shows: the first floor's."""
    if summary.budget.keep:
        return summary.budget.keep[0].metric
    return next((name for name in QUALITIES if example(summary, name) is not None), QUALITIES[0])


def example(summary: Summary, metric: str) -> Result | None:
    """Any result of a quantity, for its unit and direction; the original's when it has one."""
    first = summary.candidate(summary.original)
    ordered = [*([first] if first else []), *summary.candidates]
    return next((c.results[metric] for c in ordered if metric in c.results), None)


def limit_of(summary: Summary, bound: Constraint) -> float | None:
    """The value that candidates must reach; None when it is relative and the original has no value."""
    original = summary.candidate(summary.original)
    result = original.results.get(bound.metric) if original else None
    if result is not None and result.value is not None:
        return bound.limit(result.value, result.direction)
    return None if bound.relative else bound.bound


def misses(summary: Summary, candidate: Candidate) -> tuple[Miss, ...]:
    """Every bound of the budget that the candidate does not meet on ``select``. One never measured counts as met."""
    found = []
    for floor, bounds in ((True, summary.budget.keep), (False, summary.budget.under)):
        for bound in bounds:
            result, limit = candidate.results.get(bound.metric), limit_of(summary, bound)
            if result is None or limit is None:
                continue
            value, original = result.value, summary.candidate(summary.original)
            if bound.relative == "ratio" and original is not None:
                value = candidate.value_beside(bound.metric, original)
            slack = SLACK * max(1.0, abs(limit))
            short = value is None or (value < limit - slack if result.direction == HIGHER else value > limit + slack)
            if short:
                found.append(Miss(bound.metric, result.unit, result.direction, floor, value, limit))
    return tuple(found)


def standing(summary: Summary, candidate: Candidate) -> Standing:
    """What became of ``candidate``."""
    test = next((t for t in summary.tested if t.key == candidate.key), None)
    verdicts = tuple(Verdict.from_json(v) for v in test.verdicts) if test else ()
    missed = misses(summary, candidate) if candidate.state == "ok" else ()
    rival = beaten_by(summary, candidate) if candidate.state == "ok" else None
    return Standing(_status(summary, candidate, missed, verdicts, rival), missed, verdicts, rival)


def _status(
    summary: Summary,
    candidate: Candidate,
    missed: tuple[Miss, ...],
    verdicts: tuple[Verdict, ...],
    rival: Candidate | None,
) -> str:
    if summary.winner is not None and candidate.key == summary.winner.key:
        return "winner"
    if candidate.state != "ok":
        return candidate.state
    if candidate.key == summary.original:
        return "original"
    unproved = next((v.state for v in verdicts if not v.holds), None)
    if unproved:
        return unproved
    if missed:
        return "below_floor" if any(miss.floor for miss in missed) else "over_ceiling"
    if verdicts:
        return "held"
    return "beaten" if rival is not None and candidate.key not in summary.frontier else "untested"


def beaten_by(summary: Summary, candidate: Candidate) -> Candidate | None:
    """The cheapest candidate that is at least as good and as cheap, better in one, and meets what this one meets."""
    metric, cost = quality_metric(summary), summary.budget.minimize
    mine = _pair(candidate, metric, cost)
    if mine is None:
        return None
    rivals = []
    for other in summary.candidates:
        theirs = _pair(other, metric, cost) if other.state == "ok" else None
        as_good = theirs is not None and all(t >= m for t, m in zip(theirs, mine, strict=True)) and theirs != mine
        if theirs is not None and as_good and len(misses(summary, other)) <= len(misses(summary, candidate)):
            rivals.append((theirs[1], other))
    return max(rivals, key=lambda pair: pair[0])[1] if rivals else None


def _pair(candidate: Candidate, metric: str, cost: str) -> tuple[float, float] | None:
    """Quality and cheapness, both turned so that more is better; None when either is unknown."""
    turned = []
    for name in (metric, cost):
        result = candidate.results.get(name)
        if result is None or result.value is None:
            return None
        turned.append(result.value if result.direction == HIGHER else -result.value)
    return turned[0], turned[1]


def nearest_misses(summary: Summary, most: int = 3) -> tuple[tuple[Candidate, Standing], ...]:
    """Candidates that came nearest to the budget: what the proof tested, what misses no floor, then by how far.

    A floor counts as a multiple of the loss that is allowed, a ceiling as a share of it.
    """
    found = []
    for candidate in summary.candidates:
        if candidate.state != "ok" or candidate.key == summary.original:
            continue
        place = standing(summary, candidate)
        if place.misses or any(not verdict.holds for verdict in place.verdicts):
            worst = max((_distance(summary, miss) for miss in place.misses), default=0.0)
            floors = any(miss.floor for miss in place.misses)
            found.append(((floors, len(place.misses), worst), candidate, place))
    found.sort(key=lambda entry: entry[0])
    return tuple((candidate, place) for _, candidate, place in found[:most])


def _distance(summary: Summary, miss: Miss) -> float:
    """How far a bound is missed, comparably between floors and ceilings."""
    first = summary.candidate(summary.original)
    before = first.value(miss.metric) if first is not None else None
    if not miss.floor or miss.value is None or before is None:
        return miss.excess
    allowed = abs(before - miss.limit)
    return abs(miss.value - miss.limit) / allowed if allowed else miss.excess
