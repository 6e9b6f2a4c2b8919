"""A verdict's numbers as they are said: in the metric's own direction, bits per byte in per cent of the original's."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.core.result import HIGHER
from lighten.proof import Verdict
from lighten.reports.numbers import SHARE, change, loss

RELATIVE = frozenset({"bits/byte"})
"""Units that mean little by themselves: their differences are said in per cent of what the original has."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict in the unit that people compare.

    Attributes:
        unit: of all the numbers.
        rises: whether more is worse.
        difference, low, high: how the metric changed and its one-sided bounds, above 0 when it rose, whether that is
            better or worse.
        limit: the change up to which a loss is allowed, signed likewise.
        worst: the largest loss that is not ruled out; below 0 when a gain is certain.
        margin: the loss that is allowed; below 0 when a gain is asked.
    """

    unit: str
    rises: bool
    difference: float
    low: float
    high: float
    limit: float
    worst: float
    margin: float

    @classmethod
    def of(cls, verdict: Verdict, unit: str) -> Told:
        """unit: of the metric."""
        relative = unit in RELATIVE and verdict.original > 0
        whole = verdict.original if relative else 1.0
        sign = 1.0 if verdict.direction == HIGHER else -1.0
        low, high = sorted((sign * verdict.lower / whole, sign * verdict.upper / whole))
        return cls(
            SHARE if relative else unit,
            sign < 0,
            sign * verdict.difference / whole,
            low,
            high,
            -sign * verdict.margin / whole,
            -verdict.lower / whole,
            verdict.margin / whole,
        )

    def changed(self, lang: str) -> str:
        """The difference, signed."""
        return change(lang, self.difference, self.unit)

    def ends(self, lang: str) -> tuple[str, str]:
        """The two bounds, signed, each rounded outwards."""
        return change(lang, self.low, self.unit, "down"), change(lang, self.high, self.unit, "up")

    def bound(self, lang: str) -> str:
        """The bound on the side of loss, signed."""
        return self.ends(lang)[self.rises]

    def limited(self, lang: str) -> str:
        """The change that is allowed, signed."""
        return change(lang, self.limit, self.unit)

    def allowed(self, lang: str) -> str:
        """Size of the loss that is allowed, or of the gain that is asked."""
        return loss(lang, abs(self.margin), self.unit)
