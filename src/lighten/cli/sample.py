"""lighten sample"""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Name of a sample; without one they are listed.")] = None,
    folder: Annotated[str | None, typer.Argument(help="Where to copy it; kept in the cache only by default.")] = None,
) -> None:
    """Fetch a sample model or data set to try with."""
    from lighten.cli.working import working
    from lighten.data.samples import sample_names
    from lighten.verbs.sample import sample

    if name is None:
        for known in sample_names():
            typer.echo(f"sample:{known}")
        return
    with working("fetching") as shown:
        found = sample(name, folder, progress=shown.progress)
    typer.echo(found)
