"""Curves of a training as plain SVG: what was measured against the passes over the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lighten.reports.markup import Both, esc
from lighten.reports.plot import Axis, text_width
from lighten.reports.words import LANGS, say

Named = Callable[[str], str]
"""A text by language."""
SIZES = ((960, 280, "wide"), (420, 260, "narrow"))
"""Width, height and class of each picture; the page shows the one that fits."""
MOST = 400
"""Points of a line at the most."""


@dataclass(frozen=True)
class Line:
    """One line: points [(passes, value)], its class in the style sheet, its name where there are several.

    Attributes:
        dots: whether each point is marked. joined: whether a line goes through them; stairs: level until the next one.
    """

    points: Sequence[tuple[float, float]]
    css: str
    name: Named | None = None
    dots: bool = False
    joined: bool = True
    stairs: bool = False


def curve(
    title: Named, lines: Sequence[Line], *, share: bool = False, across: str = "curves.passes", whole: bool = False
) -> Markup:
    """A figure with one axis for all lines; nothing when no line has two points or a dot.

    Args:
        share: values are shares, written as per cent. across: key of the text below the figure. whole: what is counted
            there has no halves, and begins with one.
    """
    known = [line for line in lines if len(line.points) > 1 or (line.dots and line.points)]
    if not known:
        return Markup("")
    return Markup("").join(Markup(_Drawing(title, known, share, across, whole, *size).svg()) for size in SIZES)


def tick(value: float) -> str:
    """A value on a scale, in few characters: ``0.25``, ``5e-5``."""
    if 0 < abs(value) < 1e-3:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.4g}"


def framed(body: str, label: str, width: int, height: int, css: str) -> str:
    """A figure of a page: what is drawn, on paper. label: attribute that names it to those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="figure {css}" role="img" {label} '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<rect class="paper" width="100%" height="100%"/>{body}</svg>'
    )


class _Drawing:
    def __init__(
        self, title: Named, lines: Sequence[Line], share: bool, across: str, whole: bool, width: int, height: int,
        css: str,
    ) -> None:  # fmt: skip
        self.title, self.lines, self.share, self.below = title, lines, share, across
        self.width, self.height, self.css, self.whole = width, height, css, whole
        values = [value for line in lines for _, value in line.points]
        passes = max(at for line in lines for at, _ in line.points) or 1.0
        self.across = Axis(0.0, passes, 58.0, width - 18.0)
        self.up = _linear(values, height - 42.0, 38.0)

    def svg(self) -> str:
        many = sum(len(line.points) for line in self.lines)
        label = Both(lambda lang: say(lang, "curves.label", title=self.title(lang), n=many)).label()
        parts = [self._text(self.title, 10, 20, "title"), self._legend(), self._grid(), *map(self._line, self.lines)]
        return framed("".join(parts), label, self.width, self.height, self.css)

    def _grid(self) -> str:
        parts, left, right = [], self.across.start, self.across.end
        for value in self.up.ticks(5):
            y = self.up.place(value)
            text = f"{100 * value:.4g}%" if self.share else tick(value)
            parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{esc(text)}</text>')
        bottom = self.up.start
        for value in self._ticks_across():
            x = self.across.place(value)
            parts.append(f'<line class="base" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>')
            text = f"{value:.4g}"
            parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{esc(text)}</text>')
        parts.append(f'<line class="base" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        parts.append(self._text(lambda lang: say(lang, self.below), right, bottom + 36, "hint", "end"))
        return "".join(parts)

    def _ticks_across(self) -> list[float]:
        found = self.across.ticks(5 if self.css == "narrow" else 8)
        return [value for value in found if not self.whole or (value >= 1 and value == int(value))]

    def _line(self, line: Line) -> str:
        step = max(len(line.points) // MOST, 1)
        places = [(self.across.place(at), self.up.place(value)) for at, value in line.points[::step]]
        first, *others = places
        steps = (f"H{x:.1f}V{y:.1f}" if line.stairs else f"L{x:.1f} {y:.1f}" for x, y in others)
        drawn = f"M{first[0]:.1f} {first[1]:.1f}" + "".join(steps) if places else ""
        path = f'<path d="{drawn}"/>' if line.joined else ""
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places) if line.dots else ""
        return f'<g class="line {line.css}">{path}{dots}</g>'

    def _legend(self) -> str:
        if not any(line.name for line in self.lines):
            return ""
        parts = []
        for lang in LANGS:
            x, row = self.across.end, []
            for line in reversed(self.lines):
                text = line.name(lang) if line.name else ""
                x -= text_width(text, 12.5)
                row.append(f'<text class="hint" x="{x:.1f}" y="20">{esc(text)}</text>')
                drawn = (
                    f'<path d="M{x - 26:.1f} 16h18"/>'
                    if line.joined
                    else f'<circle cx="{x - 12:.1f}" cy="16" r="3.5"/>'
                )
                row.append(f'<g class="line {line.css}">{drawn}</g>')
                x -= 44
            parts.append(f'<g lang="{lang}" aria-hidden="true">{"".join(row)}</g>')
        return "".join(parts)

    def _text(self, make: Named, x: float, y: float, css: str, anchor: str = "start") -> str:
        at = f'class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        return "".join(f'<text lang="{lang}" {at}>{esc(make(lang))}</text>' for lang in LANGS)


def _linear(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis that holds values with some room; from 0 where they come near it."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return Axis(0.0 if 0 <= low <= 0.25 * high else low - room, high + room, start, end)
