"""Geometry of a plot: axes with ticks, and labels that do not cover each other. Numbers in, numbers out; no markup."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDE = 6.0
"""From this ratio of the largest to the smallest value on, a scale is logarithmic."""
FAR = 10.0
"""What is that many times off, and hopeless besides, does not stretch a scale: it stands at its end."""
PINNED = 26.0
"""Pixels between marks that stand at the end of a scale."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to positions.

    Attributes:
        low, high: values at the two ends.
        start, end: positions of the two ends, in pixels.
        log: whether the scale is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Position of ``value``; values beyond an end are put on that end."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return self.start + (self.end - self.start) * (at - low) / (high - low)

    def ticks(self, about: int) -> list[float]:
        """Round values within the axis, about as many as asked for."""
        if not self.log:
            return linear_ticks(self.low, self.high, about)
        mantissas: Sequence[int]
        found: list[float] = []
        for mantissas in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7)):
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            denser = [m * 10.0**d for d in decades for m in mantissas if self.low <= m * 10.0**d <= self.high]
            if found and len(denser) > about + 1:
                break
            found = denser
        return found if len(found) >= 2 else linear_ticks(self.low, self.high, about)


def linear_ticks(low: float, high: float, about: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between ``low`` and ``high``."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def scale(values: Iterable[float], start: float, end: float) -> Axis:
    """An axis that holds ``values`` with some room at both ends; logarithmic when they span a factor of ``WIDE``."""
    known = list(values)
    low, high = min(known), max(known)
    if low > 0 and high / low >= WIDE:
        room = (high / low) ** 0.08
        return Axis(low / room, high * room, start, end, log=True)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return Axis(low - room if low < 0 or low - room > 0 else 0.0, high + room, start, end)


@dataclass(frozen=True, slots=True)
class Across:
    """An axis for values by key. What is hopeless and far off besides stands at one of its ends, in order.

    Attributes:
        axis: of the others.
        values: of all.
        pinned: keys of what stands at an end: -1 at the low one, 1 at the high one.
        start, end: positions of the two ends, in pixels.
    """

    axis: Axis
    values: Mapping[int, float]
    pinned: Mapping[int, int]
    start: float
    end: float

    @classmethod
    def of(
        cls, values: Mapping[int, float], hopeless: Collection[int], limits: Sequence[float], start: float, end: float
    ) -> Across:
        """limits: what the axis must hold besides the values."""
        kept = [*(value for key, value in values.items() if key not in hopeless), *limits]
        pinned = {key: side for key in hopeless if (side := _beyond(values[key], kept))}
        low, high = (PINNED * list(pinned.values()).count(side) for side in (-1, 1))
        shown = [*(value for key, value in values.items() if key not in pinned), *limits]
        return cls(scale(shown, start + low, end - high), values, pinned, start, end)

    def place(self, key: int) -> float:
        """Position of the value of ``key``."""
        side = self.pinned.get(key)
        if side is None:
            return self.axis.place(self.values[key])
        same = sorted((one for one, at in self.pinned.items() if at == side), key=lambda one: -side * self.values[one])
        return self.end - PINNED * same.index(key) if side > 0 else self.start + PINNED * same.index(key)


def _beyond(value: float, others: Sequence[float]) -> int:
    """-1 or 1 for a value that lies ``FAR`` times below or above all the others, 0 for one of their order."""
    if not others or min(value, *others) <= 0:
        return 0
    return -1 if value * FAR < min(others) else 1 if value > FAR * max(others) else 0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """Where a label goes.

    Attributes:
        x: where its text is anchored, as ``anchor`` (``start``, ``middle``, ``end``) says.
        box: what it covers.
        harm: area of other things that it covers, plus area outside the frame, in square pixels.
    """

    x: float
    anchor: str
    box: Box
    harm: float


def text_width(text: str, size: float) -> float:
    """Estimated width of ``text`` set in a sans-serif of ``size`` pixels."""
    wide = sum(1 for c in text if unicodedata.east_asian_width(c) in "WF")
    return size * (wide + 0.56 * (len(text) - wide))


def place_label(
    at: tuple[float, float],
    width: float,
    height: float,
    frame: Box,
    taken: Sequence[Box],
    gaps: Sequence[float] = (13.0,),
) -> Label:
    """The spot around a mark where a label covers least and stays in ``frame``; ``gaps`` are the distances tried."""
    x, y = at
    best: tuple[float, Label] | None = None
    for gap in gaps:
        for rank, (dx, dy) in enumerate(((0, -1), (1, 0), (-1, 0), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))):
            anchor = ("end", "middle", "start")[dx + 1]
            left = x + dx * gap - width * (0.5 if dx == 0 else 1.0 if dx < 0 else 0.0)
            top = y + dy * gap - height * (0.5 if dy == 0 else 1.0 if dy < 0 else 0.0)
            box = Box(left, top, left + width, top + height)
            harm = 4 * (width * height - box.overlap(frame)) + sum(box.overlap(other) for other in taken)
            anchored = left + width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
            label, cost = Label(anchored, anchor, box, harm), harm + rank + gap
            if best is None or cost < best[0]:
                best = (cost, label)
    assert best is not None
    return best[1]


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Two-sided score interval of a proportion, 95% by default (Wilson 1927)."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
