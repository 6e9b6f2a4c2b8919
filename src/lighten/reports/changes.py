"""The part of the page about what changed: answers, next words, groups, and two models side by side."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from lighten.core.summary import FLIP_KINDS, Summary
from lighten.reports.markup import said
from lighten.reports.numbers import count, share
from lighten.reports.templates import render
from lighten.reports.values import change_of, value_of

FLIPS_SHOWN = 100
"""Of each kind; the summary of the run has them all."""
RIGHT_OR_WRONG = ("accuracy", "exact_match")
"""Qualities whose verdicts count the rows that only one model had right."""


def flips(summary: Summary) -> Markup:
    """Rows that the winner answers differently, by kind, with their texts; of models that write, how many there are."""
    if summary.winner is None:
        return Markup("")
    if summary.writes:
        return _written(summary)
    totals = Counter(flip.kind for flip in summary.flips)
    for verdict in summary.verdicts:
        if verdict["metric"] in RIGHT_OR_WRONG and verdict["b"] is not None and verdict["c"] is not None:
            totals |= Counter({"broke": verdict["b"], "fixed": verdict["c"]})
    blocks = []
    for kind in FLIP_KINDS:
        if totals[kind]:
            shown = [flip for flip in summary.flips if flip.kind == kind][:FLIPS_SHOWN]
            counts = {"shown": count(len(shown)), "total": count(totals[kind])}
            blocks.append({"kind": kind, "flips": shown, **counts})
    return render("flips", blocks=blocks)


def _written(summary: Summary) -> Markup:
    """How often the winner would write something else."""
    assert summary.winner is not None
    parts = []
    for name, key in (("token_flips", "tokens.changed"), ("answer_flips", "answers.changed")):
        reading = summary.winner.meters.get(name)
        if reading is not None and reading.value is not None:
            parts.append(said(key, share=share(reading.value), n=count(reading.n)))
    for verdict in summary.verdicts:
        if verdict["metric"] in RIGHT_OR_WRONG and verdict["b"] is not None and verdict["c"] is not None:
            parts.append(said("answers.counts", b=count(verdict["b"]), c=count(verdict["c"])))
    return render("written", changed=parts) if parts else Markup("")


def continuations(summary: Summary) -> Markup:
    """What original and winner write after the same beginnings, side by side. Untrusted texts, shown as text."""
    return render("continuations", samples=summary.continuations) if summary.continuations else Markup("")


def groups(summary: Summary) -> Markup:
    """Accuracy of both models by group."""
    rows = []
    for group in summary.groups:
        both = (value_of(group.original, "fraction"), value_of(group.winner, "fraction"))
        change = change_of(group.winner - group.original, "fraction")
        rows.append({"name": group.name, "values": (count(group.n), *both, change)})
    return render("groups", rows=rows) if rows else Markup("")
