"""The baseline ladder of the page, and what its readers must know about the quantities in it."""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.reports.baselines import ratio_words
from lighten.reports.describe import meters_shown, rung_name, unit_of
from lighten.reports.drawing import bar_svg
from lighten.reports.markup import Both
from lighten.reports.templates import render
from lighten.reports.values import roofline_of
from lighten.reports.words import capital, quantity, say

QUANTITIES = 8
"""That the ladder shows."""


def ladder(summary: Summary) -> Markup:
    """The baseline ladder as a table: value, ratio to the original, and a bar for what is minimized."""
    if not summary.baseline:
        return Markup("")
    columns = [(name, unit_of(summary, name)) for name in meters_shown(summary)[:QUANTITIES]]
    most = max(_gain(summary, rung.key) for rung in summary.baseline)
    rows = []
    for rung in summary.baseline:
        candidate = summary.candidate(rung.key)
        title = Both(partial(rung_name, summary, rung.rung, candidate))
        cells = [_cell(summary, candidate, name, unit, rung.rung, most) for name, unit in columns]
        rows.append({"rung": rung.rung, "title": title, "candidate": candidate, "note": rung.note, "cells": cells})
    by_bytes = any(result.ratio_unit for c in summary.candidates for result in c.results.values())
    notes = {
        "unsure": _unsure(summary),
        "roofline": _roofline(summary),
        "unknown": unknown(summary),
        "by_bytes": by_bytes,
    }
    return render("ladder", columns=columns, rows=rows, **notes)


def unknown(summary: Summary) -> list[tuple[str, Both | None]]:
    """Quantities that nobody could measure, each with why; None where nobody said."""
    found: list[tuple[str, Both | None]] = []
    for name in meters_shown(summary):
        known = [c.results[name] for c in summary.candidates if name in c.results]
        if known and all(result.value is None for result in known):
            reason = known[0].note.removeprefix("unknown: ")
            found.append((name, _unknown(name, reason) if reason else None))
    return found


def _unknown(name: str, reason: str) -> Both:
    return Both(lambda lang: say(lang, "number.unknown_because", quantity=capital(quantity(lang, name)), reason=reason))


def _roofline(summary: Summary) -> Both:
    """What the roofline is; nothing where no share of it is known."""
    shares = [value for found in summary.roofline.values() for value in found.values()]
    keys = [*(["roofline.lead"] if shares else []), *(["roofline.above"] if any(value > 1 for value in shares) else [])]
    return Both(lambda lang: ("" if lang == "zh" else " ").join(say(lang, key) for key in keys))


def _gain(summary: Summary, key: int | None) -> float:
    candidate = summary.candidate(key)
    result = candidate.results.get(summary.budget.minimize) if candidate else None
    return result.ratio or 0.0 if result else 0.0


def _cell(
    summary: Summary, candidate: Candidate | None, name: str, unit: str, rung: str, most: float
) -> dict[str, Any]:
    result = candidate.results.get(name) if candidate else None
    cell: dict[str, Any] = {"name": name, "unit": unit, "result": result, "ratio": None, "roofline": None, "bar": ""}
    if candidate is None or result is None:
        return cell
    times, gain = result.ratio, _gain(summary, candidate.key)
    if times is not None and candidate.key != summary.original:
        cell["ratio"] = Both(lambda lang: ratio_words(result, lang))
        cell["tone"] = " up" if times > 1.05 else " down" if times < 0.95 else ""
    cell["roofline"] = roofline_of(summary, candidate.key, name)
    cell["bar"] = bar_svg(gain / most, rung) if name == summary.budget.minimize and gain > 0 else ""
    return cell


def _unsure(summary: Summary) -> dict[str, list[str]]:
    """Why ratios in the ladder are unsure: quantities by reason."""
    found: dict[str, list[str]] = {}
    for candidate in filter(None, map(summary.candidate, dict.fromkeys(rung.key for rung in summary.baseline))):
        for name, result in candidate.results.items():
            if result.unsure:
                found.setdefault(f"{candidate.name}: {result.note}", []).append(name)
    return found
