"""lighten resume"""

from __future__ import annotations

from typing import Annotated

import typer

from lighten.cli.options import Json, QuietOption


def command(
    run: Annotated[str, typer.Argument(help="Folder of a run.")],
    time: Annotated[
        str | None,
        typer.Option(help="Time of the whole search, what was spent before included. Default: as it was."),
    ] = None,
    candidates: Annotated[int | None, typer.Option(help="The most candidates to try in all.", min=1)] = None,
    under: Annotated[list[str] | None, typer.Option(help="Other ceilings than before.", show_default=False)] = None,
    as_json: Json = False,
    quiet: QuietOption = False,
) -> None:
    """Take up a search or a training where it stopped; what it was asked is known, and what was finished is kept.

    Exit codes as of optimize, or of train.
    """
    from pathlib import Path

    from lighten.cli import outcome, trained
    from lighten.cli.screen import watched
    from lighten.core.summary import Summary
    from lighten.fitting.launch import Launch
    from lighten.verbs.resume import is_training, resume

    quiet = quiet or (is_training(Path(run)) and not Launch.found(1, 0).leads)
    found = watched(
        lambda listener: resume(run, time=time, candidates=candidates, under=under or None, listener=listener),
        quiet=quiet,
    )
    if isinstance(found, Summary):
        outcome.printed(found, as_json=as_json)
    else:
        trained.printed(found, as_json=as_json)
