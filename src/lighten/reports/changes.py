"""The part of the page about what changed: answers, next words, groups, and two models side by side."""

from __future__ import annotations

from collections import Counter

from lighten.core.summary import FLIP_KINDS, Continuation, Flip, Summary
from lighten.reports.markup import data, esc, said
from lighten.reports.numbers import count, share
from lighten.reports.sections import LEAD, NOTE, section
from lighten.reports.values import change_of, number_cell, table_of, value_of

FLIPS_SHOWN = 100
"""Of each kind; the summary of the run has them all."""
RIGHT_OR_WRONG = ("accuracy", "exact_match")
"""Qualities whose verdicts count the rows that only one model had right."""


def flips(summary: Summary) -> str:
    """Rows that the winner answers differently, by kind, with their texts; of models that write, how many there are."""
    if summary.winner is None:
        return ""
    if summary.writes:
        return _written(summary)
    lead = said("flips.lead", "p", LEAD)
    totals = Counter(flip.kind for flip in summary.flips)
    for verdict in summary.verdicts:
        if verdict["metric"] in RIGHT_OR_WRONG and verdict["b"] is not None and verdict["c"] is not None:
            totals |= Counter({"broke": verdict["b"], "fixed": verdict["c"]})
    if not totals.total():
        return section("flips", said("flips.none", "p"), lead)
    blocks = []
    for kind in FLIP_KINDS:
        shown = [flip for flip in summary.flips if flip.kind == kind][:FLIPS_SHOWN]
        if not totals[kind]:
            continue
        head = said("flips.count", "p", NOTE, n=count(len(shown)), total=count(totals[kind]))
        cards = f'<div class="card flips" tabindex="0">{"".join(map(_flip, shown))}</div>' if shown else ""
        blocks.append(f"<div>{said(f'flips.{kind}', 'h3')}{head}{cards}</div>")
    return section("flips", f'<div class="columns">{"".join(blocks)}</div>', lead)


def _written(summary: Summary) -> str:
    """How often the winner would write something else."""
    assert summary.winner is not None
    parts = []
    for name, key in (("token_flips", "tokens.changed"), ("answer_flips", "answers.changed")):
        reading = summary.winner.meters.get(name)
        if reading is not None and reading.value is not None:
            parts.append(said(key, "p", share=share(reading.value), n=count(reading.n)))
    for verdict in summary.verdicts:
        if verdict["metric"] in RIGHT_OR_WRONG and verdict["b"] is not None and verdict["c"] is not None:
            parts.append(said("answers.counts", "p", b=count(verdict["b"]), c=count(verdict["c"])))
    return section("flips", "".join(parts), said("flips.tokens", "p", LEAD))


def continuations(summary: Summary) -> str:
    """What original and winner write after the same beginnings, side by side. Untrusted texts, shown as text."""
    if not summary.continuations:
        return ""
    body = "".join(map(_side_by_side, summary.continuations))
    return section("continuations", f'<div class="card">{body}</div>', said("continuations.lead", "p", LEAD))


def _side_by_side(one: Continuation) -> str:
    sides = ""
    for name, text in (("original", one.original), ("winner", one.winner)):
        written = esc(text.strip()) or said("continuations.nothing")
        sides += f'<div><h4>{said(f"column.{name}")}</h4><p dir="auto">{written}</p></div>'
    return (
        f'<div class="sample"><p dir="auto" class="begins">{esc(one.prompt)}</p><div class="sides">{sides}</div></div>'
    )


def _flip(flip: Flip) -> str:
    group = f" · {data(flip.group)}" if flip.group else ""
    answers = f"{data(flip.original)} → {data(flip.winner)}"
    under = f'<div class="sub">{answers} · {said("flips.label")}{said("page.colon")}{data(flip.label)}{group}</div>'
    return f'<div class="flip"><p dir="auto">{esc(flip.text)}</p>{under}</div>'


def groups(summary: Summary) -> str:
    """Accuracy of both models by group."""
    if not summary.groups:
        return ""
    heads = ("groups.rows", "column.original", "column.winner", "groups.change")
    rows = []
    for group in summary.groups:
        values = [
            esc(count(group.n)),
            value_of(group.original, "fraction"),
            value_of(group.winner, "fraction"),
            change_of(group.winner - group.original, "fraction"),
        ]
        cells = "".join(number_cell(said(key), value) for key, value in zip(heads, values, strict=True))
        rows.append(f'<tr><th scope="row">{data(group.name)}</th>{cells}</tr>')
    first = f'<th scope="col">{said("groups.group")}</th>'
    head = [first, *(f'<th scope="col" class="num">{said(key)}</th>' for key in heads)]
    return section("groups", f'<div class="card scroll">{table_of(head, rows)}</div>', said("groups.lead", "p", LEAD))
