"""What the command line prints. Texts from data never act as markup or as control codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lighten.core.outcome import Constant
from lighten.core.result import Result
from lighten.core.summary import Flip, Summary
from lighten.core.summary import Group as DataGroup
from lighten.proof import Verdict
from lighten.reports.constant import constant_sentence
from lighten.reports.describe import (
    findings,
    meters_shown,
    needed_text,
    opened_sentence,
    power_sentence,
    rung_name,
    unit_of,
    why,
)
from lighten.reports.grid import BAD, GOOD, SOFT, WARN, Row, number_table, ratio_text
from lighten.reports.markup import one_line
from lighten.reports.numbers import SHARE, amount, change, count, share
from lighten.reports.standing import standing
from lighten.reports.told import RELATIVE, Told
from lighten.reports.words import capital, quantity, say

TONES = {
    "winner": GOOD, "held": GOOD, "holds": GOOD, "worse": BAD, "failed": BAD, "below_floor": BAD, "over_ceiling": BAD,
    "not_enough_data": WARN, "stopped": WARN, "running": WARN,
}  # fmt: skip
BORDERS = {"winner": GOOD, "nothing_met": BAD, "missed": BAD, "unproved": WARN, "interrupted": WARN}
REASON_COLUMNS = 110
"""From this width on, the table of candidates gives reasons."""
LONGEST = 300
"""Characters of a text that are shown."""


def verdict_panel(summary: Summary, lang: str = "en") -> Panel:
    """What the run found, the verdict of every gate, and without a winner what the proof rows can prove."""
    first, *others = findings(summary, lang)
    alarm = constant_sentence(summary.constant, lang)
    lines = [Text(one_line(alarm), style=f"bold {BAD}"), Text("")] if alarm else []
    lines += [Text(one_line(first), style="bold"), *(Text(one_line(text)) for text in others), Text("")]
    for verdict in (Verdict.from_json(v) for v in summary.verdicts):
        lines.append(gate_text(verdict, unit_of(summary, verdict.metric), lang))
    if summary.opened is not None:
        lines.append(Text(opened_sentence(summary, lang), style=WARN))
    if summary.state == "interrupted":
        lines.append(Text(say(lang, "say.resume")))
    if summary.winner is None:
        lines += [Text(power_sentence(p, unit_of(summary, p.metric), lang), style=SOFT) for p in summary.power]
    while not lines[-1].plain:
        lines.pop()
    title = Text(say(lang, f"state.{summary.state}"), style="bold")
    return Panel(Group(*lines), title=title, title_align="left", border_style=BORDERS[summary.state], padding=(1, 2))


def gate_text(verdict: Verdict, unit: str, lang: str = "en") -> Text:
    """A verdict in two lines: what was found, and on what it rests."""
    line = Text(f"{capital(quantity(lang, verdict.metric))}  ")
    line.append(say(lang, f"verdict.{verdict.state}"), style=f"bold {TONES[verdict.state]}")
    told = Told.of(verdict, unit)
    line.append(f"  {told.changed(lang)} [{', '.join(told.ends(lang))}]")
    facts = [f"{say(lang, told.asked)} {told.allowed(lang)}"]
    facts += [f"{say(lang, 'proof.group')} {one_line(verdict.group)}"] if verdict.group else []
    facts.append(f"n = {count(verdict.n)}")
    if verdict.units != verdict.n:
        facts.append(f"{say(lang, 'proof.units')} {count(verdict.units)}")
    if verdict.b is not None and verdict.c is not None:
        facts += [f"b = {count(verdict.b)}", f"c = {count(verdict.c)}"]
    unbroken = [fact.replace(" ", "\u00a0") for fact in facts]
    line.append(f"\n  {'  '.join(unbroken)}", style=SOFT)
    if verdict.needed is not None:
        line.append(f"\n  {needed_text(verdict, lang)}", style=WARN)
    return line


def ladder(summary: Summary, *, width: int = 100, lang: str = "en") -> Table:
    """The baseline ladder: values, and ratios to the original. width: columns of the terminal."""
    rows = []
    for rung in summary.baseline:
        candidate = summary.candidate(rung.key)
        name = Text(rung_name(summary, rung.rung, candidate, lang), style="bold" if rung.rung == "ours" else "")
        under = candidate.name if candidate else f"{say(lang, 'ladder.missing')} {rung.note}"
        name.append(f"\n{one_line(under)}", style=SOFT)
        results = candidate.results if candidate else {}
        shares = {
            name: say(lang, "roofline.share", share=share(s))
            for name, s in summary.roofline.get(str(rung.key), {}).items()
        }
        rows.append(Row(name, _without_ratio(results) if rung.key == summary.original else results, below=shares))
    return number_table(rows, meters_shown(summary), width, lang, title=say(lang, "ladder.title"))


def candidates(summary: Summary, *, width: int = 100, lang: str = "en") -> Table:
    """Every candidate with its outcome; where there is room, with the reason. width: columns of the terminal."""
    wide = width >= REASON_COLUMNS
    rows = []
    for candidate in summary.candidates:
        place = standing(summary, candidate)
        name = Text(one_line(candidate.name), style="bold" if place.status == "winner" else "")
        outcome = Text(say(lang, f"status.{place.status}"), style=TONES.get(place.status, ""))
        reason = Text(one_line(why(summary, candidate, lang, place)), style=SOFT)
        rows.append(Row(name, candidate.results, (outcome, reason) if wide else (outcome,)))
    after = [(say(lang, "column.status"), 16), *([(say(lang, "column.why"), 34)] if wide else [])]
    names = meters_shown(summary)[: 4 if wide else None]
    return number_table(rows, names, width, lang, title=say(lang, "candidates.title"), after=after, ratios=False)


def bench(measured: Sequence[tuple[str, Mapping[str, Result]]], *, width: int = 100, lang: str = "en") -> Table:
    """What was measured, one row per model, with the ratio to the first. width: columns of the terminal."""
    rows = [
        Row(Text(one_line(model)), results if number else _without_ratio(results))
        for number, (model, results) in enumerate(measured)
    ]
    names = tuple(dict.fromkeys(meter for _, results in measured for meter in results))
    return number_table(rows, names, width, lang, title=say(lang, "table.measured"))


def compare(
    original: tuple[str, Mapping[str, Result]],
    candidate: tuple[str, Mapping[str, Result]],
    verdicts: Sequence[Verdict] = (),
    constant: Constant | None = None,
    *,
    lang: str = "en",
) -> Group:
    """Two models, each with its name: the verdict of every gate, then one row per quantity with the change.

    constant: what stands first, an answer without a model that the original is no better than.
    """
    before, after = original[1], candidate[1]
    table = Table(box=SIMPLE_HEAD)
    table.add_column(say(lang, "column.quantity"), overflow="fold")
    for name in (original[0], candidate[0]):
        table.add_column(Text(one_line(name)), justify="right", overflow="fold")
    table.add_column(say(lang, "groups.change"), justify="right")
    for name in dict.fromkeys([*before, *after]):
        pair = [side.get(name) for side in (before, after)]
        cells = [Text(amount(lang, r.value, r.unit) if r else "–") for r in pair]
        table.add_row(Text(capital(quantity(lang, name))), *cells, _change(pair[0], pair[1], lang))
    known = {name: result.unit for name, result in {**after, **before}.items()}
    gates = [gate_text(verdict, known.get(verdict.metric, "fraction"), lang) for verdict in verdicts]
    alarm = constant_sentence(constant, lang)
    return Group(*([Text(one_line(alarm), style=f"bold {BAD}"), Text("")] if alarm else []), *gates, table)


def groups(found: Sequence[DataGroup], *, lang: str = "en") -> Table:
    """Accuracy of both models by group."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column(say(lang, "groups.group"), overflow="fold")
    for key in ("groups.rows", "column.original", "column.candidate", "groups.change"):
        table.add_column(say(lang, key), justify="right")
    for one in found:
        values = [amount(lang, value, "fraction") for value in (one.original, one.winner)]
        gap = change(lang, one.winner - one.original, "fraction")
        table.add_row(Text(one_line(one.name)), count(one.n), *values, gap)
    return table


