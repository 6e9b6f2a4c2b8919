"""Outcome: how the bounds of the budget stand in the last measurement, what came nearest, why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BOUND_STATES = ("met", "close", "missed", "unknown")
"""Met; missed by no more than measurements of it differ; missed by more; never measured."""
REASONS = ("time", "engines", "steps", "conversions", "failed", "nothing", "dearer", "unheld")
"""Why no candidate could be named: the time was over before one was tried; engines were refused; steps were left out;
the original cannot be converted; every candidate failed; nothing fits this model; what meets the bounds costs no less
than the original; what meets them on ``select`` is too unlikely to hold."""


@dataclass(frozen=True, slots=True)
class Constant:
    """An answer that needs no model, always the same, which the original is not shown to be better than.

    Attributes:
        answer: the class, choice or text that is right most often.
        metric: accuracy or exact match. part: whose rows both were asked, ``n`` of them.
        share: of rows that the constant answer gets right. original: that the original gets right.
        lower, upper: bounds of the difference, original less constant, each at 95 % on its own.
        state: ``worse`` when the original is shown to be worse, ``not_enough_data`` when it is not shown to be better.
    """

    answer: str
    metric: str
    part: str
    n: int
    share: float
    original: float
    lower: float
    upper: float
    state: str


@dataclass(frozen=True, slots=True)
class Bound:
    """One floor or ceiling of the budget, and what a candidate has of it.

    Attributes:
        metric, unit, direction: of the quantity. text: the bound as the user wrote it.
        kind: ``"floor"`` or ``"ceiling"``.
        value: what the candidate has; None when it is unknown.
        spread: by how much two measurements of the value against its limit differ, in the unit; 0 when it is exact.
        limit: what it must reach or stay under.
        state: one of ``BOUND_STATES``.
    """

    metric: str
    unit: str
    direction: str
    text: str
    kind: str
    value: float | None
    spread: float
    limit: float
    state: str

    @property
    def excess(self) -> float:
        """How far beyond the limit, as a share of it; infinite when the value is unknown."""
        if self.value is None:
            return float("inf")
        return abs(self.value - self.limit) / max(abs(self.limit), 1e-12)

    @property
    def is_close(self) -> bool:
        """Whether value and limit differ by no more than two measurements do: another run may say the opposite."""
        return self.value is not None and self.spread > 0 and abs(self.value - self.limit) <= self.spread


@dataclass(frozen=True, slots=True)
class Nearest:
    """The candidate that came nearest to a budget that nothing met.

    Attributes:
        key: of the candidate.
        missed: the bounds that it misses, the worst first. All others are met, floors on ``select``.
        command: runs again and accepts it; empty where no bound can be loosened for it.
        proved: 1 when its floors are proved, so that nothing but a ceiling is missed; else 0.
    """

    key: int
    missed: tuple[Bound, ...]
    command: str = ""
    proved: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no candidate to name.

    Attributes:
        kind: one of ``REASONS``. values: what its sentence has places for.
    """

    kind: str
    values: Mapping[str, str] = field(default_factory=dict)
