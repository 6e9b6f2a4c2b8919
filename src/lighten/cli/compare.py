"""lighten compare"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighten.cli import options

if TYPE_CHECKING:
    from lighten.verbs.compare import Comparison


def command(
    original: Annotated[
        str, typer.Argument(help="The model to compare with: artifact, run, HF folder, GGUF file, hub id, sample.")
    ],
    candidate: Annotated[str, typer.Argument(help="The model that should be no worse.")],
    data: Annotated[str, typer.Option(help="Rows or documents that neither model was made with.", show_default=False)],
    margin: options.Margin = None,
    metric: options.Metric = None,
    prompt: options.Prompt = None,
    answer: options.Answer = None,
    choices: options.Choices = None,
    flips: options.Flips = 10,
    text: options.Text = None,
    label: options.Label = None,
    labels: options.Labels = None,
    group: options.Group = None,
    unit: options.Unit = None,
    split_column: options.SplitColumn = None,
    drop_empty: options.DropEmpty = False,
    leave_out_learned: options.LeaveOutLearned = False,
    longest: options.Longest = None,
    threads: options.Threads = 0,
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Prove on other data that one model still does what another does: verdict, interval, flips, groups.

    Exit code 0: it holds; 3: it is worse, or there is not enough data; 2: bad input.
    """
    asked = options.arguments(locals(), "flips", "as_json")
    from lighten.cli.working import working
    from lighten.core.errors import NothingMet
    from lighten.verbs.compare import compare

    with working("comparing") as shown:
        found = compare(**asked, progress=shown.progress)
    printed(found, flips, as_json=as_json)
    if not found.verdict.holds:
        raise typer.Exit(NothingMet.exit_code)


def printed(found: Comparison, flips: int, *, as_json: bool) -> None:
    """The comparison on stdout, what was noticed on stderr. flips: rows with another answer to show at most."""
    from rich.console import Console

    from lighten.reports import table

    for note in found.notes:
        Console(stderr=True).print(note, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    console = Console()
    before, after = (found.original, found.before), (found.candidate, found.after)
    console.print(table.compare(before, after, [found.verdict], found.constant))
    if found.groups:
        console.print(table.groups(found.groups))
    if found.flips and flips:
        console.print(table.flips(found.flips, flips))
