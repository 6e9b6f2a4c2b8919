"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

Text = Annotated[str | None, typer.Option(help="Column with the text; found by itself when it can be.")]
Label = Annotated[str | None, typer.Option(help="Column with the label; found by itself when it can be.")]
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
Prompt = Annotated[
    str | None,
    typer.Option(help='Language models: template such as "Review: {text}\\nSentiment:", where they do not say it.'),
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave rows with an empty text or label out instead of refusing the file.")
]
Threads = Annotated[int, typer.Option(help="Cores to use; 0 for all that this process may use.", min=0)]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; everything else goes to stderr.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]
