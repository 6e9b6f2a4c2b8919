"""The second half of the page: every candidate, lineage, data, environment, how to reproduce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.reports.coverage import coverage_sentences
from lighten.reports.describe import environment_fact, meters_shown, unit_of
from lighten.reports.ladder import unknown
from lighten.reports.markup import Both, data, said
from lighten.reports.numbers import count
from lighten.reports.recipes import recipe_text, step_text, step_words
from lighten.reports.standing import STATUSES, Standing, standing
from lighten.reports.templates import render
from lighten.reports.values import reason_of, time_of
from lighten.reports.words import LANGS, WORDS, say

COLUMNS = 6
"""Quantities in the table of candidates."""


def candidates(summary: Summary) -> Markup:
    """Every candidate in a table that sorts and filters, with what became of it and why."""
    if not summary.candidates:
        return Markup("")
    places = [(candidate, standing(summary, candidate)) for candidate in summary.candidates]
    found = Counter(place.status for _, place in places)
    columns = [(name, unit_of(summary, name)) for name in _columns(summary)]
    return render(
        "candidates",
        columns=columns,
        rows=[_row(summary, candidate, place, columns) for candidate, place in places],
        statuses=[(status, found[status]) for status in STATUSES if found[status]],
        hint=said("candidates.filter"),
        measured=sum(candidate.state == "ok" for candidate in summary.candidates),
        lost=sum(candidate.state in ("failed", "stopped") for candidate in summary.candidates),
        unknown=unknown(summary),
    )


def _row(summary: Summary, candidate: Candidate, place: Standing, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    recipe = recipe_text(candidate.recipe)
    text = " ".join([candidate.name, recipe, candidate.engine, candidate.reason])
    cells = []
    for name, unit in columns:
        result = candidate.results.get(name)
        value = "" if result is None or result.value is None else repr(float(result.value))
        cells.append({"name": name, "unit": unit, "result": result, "value": value})
    return {
        "key": candidate.key,
        "name": candidate.name,
        "recipe": recipe,
        "status": place.status,
        "rank": STATUSES.index(place.status),
        "text": text + "".join(f" {say(lang, f'status.{place.status}')}" for lang in LANGS),
        "why": reason_of(summary, candidate, place),
        "cells": cells,
    }


def _columns(summary: Summary) -> Sequence[str]:
    """Quantities that some candidate has, those of the budget first."""
    known = [n for n in meters_shown(summary) if any(c.value(n) is not None for c in summary.candidates)]
    asked = [bound.metric for bound in summary.budget.under]
    first = known[:2]
    return list(dict.fromkeys([*first, *(n for n in asked if n in known), *known]))[:COLUMNS]


def lineage(summary: Summary) -> Markup:
    """Every artifact from the original to the winner: step, format, time and content hash."""
    links = [
        {
            "id": link.id,
            "format": link.format,
            "step": step_text(link.step) if link.step else "",
            "words": Both(partial(step_words, summary, link.step)),
            "time": time_of(link.seconds) if link.seconds else None,
        }
        for link in summary.lineage
    ]
    return render("lineage", links=links) if links else Markup("")


def facts(summary: Summary) -> Markup:
    """Data, files and environment."""
    return render(
        "facts",
        source=summary.data,
        rows=[(_named(f"part.{name}", name), count(n)) for name, n in summary.data.rows.items()],
        coverage=[(lang, text) for lang in LANGS for text in coverage_sentences(lang, summary)],
        environment=[
            (_named(f"environment.{name}", name), data(environment_fact(name, value)))
            for name, value in summary.environment.items()
        ],
    )


def reproduce(summary: Summary) -> Markup:
    """The command with a button that copies it, and what the run left."""
    paths = [(data(name), data(path, "mono")) for name, path in summary.paths.items()]
    return render("reproduce", lead=said("reproduce.lead"), command=summary.command, paths=paths)


def _named(key: str, name: str) -> Both | Markup:
    """A name that the tables of words may know. key: there, where spaces are underscores."""
    key = key.replace(" ", "_")
    return said(key) if key in WORDS else data(name)
