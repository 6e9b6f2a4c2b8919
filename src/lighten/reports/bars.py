"""Bars: shares by name as plain SVG, the largest first."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from lighten.reports.curves import SIZES, Named, framed
from lighten.reports.markup import Both, esc
from lighten.reports.numbers import share
from lighten.reports.plot import text_width
from lighten.reports.words import LANGS, say

ROW, HEAD, SIZE = 26, 38, 12.5
"""Pixels of a bar and its gap, of the title above them, and of the letters."""


def bars(title: Named, values: Sequence[tuple[Named, float]]) -> Markup:
    """A figure with one bar for each name; nothing without names. values: (name, share)."""
    if not values:
        return Markup("")
    return Markup("").join(Markup(_svg(title, values, width, css)) for width, _, css in SIZES)


def _svg(title: Named, values: Sequence[tuple[Named, float]], width: int, css: str) -> str:
    height = HEAD + ROW * len(values) + 8
    left = 24 + max(text_width(name(lang), SIZE) for name, _ in values for lang in LANGS)
    longest = max(max(value for _, value in values), 1e-9)
    label = Both(lambda lang: say(lang, "bars.label", title=title(lang), n=len(values))).label()
    parts = [f'<text lang="{lang}" class="title" x="10" y="20">{esc(title(lang))}</text>' for lang in LANGS]
    for number, (name, value) in enumerate(values):
        y = HEAD + ROW * number
        long = max((width - left - 60) * value / longest, 1.0)
        at = f'class="name" x="{left - 10:.1f}" y="{y + 14}" text-anchor="end"'
        parts += [f'<text lang="{lang}" {at}>{esc(name(lang))}</text>' for lang in LANGS]
        parts.append(f'<rect class="portion" x="{left:.1f}" y="{y + 2}" width="{long:.1f}" height="16" rx="2"/>')
        parts.append(f'<text class="tick" x="{left + long + 8:.1f}" y="{y + 14}">{esc(share(value))}</text>')
    return framed("".join(parts), label, width, height, css)
