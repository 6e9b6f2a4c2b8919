"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

Text = Annotated[str | None, typer.Option(help="Column with the text; found by itself when it can be.")]
Label = Annotated[str | None, typer.Option(help="Column with the label; found by itself when it can be.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        help="Which class of the model a label of the data is, where names do not say it: 0=negative,1=positive; "
        "the class by its name or its number from 0."
    ),
]
Choices = Annotated[
    list[str] | None,
    typer.Option(
        help="Language models: texts to choose from by likelihood, with commas in between; repeat it, or put texts in "
        "double quotes, where they hold commas."
    ),
]
Group = Annotated[
    str | None, typer.Option(help="Column with the group (domain, language) to report by; none: no column.")
]
Unit = Annotated[
    str | None,
    typer.Option(help="Column with the independent unit (user, document) of each row; none: rows are independent."),
]
SplitColumn = Annotated[
    str | None,
    typer.Option(
        help="Column with train, validation, test; found by itself, also from file names. 'none' mixes them on purpose."
    ),
]
MergeLabels = Annotated[
    bool | None,
    typer.Option(
        "--merge-labels/--no-merge-labels",
        help="Whether labels that differ in case or spacing only are one class; asked when there are such labels.",
        show_default=False,
    ),
]
DropRare = Annotated[int, typer.Option(help="Leave out classes with fewer rows than this.", min=0)]
Prompt = Annotated[
    str | None,
    typer.Option(help='Language models: template such as "Review: {text}\\nSentiment:", where they do not say it.'),
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave rows with an empty text or label out instead of refusing the file.")
]
Longest = Annotated[
    int | None,
    typer.Option(
        help="Most tokens of a text that a classifier reads, special tokens included. Default: all that it can.",
        min=1,
        show_default=False,
    ),
]
Threads = Annotated[int, typer.Option(help="Cores to use; 0 for all that this process may use.", min=0)]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; everything else goes to stderr.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]


def one_or_many(values: Sequence[str] | None) -> Sequence[str] | str:
    """A list as it was given: in one text with commas in between, or with the option repeated, each text as it is."""
    return values[0] if values and len(values) == 1 else values or ()
