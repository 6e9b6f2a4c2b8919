"""How a search is watched and what is printed of it: for the verbs that end with a summary."""

from __future__ import annotations

import json
import sys

import typer
from rich.console import Console

from lighten.core.summary import EXIT_CODES, Summary


def printed(summary: Summary, *, as_json: bool) -> None:
    """Print what a search found.

    Raises:
        typer.Exit: there is no winner; with the code of the state.
    """
    from lighten.reports import table

    if as_json:
        sys.stdout.write(json.dumps(summary.to_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        console = Console()
        console.print(table.verdict_panel(summary))
        if summary.winner is not None:
            console.print(table.ladder(summary, width=console.width))
        else:
            console.print(table.candidates(summary, width=console.width))
        if summary.nearest is not None and summary.nearest.command:
            accept = f"To accept it: {summary.nearest.command}"
            console.print(accept, markup=False, highlight=False, soft_wrap=True)
        for name in ("winner", "report"):
            if name in summary.paths:
                console.print(f"{name}: {summary.paths[name]}", markup=False, highlight=False, soft_wrap=True)
    if summary.state != "winner":
        raise typer.Exit(EXIT_CODES[summary.state])
