"""How a training is watched and what is printed of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lighten.core.sweep import SweepRecord
from lighten.core.training import TrainingResult

SHOWN = 20
"""Trials that are printed; the report has all."""
LONG = 24
"""Characters of a word from which on it may be cut, such as the path of a teacher."""


def printed(result: TrainingResult, *, as_json: bool) -> None:
    """Print what became of a training."""
    from lighten.reports.constant import trained_sentence
    from lighten.reports.numbers import amount, count, unit_name
    from lighten.reports.sweep import searched
    from lighten.reports.training import headline, how, sureness, worst
    from lighten.reports.training_grid import grid_of, trained_on
    from lighten.reports.words import capital, quantity

    if as_json:
        sys.stdout.write(json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    console = Console()
    words = [
        headline(result, "en"),
        trained_sentence(result.constant, "en"),
        sureness(result, "en"),
        worst(result, "en"),
        how(result, "en"),
    ]
    words.append(searched(result, "en"))
    console.print(Panel(Text("\n".join(filter(None, words))), title="trained", title_align="left"))
    rows = []
    for one in result.proof:
        known = (one.value, one.lower, one.upper)
        values = [amount("en", value, one.unit, bare=True) if value is not None else "" for value in known]
        unit = "" if one.unit == "fraction" else unit_name("en", one.unit)
        rows.append((capital(quantity("en", one.metric)), one.group, count(one.n), *values, unit))
    console.print(
        table(("", "group", "rows", "value", "at least", "at most", "unit"), rows, left=("", "group", "unit"))
    )
    if result.compared:
        console.print(compared(result))
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


def compared(result: TrainingResult) -> Table:
    """Everything that answered proof, the trained model first."""
    from lighten.reports.numbers import amount, count, duration
    from lighten.reports.words import say

    rows = []
    for one in result.compared:
        known = (one.score.value, one.score.lower, one.score.upper)
        values = [amount("en", value, one.score.unit) if value is not None else "" for value in known]
        took = duration("en", one.seconds) if one.seconds is not None else ""
        rows.append((say("en", f"compared.{one.kind}"), one.name, count(one.score.n), *values, took))
    return table(("", "model", "rows", "value", "at least", "at most", "answering took"), rows, left=("", "model"))


def table(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str], title: str = "",
    styles: Sequence[str] = (),
) -> Table:  # fmt: skip
    """Rows below their names; words are not cut, however narrow the terminal, but where they are longer than ``LONG``.

    Args:
        left: names of what is no number. styles: of each row.
    """
    made = Table(box=None, padding=(0, 1), title=title or None, title_justify="left")
    for place, name in enumerate(names):
        whole = [word for row in rows for word in (row[place].split() if name in left else [row[place]])]
        least = max(map(len, (*name.split(), *whole)), default=0)
        made.add_column(name, justify="left" if name in left else "right", min_width=min(least, LONG))
    for number, row in enumerate(rows):
        made.add_row(*map(Text, row), style=styles[number] if styles else None)
    return made


def trials(sweep: SweepRecord, *, shares: bool) -> Table:
    """The trials of a search, the best first."""
    from lighten.reports.numbers import duration
    from lighten.reports.sweep import ranked, score_of, setting_name, setting_value, state_of
    from lighten.reports.words import say

    every = ranked(sweep)
    more = f", {SHOWN} of {len(every)}" if len(every) > SHOWN else ""
    rows, styles = [], []
    for one in every[:SHOWN]:
        values = [setting_value(one.settings[name]) for name in sweep.ranges]
        ended = ", ".join([state_of(one, "en"), *(["default"] if one.number == 1 else [])])
        rows.append((str(one.number), score_of(one, shares=shares), ended, *values, duration("en", one.seconds)))
        styles.append("bold" if one.number == sweep.winner else "" if one.state == "finished" else "dim")
    names = [
        setting_name("en", name) for name in ("trial", "score" if shares else "loss", "state", *sweep.ranges, "time")
    ]
    return table(
        names, rows, left=(setting_name("en", "state"),), title=f"{say('en', 'sweep.trials')}{more}", styles=styles
    )
