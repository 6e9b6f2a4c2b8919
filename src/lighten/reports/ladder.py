"""The baseline ladder of the page, and what its readers must know about the quantities in it."""

from __future__ import annotations

from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.reports.baselines import ratio_words
from lighten.reports.describe import meters_shown, rung_name, unit_of
from lighten.reports.drawing import bar_svg
from lighten.reports.markup import both, data, said
from lighten.reports.sections import LEAD, NOTE, section
from lighten.reports.values import heading_of, number_cell, result_of, roof_of, table_of, title_of
from lighten.reports.words import capital, quantity, say


def ladder(summary: Summary) -> str:
    """The baseline ladder as a table: value, ratio to the original, and a bar for what is minimized."""
    if not summary.baseline:
        return ""
    names = meters_shown(summary)[:8]
    titles = [heading_of(name, unit_of(summary, name)) for name in names]
    heads = ['<th scope="col"></th>', *(f'<th scope="col" class="num">{title}</th>' for title in titles)]
    gains = [_gain(summary, rung.key) for rung in summary.baseline]
    rows = []
    for rung, gain in zip(summary.baseline, gains, strict=True):
        candidate = summary.candidate(rung.key)
        under = data(candidate.name) if candidate else said("ladder.missing") + f" {data(rung.note)}"
        cells = "".join(_ladder_cell(summary, candidate, name, rung.rung, gain, max(gains)) for name in names)
        title = f'<th scope="row">{_rung(summary, rung.rung, candidate)}<span class="sub">{under}</span></th>'
        rows.append(f'<tr class="{rung.rung}">{title}{cells}</tr>')
    in_bytes = any(result.ratio_unit for c in summary.candidates for result in c.results.values())
    notes = said("ratio.spread", "p", NOTE) + (said("ratio.bytes", "p", NOTE) if in_bytes else "")
    notes += unsure_notes(summary) + _roof_note(summary) + unknown_notes(summary)
    body = f'<div class="card scroll">{table_of(heads, rows)}</div>{notes}'
    return section("ladder", body, said("ladder.lead", "p", LEAD))


def _rung(summary: Summary, rung: str, candidate: Candidate | None) -> str:
    return both(lambda lang: rung_name(summary, rung, candidate, lang))


def _roof_note(summary: Summary) -> str:
    """What the roof is; nothing where no share of it is known."""
    shares = [value for found in summary.roof.values() for value in found.values()]
    keys = [*(["roof.lead"] if shares else []), *(["roof.above"] if any(value > 1 for value in shares) else [])]
    return both(lambda lang: ("" if lang == "zh" else " ").join(say(lang, k) for k in keys), "p", NOTE) if keys else ""


def _gain(summary: Summary, key: int | None) -> float:
    candidate = summary.candidate(key)
    result = candidate.results.get(summary.budget.minimize) if candidate else None
    return result.ratio or 0.0 if result else 0.0


def _ladder_cell(summary: Summary, candidate: Candidate | None, name: str, rung: str, gain: float, most: float) -> str:
    result = candidate.results.get(name) if candidate else None
    unit = unit_of(summary, name)
    heading = heading_of(name, unit)
    if result is None:
        return number_cell(heading, "–")
    value = result_of(result, unit)
    under = ""
    times = result.ratio
    if times is not None and candidate is not None and candidate.key != summary.original:
        tone = " up" if times > 1.05 else " down" if times < 0.95 else ""
        under = f'<span class="sub{tone}">{both(lambda lang: ratio_words(result, lang))}</span>'
    if candidate is not None:
        under += roof_of(summary, candidate.key, name)
    bar = bar_svg(gain / most, rung) if name == summary.budget.minimize and gain > 0 else ""
    return number_cell(heading, f"{value}{under}{bar}")


def unknown_notes(summary: Summary) -> str:
    """Why quantities that nobody could measure are unknown, one line each."""
    lines = []
    for name in meters_shown(summary):
        known = [c.results[name] for c in summary.candidates if name in c.results]
        if known and all(result.value is None for result in known):
            lines.append(_unknown(name, known[0].note.removeprefix("unknown: ")))
    return "".join(lines)


def unsure_notes(summary: Summary) -> str:
    """Why ratios in the ladder are unsure, one line for each reason."""
    found: dict[str, list[str]] = {}
    for candidate in filter(None, map(summary.candidate, dict.fromkeys(rung.key for rung in summary.baseline))):
        for name, result in candidate.results.items():
            if result.unsure:
                found.setdefault(f"{candidate.name}: {result.note}", []).append(name)
    lines = []
    for reason, names in found.items():
        quantities = ", ".join(map(title_of, names))
        lines.append(f'<p class="note">{quantities}{said("page.colon")}{data(reason)}</p>')
    return "".join(lines)


def _unknown(name: str, reason: str) -> str:
    if not reason:
        return f'<p class="note">{title_of(name)}{said("page.colon")}{said("number.unknown")}</p>'

    def text(lang: str) -> str:
        return say(lang, "number.unknown_because", quantity=capital(quantity(lang, name)), reason=reason)

    return both(text, "p", NOTE)
