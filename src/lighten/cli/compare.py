"""lighten compare"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import (
    Choices,
    DropEmpty,
    Group,
    Json,
    Label,
    Labels,
    Longest,
    Prompt,
    Seed,
    SplitColumn,
    Text,
    Threads,
    Unit,
    one_or_many,
)


def command(
    original: Annotated[
        str, typer.Argument(help="The model to compare with: artifact, run, HF folder, GGUF file, hub id, sample.")
    ],
    candidate: Annotated[str, typer.Argument(help="The model that should be no worse.")],
    data: Annotated[str, typer.Option(help="Rows or documents that neither model was made with.", show_default=False)],
    margin: Annotated[
        str | None,
        typer.Option(
            help="The loss that is allowed, such as 1pt of the rows or 1% of bits_per_byte; these by default."
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What to compare: accuracy, macro_f1, worst_group, log_loss, brier, bits_per_byte, exact_match, ... "
            "Default: the first that fits the models.",
            show_default=False,
        ),
    ] = None,
    prompt: Prompt = None,
    answer: Annotated[str | None, typer.Option(help="Language models: column with the right answer.")] = None,
    choices: Choices = None,
    flips: Annotated[int, typer.Option(help="How many rows with another answer to show.", min=0)] = 10,
    text: Text = None,
    label: Label = None,
    labels: Labels = None,
    group: Group = None,
    unit: Unit = None,
    split_column: SplitColumn = None,
    drop_empty: DropEmpty = False,
    leave_out_learned: Annotated[
        bool,
        typer.Option("--leave-out-learned", help="Go on without the rows that a model learned from, though most are."),
    ] = False,
    longest: Longest = None,
    threads: Threads = 0,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Prove on other data that one model still does what another does: verdict, interval, flips, groups.

    Exit code 0: it holds; 3: it is worse, or there is not enough data; 2: bad input.
    """
    from rich.console import Console

    from lighten.cli.working import working
    from lighten.core.errors import NothingMet
    from lighten.reports import table
    from lighten.verbs.compare import compare

    with working("comparing") as shown:
        found = compare(
            original, candidate, data, margin=margin, metric=metric, prompt=prompt, answer=answer,
            choices=one_or_many(choices), labels=one_or_many(labels), text=text, label=label, group=group,
            unit=unit, split_column=split_column, drop_empty=drop_empty, leave_out_learned=leave_out_learned,
            longest=longest, threads=threads, seed=seed, progress=shown.progress,
        )  # fmt: skip
    for note in found.notes:
        Console(stderr=True).print(note, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        console = Console()
        before, after = (found.original, found.before), (found.candidate, found.after)
        console.print(table.compare(before, after, [found.verdict], found.constant))
        if found.groups:
            console.print(table.groups(found.groups))
        if found.flips and flips:
            console.print(table.flips(found.flips, flips))
    if not found.verdict.holds:
        raise typer.Exit(NothingMet.exit_code)
