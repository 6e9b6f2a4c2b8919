"""Numbers as people read them: with unit, few digits, and bounds rounded to the cautious side."""

from __future__ import annotations

import math

from lighten.reports.words import WORDS, say

MINUS = "\u2212"
SPACE = "\u00a0"
SHARE = "share"
"""Unit of a change that is said in per cent of something; a ``fraction`` changes by points."""
DIGITS = {"bits/byte": 4}
"""Significant digits by unit, where three would hide what matters."""


def number(value: float, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits, thousands separated, never in exponent form."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - math.floor(math.log10(abs(rounded)))
    text = f"{rounded:,.{max(0, min(places, 12))}f}"
    return text.replace("-", MINUS)


def count(value: int) -> str:
    """A whole number, thousands separated."""
    return f"{value:,}"


def amount(lang: str, value: float | None, unit: str, *, bare: bool = False) -> str:
    """A value with its unit; a fraction as per cent with two decimals; None as unknown. bare: without the unit."""
    if value is None:
        return say(lang, "number.unknown")
    if unit == "fraction":
        return f"{100 * value:.2f}%".replace("-", MINUS)
    name, text = "" if bare else unit_name(lang, unit), number(value, DIGITS.get(unit, 3))
    return f"{text}{SPACE}{name}" if name else text


def unit_name(lang: str, unit: str) -> str:
    """A unit as it is written in ``lang``."""
    key = f"unit.{unit}"
    return say(lang, key) if key in WORDS else unit


def bound(lang: str, value: float, unit: str, *, bare: bool = False) -> str:
    """A limit that somebody chose: as :func:`amount`, without trailing zeros."""
    head, dot, tail = amount(lang, value, unit, bare=bare).partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    kept = digits.rstrip("0")
    return head + (dot if kept else "") + kept + tail[len(digits) :]


def level(lang: str, value: float, unit: str, toward: str = "") -> str:
    """A value that is proved or asked: as :func:`bound`, rounded to the cautious side.

    Args:
        toward: ``"down"`` for what is at least that much, ``"up"`` for what is at most that much.
    """
    if toward and value:
        digits = DIGITS.get(unit, 3)
        steps = 1e4 if unit == "fraction" else 10.0 ** (digits - 1 - math.floor(math.log10(abs(value))))
        turn = math.floor if toward == "down" else math.ceil
        value = turn(round(steps * value, 6)) / steps
    return bound(lang, value, unit)


def share(value: float) -> str:
    """A proportion as per cent without needless decimals: ``14%``, ``0.6%``."""
    percent = 100 * value
    return f"{percent:.0f}%" if percent >= 1 else f"{number(percent, 1)}%"


def times(ratio: float, spread: float | None = None) -> str:
    """A ratio without its sign: ``7.1``, ``0.83``, ``1.04``, ``128``; with its spread: ``7.1 ± 0.3``."""
    text = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"
    return text + plus_minus(spread, len(text.partition(".")[2]))


def ratio(value: float, spread: float | None = None) -> str:
    """A ratio: ``7.1×``; with its spread: ``7.1× ± 0.3``."""
    text = times(value)
    return f"{text}×{plus_minus(spread, len(text.partition('.')[2]))}"


def plus_minus(spread: float | None, places: int) -> str:
    """The spread of a ratio behind it, with as many decimals as the ratio has; nothing where there is none."""
    if not spread:
        return ""
    text = f"{spread:,.{places}f}"
    return f"{SPACE}±{SPACE}{text if float(text.replace(',', '')) else number(spread, 1)}"


def change(lang: str, difference: float, unit: str, toward: str = "") -> str:
    """A signed difference; a fraction in percentage points: ``−0.40 pt``; a share in per cent.

    Args:
        toward: ``"down"`` or ``"up"`` for a lower or upper bound in points or per cent, so that rounding never
            narrows it.
    """
    if unit in ("fraction", SHARE) and toward:
        turn = math.floor if toward == "down" else math.ceil
        difference = turn(round(1e4 * difference, 6)) / 1e4
    sign = MINUS if difference < 0 else "+" if difference > 0 else "±"
    if unit == "fraction":
        return say(lang, "number.pt", value=f"{sign}{abs(100 * difference):.2f}").replace(" ", SPACE)
    if unit == SHARE:
        return f"{sign}{abs(100 * difference):.2f}%"
    return f"{sign}{amount(lang, abs(difference), unit)}"


def loss(lang: str, size: float, unit: str, *, up: bool = False) -> str:
    """A loss in words, such as ``0.58 points``; a bound is rounded up, so that it never promises too much."""
    if unit not in ("fraction", SHARE):
        return amount(lang, size, unit)
    hundredths = math.ceil(round(1e4 * size, 6)) if up else round(1e4 * size)
    text = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".").replace("-", MINUS)
    if unit == SHARE:
        return f"{text}%"
    return say(lang, "number.point" if text.strip(MINUS) == "1" else "number.points", value=text).replace(" ", SPACE)


def duration(lang: str, seconds: float) -> str:
    """``8.2 s``, ``6 min 53 s``, ``1 h 2 min``."""
    if seconds < 60:
        return say(lang, "number.seconds", value=number(seconds, 2)).replace(" ", SPACE)
    whole = round(seconds)
    if whole < 3600:
        text = say(lang, "number.minutes", minutes=whole // 60, seconds=whole % 60)
    else:
        text = say(lang, "number.hours", hours=whole // 3600, minutes=whole % 3600 // 60)
    return text.replace(" ", SPACE)
