"""A verdict's numbers as they are said: in the metric's own direction, shares of the original's in per cent of it."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.core.result import HIGHER
from lighten.proof import Verdict
from lighten.reports.numbers import SHARE, change, level, loss

RELATIVE = frozenset({"bits/byte"})
"""Units that mean little by themselves: their differences are said in per cent of what the original has."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict in the unit that people compare.

    Attributes:
        unit: of all the numbers.
        rises: whether more is worse.
        difference, low, high: how the metric changed and its one-sided bounds, above 0 when it rose, whether that is
            better or worse. Of an absolute floor: the value itself and its bounds.
        limit: the change up to which a loss is allowed, signed likewise; or the absolute floor.
        worst: the largest loss that is not ruled out; below 0 when a gain is certain.
        margin: the loss that is allowed.
        absolute: whether a value by itself was asked.
    """

    unit: str
    rises: bool
    difference: float
    low: float
    high: float
    limit: float
    worst: float
    margin: float
    absolute: bool = False

    @classmethod
    def of(cls, verdict: Verdict, unit: str) -> Told:
        """unit: of the metric."""
        sign = 1.0 if verdict.direction == HIGHER else -1.0
        if verdict.floor is not None:
            low, high = sorted((verdict.floor + sign * verdict.lower, verdict.floor + sign * verdict.upper))
            limit = verdict.floor
            return cls(unit, sign < 0, verdict.candidate, low, high, limit, -verdict.lower, verdict.margin, True)
        relative = (unit in RELATIVE or verdict.kind == "share") and verdict.original > 0
        whole = verdict.original if relative else 1.0
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
        """The difference, signed; or the value."""
        return level(lang, self.difference, self.unit) if self.absolute else change(lang, self.difference, self.unit)

    def ends(self, lang: str) -> tuple[str, str]:
        """The two bounds, signed, each rounded outwards; or those of the value."""
        if self.absolute:
            return level(lang, self.low, self.unit, "down"), level(lang, self.high, self.unit, "up")
        return change(lang, self.low, self.unit, "down"), change(lang, self.high, self.unit, "up")

    def bound(self, lang: str) -> str:
        """The bound on the side of loss."""
        return self.ends(lang)[self.rises]

    def limited(self, lang: str) -> str:
        """The change that is allowed, signed; or the value that is asked."""
        return level(lang, self.limit, self.unit) if self.absolute else change(lang, self.limit, self.unit)

    def allowed(self, lang: str) -> str:
        """Size of the loss that is allowed; or the value that is asked."""
        return self.limited(lang) if self.absolute else loss(lang, self.margin, self.unit)

    @property
    def asked(self) -> str:
        """Key of what :meth:`allowed` is called: an allowed loss, or what was asked for."""
        return "proof.asked" if self.absolute else "proof.margin"

    @property
    def measured(self) -> str:
        """Key of what :meth:`changed` is called: a difference, or a value."""
        return "proof.value" if self.absolute else "proof.difference"