def flips(found: Sequence[Flip], most: int = 10, *, lang: str = "en") -> Table:
    """The first rows that the two models answer differently, with what became of them."""
    shown = say(lang, "flips.count", n=count(min(most, len(found))), total=count(len(found)))
    title = f"{say(lang, 'flips.title')} ({shown})"
    table = Table(box=SIMPLE_HEAD, title=Text(title), title_justify="left")
    for key in ("flips.label", "column.original", "column.candidate"):
        table.add_column(say(lang, key), overflow="fold")
    table.add_column(say(lang, "flips.text"), overflow="fold", ratio=1)
    for flip in found[:most]:
        answers = [Text(one_line(text)) for text in (flip.label, flip.original, flip.winner)]
        answers[1].stylize(GOOD if flip.kind == "broke" else BAD)
        answers[2].stylize(GOOD if flip.kind == "fixed" else BAD)
        table.add_row(*answers, Text(one_line(flip.text)[:LONGEST]))
    return table


def _without_ratio(results: Mapping[str, Result]) -> dict[str, Result]:
    return {meter: replace(result, ratio=None) for meter, result in results.items()}


def _change(before: Result | None, after: Result | None, lang: str) -> Text:
    """The ratio where one was measured, else the difference."""
    if after is not None and after.ratio is not None:
        return ratio_text(after, lang)  # nothing where one counts bytes and the other tokens
    if before is None or after is None or before.value is None or after.value is None:
        return Text("")
    if after.unit in RELATIVE and before.value > 0:
        return Text(change(lang, after.value / before.value - 1, SHARE))
    return Text(change(lang, after.value - before.value, after.unit))
