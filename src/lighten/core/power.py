"""Power: what rows of the proof part can prove, said before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

POWER_OF = ("rows", "units", "documents", "group", "group_units", "class", "class_units")
POWER_KINDS = ("difference", "share", "absolute")


@dataclass(frozen=True, slots=True)
class Power:
    """What the proof part can prove, computed before anything was measured.

    Attributes:
        metric: such as ``"accuracy"``.
        n: what is independent and tested: see ``of``.
        margin: the loss that the user allows, or the value that is asked, in the metric's unit.
        provable: the smallest loss that ``n`` of them can be expected to rule out; of a value that is asked, what the
            candidate must show on them. None where that depends on what is not known yet.
        kind: ``"absolute"`` when a value is asked, else ``"difference"``.
        of: what ``n`` counts, one of ``POWER_OF``; of units of unequal size, how many of equal size they are worth.
        which: the group or class that has fewest; empty when all rows count together.
        least: the smallest loss that they could rule out if nothing changed at all.
        enough: the smallest ``n`` that could ever prove the floor, if nothing changed or all were right; None when no
            number could.
    """

    metric: str
    n: int
    margin: float
    provable: float | None
    kind: str = "difference"
    of: str = "rows"
    which: str = ""
    least: float = 0.0
    enough: int | None = 0
