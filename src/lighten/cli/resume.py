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
    """Take up a run where it stopped; what it was asked is known, and what was finished is kept.

    Exit codes as of optimize.
    """
    from lighten.cli.outcome import printed, watched
    from lighten.verbs.resume import resume

    summary = watched(
        lambda listener: resume(run, time=time, candidates=candidates, under=under or None, listener=listener),
        quiet=quiet,
    )
    printed(summary, as_json=as_json)
