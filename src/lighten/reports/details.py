"""The second half of the page: every candidate, lineage, data, environment, how to reproduce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.reports.coverage import coverage_items
from lighten.reports.describe import environment_fact, meters_shown, unit_of
from lighten.reports.drawing import badge
from lighten.reports.ladder import unknown_notes
from lighten.reports.markup import both, data, esc, label, said
from lighten.reports.numbers import count
from lighten.reports.recipes import recipe_text, step_text, step_words
from lighten.reports.sections import LEAD, section
from lighten.reports.standing import STATUSES, standing
from lighten.reports.values import heading_of, number_cell, reason_of, result_of, table_of, time_of
from lighten.reports.words import LANGS, WORDS, say

COLUMNS = 6
"""Quantities in the table of candidates."""


def candidates(summary: Summary) -> str:
    """Every candidate in a table that sorts and filters, with what became of it and why."""
    if not summary.candidates:
        return ""
    places = [(candidate, standing(summary, candidate)) for candidate in summary.candidates]
    statuses = Counter(place.status for _, place in places)
    names = _columns(summary)
    heads = [_head("column.name", "text"), _head("column.status", "number")]
    heads += [_head_of(summary, name) for name in names]
    rows = []
    for candidate, place in places:
        reason = reason_of(summary, candidate, place, "p")
        rank = STATUSES.index(place.status)
        recipe = esc(recipe_text(candidate.recipe)) or said("recipe.none")
        cells = [
            f'<th scope="row" class="name" data-value="{esc(candidate.name)}">{data(candidate.name)}'
            f'<span class="sub mono">{recipe}</span></th>',
            f'<td class="why" data-value="{rank}">{badge("status", place.status)}{reason}</td>',
            *(_number(summary, candidate, name) for name in names),
        ]
        text = " ".join([candidate.name, recipe_text(candidate.recipe), candidate.engine, candidate.reason])
        text += "".join(f" {say(lang, f'status.{place.status}')}" for lang in LANGS)
        about = (
            f'id="row-{candidate.key}" data-key="{candidate.key}" data-status="{place.status}" data-text="{esc(text)}"'
        )
        rows.append(f'<tr tabindex="-1" {about}>{"".join(cells)}</tr>')
    chips = [f'<button type="button" data-status="all" aria-pressed="true">{said("candidates.all")}</button>']
    for status in STATUSES:
        if statuses[status]:
            text = f"{said(f'status.{status}')} {statuses[status]}"
            chips.append(f'<button type="button" data-status="{status}" aria-pressed="false">{text}</button>')
    shown = f'<span class="count" role="status"><span id="shown">{len(rows)}</span> {said("candidates.shown")}</span>'
    controls = f'<div class="controls">{_filter()}{shown}<div class="chips">{"".join(chips)}</div></div>'
    table = table_of(heads, rows, "candidates stack")
    measured = sum(candidate.state == "ok" for candidate in summary.candidates)
    lost = sum(candidate.state in ("failed", "stopped") for candidate in summary.candidates)
    lead = said("candidates.lead", "p", LEAD, n=len(rows), ok=measured, failed=lost)
    body = f'<div class="card">{controls}<div class="scroll">{table}</div></div>{unknown_notes(summary)}'
    return section("candidates", body, lead)


def _filter() -> str:
    hints = {lang: esc(say(lang, "candidates.filter")) for lang in LANGS}
    hint = f'placeholder="{hints["en"]}" data-hint-en="{hints["en"]}" data-hint-zh="{hints["zh"]}"'
    name = label(lambda lang: say(lang, "candidates.filter"))
    return f'<input id="filter" type="search" autocomplete="off" {hint} {name}>'


def _columns(summary: Summary) -> Sequence[str]:
    """Quantities that some candidate has, those of the budget first."""
    known = [n for n in meters_shown(summary) if any(c.value(n) is not None for c in summary.candidates)]
    asked = [bound.metric for bound in summary.budget.under]
    first = known[:2]
    return list(dict.fromkeys([*first, *(n for n in asked if n in known), *known]))[:COLUMNS]


def _head(key: str, kind: str) -> str:
    return f'<th scope="col" data-kind="{kind}"><button type="button">{said(key)}</button></th>'


def _head_of(summary: Summary, name: str) -> str:
    text = heading_of(name, unit_of(summary, name))
    return f'<th scope="col" class="num" data-kind="number"><button type="button">{text}</button></th>'


def _number(summary: Summary, candidate: Candidate, name: str) -> str:
    result = candidate.results.get(name)
    value = "" if result is None or result.value is None else repr(float(result.value))
    unit = unit_of(summary, name)
    return number_cell(
        heading_of(name, unit), result_of(result, unit) if result else "–", value, "num" if result else "num none"
    )


def lineage(summary: Summary) -> str:
    """Every artifact from the original to the winner: step, format, time and content hash."""
    if not summary.lineage:
        return ""
    rows = []
    for link in summary.lineage:
        step = _step(summary, link.step) if link.step else said("lineage.brought")
        cells = {
            "time": time_of(link.seconds) if link.seconds else "–",
            "id": f'<code title="{esc(link.id)}">{esc(link.id[:12])}</code>',
        }
        numbers = "".join(number_cell(said(f"lineage.{key}"), value) for key, value in cells.items())
        form = number_cell(said("lineage.format"), data(link.format), css="num text")
        rows.append(f'<tr><th scope="row">{step}</th>{form}{numbers}</tr>')
    keys = ("time", "id")
    first = "".join(f'<th scope="col">{said(f"lineage.{key}")}</th>' for key in ("step", "format"))
    heads = [first, *(f'<th scope="col" class="num">{said(f"lineage.{key}")}</th>' for key in keys)]
    return section("lineage", f'<div class="card scroll">{table_of(heads, rows)}</div>')


def _step(summary: Summary, step: Mapping[str, Any]) -> str:
    """A step with all its settings and, where there are words for it, what it does."""
    exact = f'<span class="mono">{esc(step_text(step))}</span>'
    words = (
        both(lambda lang: step_words(summary, step, lang), "span", 'class="sub"')
        if step_words(summary, step, "en")
        else ""
    )
    return exact + words


def facts(summary: Summary) -> str:
    """Data, files and environment."""
    rows = [f"{_part(name)} {esc(count(n))}" for name, n in summary.data.rows.items()]
    about = [
        (said("data.source"), data(summary.data.source, "mono")),
        *([(said("groups.rows"), " · ".join(rows))] if rows else []),
        *([(said("data.labels"), ", ".join(map(data, summary.data.labels)))] if summary.data.labels else []),
    ]
    notes = coverage_items(summary) + "".join(f"<li>{data(note)}</li>" for note in summary.data.notes)
    body = _pairs(about) + (f'<ul class="plain note">{notes}</ul>' if notes else "")
    text = section("data", body)
    if summary.environment:
        pairs = [(_fact(name), data(environment_fact(name, value))) for name, value in summary.environment.items()]
        text += section("environment", _pairs(pairs), said("environment.lead", "p", LEAD))
    return text


def reproduce(summary: Summary) -> str:
    """The command with a button that copies it, and what the run left."""
    body = ""
    if summary.command:
        ask = f'<span class="ask">{said("page.copy")}</span><span class="ok" role="status">{said("page.copied")}</span>'
        button = f'<button type="button" class="copy" data-copy="command">{ask}</button>'
        body = f'<div class="card command"><pre><code id="command">{esc(summary.command)}</code></pre>{button}</div>'
    text = section("reproduce", body, said("reproduce.lead", "p", LEAD))
    pairs = [(data(name), data(path, "mono")) for name, path in summary.paths.items()]
    return text + (section("paths", _pairs(pairs)) if pairs else "")


def _part(name: str) -> str:
    key = f"part.{name}"
    return said(key) if key in WORDS else data(name)


def _fact(name: str) -> str:
    key = f"environment.{name.replace(' ', '_')}"
    return said(key) if key in WORDS else data(name)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return f'<dl class="pairs">{"".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)}</dl>'
