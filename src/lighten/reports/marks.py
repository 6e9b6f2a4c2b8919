"""The marks of the frontier: which candidates it shows, of what kind, and the shape of each kind."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.core.result import Result
from lighten.core.summary import Summary
from lighten.reports.plot import wilson
from lighten.reports.standing import quality_metric, standing

MARKS = ("missed", "beaten", "frontier", "stock", "original", "winner")
"""Kinds of marks, in the order they are drawn; the last lies on top."""
SHARES = frozenset({"accuracy", "worst_group", "flips", "exact_match", "answer_flips"})
"""Qualities that are a share of n rows, so that the score interval of a proportion applies."""


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate in the figure.

    Attributes:
        interval: of the quality, two-sided; None when unknown.
        unit: of its cost.
        kinds: of ``MARKS``: what it is, and ``missed`` after ``stock`` for stock that misses the budget.
    """

    key: int
    name: str
    cost: float
    quality: float
    interval: tuple[float, float] | None
    kinds: tuple[str, ...]
    unit: str = ""


def points(summary: Summary) -> tuple[Point, ...]:
    """Every candidate that has both numbers, in the order they are drawn."""
    metric, cost = quality_metric(summary), summary.budget.minimize
    found = []
    for candidate in summary.candidates:
        good, cheap = candidate.results.get(metric), candidate.results.get(cost)
        if candidate.state != "ok" or good is None or cheap is None or good.value is None or cheap.value is None:
            continue
        status = standing(summary, candidate).status
        missed = status in ("below_floor", "over_ceiling", "worse", "not_enough_data")
        if status == "winner" or candidate.key == summary.original:
            kinds: tuple[str, ...] = ("winner" if status == "winner" else "original",)
        elif candidate.role == "stock":
            kinds = ("stock", "missed") if missed else ("stock",)
        else:
            kinds = ("missed" if missed else "frontier" if candidate.key in summary.frontier else "beaten",)
        spread = interval(good)
        found.append(Point(candidate.key, candidate.name, cheap.value, good.value, spread, kinds, cheap.unit))
    return tuple(sorted(found, key=lambda p: (MARKS.index(p.kinds[0]), p.cost)))


def interval(result: Result) -> tuple[float, float] | None:
    """Two-sided 95% interval of a quality; None when its kind has none."""
    if result.value is None or result.meter not in SHARES or result.n < 1 or not 0 <= result.value <= 1:
        return None
    return wilson(result.value, result.n)


def shape(kind: str, x: float, y: float) -> str:
    """The mark of one kind, centred on a position: told apart by its form, not by its colour alone."""
    if kind == "original":
        return f'<rect class="mark" x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12"/>'
    if kind == "stock":
        return f'<path class="mark" d="M{x:.1f} {y - 8:.1f}l8 8 -8 8 -8 -8z"/>'
    if kind == "missed":
        return f'<path class="mark" d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"/>'
    circle = f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{ {"winner": 7, "frontier": 6}.get(kind, 4.5) }"/>'
    return f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="10"/>{circle}' if kind == "winner" else circle
