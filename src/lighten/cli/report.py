"""lighten report"""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    run: Annotated[str, typer.Argument(help="Folder of a run.")],
    out: Annotated[str | None, typer.Option(help="File to write; report.html in the run's folder by default.")] = None,
) -> None:
    """Write the page of a run again, from its summary."""
    from lighten.verbs.report import report

    typer.echo(report(run, out))
