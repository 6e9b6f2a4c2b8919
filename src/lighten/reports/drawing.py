"""Small drawings beside numbers: the interval of a verdict, the bar of a ratio."""

from __future__ import annotations

from markupsafe import Markup

from lighten.proof import Verdict
from lighten.reports.markup import Both, esc
from lighten.reports.plot import Axis, text_width
from lighten.reports.told import Told
from lighten.reports.words import LANGS, quantity, say

WIDTH, HEIGHT = 360, 104


def interval_svg(verdict: Verdict, unit: str) -> Markup:
    """The change with its one-sided bounds against none and the loss that is allowed, 360 x 104 pixels.

    More is to the right; what is worse than allowed is shaded, on the left or, where less is better, on the right.
    """
    told = Told.of(verdict, unit)
    base = told.limit if told.absolute else 0.0  # a value by itself is compared with nothing but what was asked
    values = (told.low, told.high, told.limit, base)
    room = 0.12 * (max(values) - min(values)) or 0.01
    axis = Axis(min(values) - room, max(values) + room, 8, WIDTH - 8)
    zero, limit = axis.place(base), axis.place(told.limit)
    left, at, right = axis.place(told.low), axis.place(told.difference), axis.place(told.high)
    shaded, wide = (limit, WIDTH - limit) if told.rises else (0.0, limit)

    def name(lang: str) -> str:
        lower, upper = told.ends(lang)
        metric, margin = quantity(lang, verdict.metric), told.allowed(lang)
        values = {"metric": metric, "difference": told.changed(lang), "lower": lower, "upper": upper, "margin": margin}
        return say(lang, "proof.drawing.level" if told.absolute else "proof.drawing", **values)

    parts = [
        f'<rect class="below" x="{shaded:.1f}" y="22" width="{wide:.1f}" height="50"/>',
        f'<line class="floor" x1="{limit:.1f}" x2="{limit:.1f}" y1="22" y2="72"/>',
        f'<line class="base" x1="{zero:.1f}" x2="{zero:.1f}" y1="22" y2="72"/>',
        f'<line class="base" x1="0" x2="{WIDTH}" y1="72" y2="72"/>',
        f'<line class="span {verdict.state}" x1="{left:.1f}" x2="{max(right, left + 0.1):.1f}" y1="47" y2="47"/>',
        f'<circle class="dot" cx="{at:.1f}" cy="47" r="5.5"/>',
    ]
    for lang in LANGS:
        allowed = f"{say(lang, told.asked if told.absolute else 'proof.allowed')} {told.limited(lang)}"
        below, above = told.ends(lang)
        worse, better, place, other = (above, below, right, left) if told.rises else (below, above, left, right)
        parts += [_text(lang, allowed, limit, 14, "floor-text"), _text(lang, worse, place, 90, "tick")]
        if abs(zero - limit) > (text_width(allowed, 12.5) + 20) / 2 + 10:
            parts.append(_text(lang, "0", zero, 14, "tick"))
        if right - left > (text_width(below, 12.5) + text_width(above, 12.5)) / 2 + 12:
            parts.append(_text(lang, better, other, 90, "tick"))
    head = f'<svg class="figure interval" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
    return Markup(f"{head} {Both(name).label()}>{''.join(parts)}</svg>")


def _text(lang: str, text: str, x: float, y: float, css: str) -> str:
    """A text centred on ``x``, moved inwards where it would leave the drawing."""
    half = text_width(text, 12.5) * 0.55
    inside = min(max(x, half), WIDTH - half)
    return f'<text lang="{lang}" class="{css}" x="{inside:.1f}" y="{y}" text-anchor="middle">{esc(text)}</text>'


def bar_svg(share: float, css: str) -> Markup:
    """A bar that fills ``share`` (0 to 1) of its cell; decoration beside a number that is written out."""
    wide = 100 * min(max(share, 0.0), 1.0)
    bar = f'<rect class="{css}" width="{max(wide, 0.6):.2f}" height="6"/>'
    return Markup(f'<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{bar}</svg>')


def tone(status: str) -> str:
    """Colour of the ground on which the word for a status or a verdict stands."""
    return {
        "winner": "good", "held": "good", "holds": "good", "worse": "bad", "failed": "bad", "below_floor": "bad",
        "over_ceiling": "bad", "not_enough_data": "warn", "stopped": "warn", "running": "warn",
    }.get(status, "calm")  # fmt: skip
