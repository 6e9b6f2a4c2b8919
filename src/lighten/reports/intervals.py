"""Intervals: values with their bounds as plain SVG, one below the other, on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lighten.reports.curves import SIZES, Named, framed
from lighten.reports.markup import Both, esc
from lighten.reports.plot import Axis, linear_ticks, text_width
from lighten.reports.words import LANGS, say

ROW, HEAD, FOOT, SIZE = 44, 34, 30, 12.5
"""Pixels of a row, of the title above them, of the ticks below them, and of the letters."""
LEFT, RIGHT = 18.0, 30.0
"""Pixels beside the scale."""
ROOM = 0.06
"""Of the scale, beyond the outermost bound."""


@dataclass(frozen=True)
class Interval:
    """One row: its name by language, its value, and bounds where they are known. strong: whether it stands out."""

    name: Named
    value: float
    lower: float | None = None
    upper: float | None = None
    strong: bool = False


def intervals(title: Named, rows: Sequence[Interval], shown: Callable[[float], str]) -> Markup:
    """A figure with a row for each value; nothing where there are fewer than two. shown: a value on the scale."""
    if len(rows) < 2:
        return Markup("")
    return Markup("").join(Markup(_svg(title, rows, shown, width, css)) for width, _, css in SIZES)


def _svg(title: Named, rows: Sequence[Interval], shown: Callable[[float], str], width: int, css: str) -> str:
    height = HEAD + ROW * len(rows) + FOOT
    ends = [end for row in rows for end in (row.value, row.lower, row.upper) if end is not None]
    room = ROOM * (max(ends) - min(ends)) or 0.1 * abs(ends[0]) or 1.0
    axis = Axis(min(ends) - room, max(ends) + room, LEFT, width - RIGHT)
    label = Both(lambda lang: say(lang, "intervals.label", title=title(lang), n=len(rows))).label()
    parts = [f'<text lang="{lang}" class="title" x="10" y="20">{esc(title(lang))}</text>' for lang in LANGS]
    bottom = height - FOOT
    for tick in linear_ticks(axis.low, axis.high, 4 if css == "narrow" else 8):
        x = axis.place(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{esc(shown(tick))}</text>')
    for number, row in enumerate(rows):
        y = HEAD + ROW * number
        at = f'class="name{" strong" if row.strong else ""}" x="{LEFT}" y="{y + 16}"'
        parts += [
            f'<text lang="{lang}" {at}>{esc(_cut(row.name(lang), width - LEFT - RIGHT))}</text>' for lang in LANGS
        ]
        middle, css_class = y + 30, "line judged" if row.strong else "line learned"
        span = ""
        if row.lower is not None and row.upper is not None:
            low, high = axis.place(row.lower), axis.place(row.upper)
            span = f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"/>'
        dot = f'<circle cx="{axis.place(row.value):.1f}" cy="{middle}" r="4.5"/>'
        parts.append(f'<g class="{css_class}">{span}{dot}</g>')
    return framed("".join(parts), label, width, height, css)


def _cut(text: str, most: float) -> str:
    """A text that is not wider than ``most`` pixels; of a longer one the end, which tells paths apart."""
    if text_width(text, SIZE) <= most:
        return text
    while text and text_width(f"…{text}", SIZE) > most:
        text = text[1:]
    return f"…{text}"
