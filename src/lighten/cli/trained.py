"""How a training is watched and what is printed of it."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lighten.core.sweep import SweepRecord
from lighten.core.training import TrainingResult

SHOWN = 20
"""Trials that are printed; the report has all."""


def printed(result: TrainingResult, *, as_json: bool) -> None:
    """Print what became of a training."""
    from lighten.reports.numbers import amount, count, duration, unit_name
    from lighten.reports.sweep import searched
    from lighten.reports.training import headline, how, sureness, worst
    from lighten.reports.training_grid import grid_of, trained_on
    from lighten.reports.words import capital, quantity, say

    if as_json:
        sys.stdout.write(json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    console = Console()
    words = [headline(result, "en"), sureness(result, "en"), worst(result, "en"), how(result, "en")]
    words.append(searched(result, "en"))
    console.print(Panel(Text("\n".join(filter(None, words))), title="trained", title_align="left"))
    table = Table(box=None, padding=(0, 2))
    for name in ("", "group", "rows", "value", "at least", "at most", "unit"):
        table.add_column(name, justify="left" if name in ("", "group", "unit") else "right")
    for one in result.proof:
        known = (one.value, one.lower, one.upper)
        values = [amount("en", value, one.unit, bare=True) if value is not None else "" for value in known]
        unit = "" if one.unit == "fraction" else unit_name("en", one.unit)
        table.add_row(capital(quantity("en", one.metric)), Text(one.group), count(one.n), *values, unit)
    console.print(table)
    if result.compared:
        beside = Table(box=None, padding=(0, 2))
        for name in ("", "model", "rows", "value", "at least", "at most", "answering took"):
            beside.add_column(name, justify="left" if name in ("", "model") else "right")
        for each in result.compared:
            known = (each.score.value, each.score.lower, each.score.upper)
            values = [amount("en", value, each.score.unit) if value is not None else "" for value in known]
            took = duration("en", each.seconds) if each.seconds is not None else ""
            beside.add_row(say("en", f"compared.{each.kind}"), Text(each.name), count(each.score.n), *values, took)
        console.print(beside)
    if (grid := grid_of(result)) is not None:
        cells = Table(box=None, padding=(0, 2), title="trained on (down), tested on (across)", title_justify="left")
        for name in ("", *grid.columns):
            cells.add_column(Text(name), justify="right" if name else "left")
        for name, row in grid.rows.items():
            shown = (amount("en", row[of].value, row[of].unit) if of in row else "" for of in grid.columns)
            cells.add_row(Text(trained_on(name, "en")), *shown)
        console.print(cells)
    if result.sweep is not None:
        console.print(trials(result.sweep, shares=result.shares))
    for name in ("model", "report"):
        console.print(f"{name}: {result.paths[name]}", markup=False, highlight=False, soft_wrap=True)


def trials(sweep: SweepRecord, *, shares: bool) -> Table:
    """The trials of a search, the best first."""
    from lighten.reports.numbers import duration
    from lighten.reports.sweep import ranked, score_of, setting_name, setting_value, state_of
    from lighten.reports.words import say

    every = ranked(sweep)
    more = f", {SHOWN} of {len(every)}" if len(every) > SHOWN else ""
    table = Table(box=None, padding=(0, 1), title=f"{say('en', 'sweep.trials')}{more}", title_justify="left")
    names = ("trial", "score" if shares else "loss", "state", *sweep.ranges, "time")
    rows = []
    for one in every[:SHOWN]:
        values = [setting_value(one.settings[name]) for name in sweep.ranges]
        ended = ", ".join([state_of(one, "en"), *(["default"] if one.number == 1 else [])])
        rows.append((str(one.number), score_of(one, shares=shares), ended, *values, duration("en", one.seconds)))
    for place, name in enumerate(names):
        title, left = setting_name("en", name), name == "state"
        whole = [word for row in rows for word in (row[place].split() if left else [row[place]])]
        least = max(map(len, (*title.split(), *whole)))  # words are not cut, however narrow the terminal
        table.add_column(title, justify="left" if left else "right", min_width=least)
    for one, row in zip(every, rows, strict=False):
        style = "bold" if one.number == sweep.winner else "" if one.state == "finished" else "dim"
        table.add_row(*row, style=style)
    return table
