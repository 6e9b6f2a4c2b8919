"""lighten versions"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighten.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from lighten.serve.shadow import Disagreement
    from lighten.serve.versions import ModelVersions


def command(
    name: Annotated[
        str, typer.Argument(help="A model of the server; all of them by default.", show_default=False)
    ] = "",
    at: Annotated[str, typer.Option(help="Where the server listens.")] = "http://127.0.0.1:8000",
    serve: Annotated[
        str | None, typer.Option(help="Version that answers from now on; the one before stays open for --rollback.")
    ] = None,
    canary: Annotated[
        str | None, typer.Option(help="Version that answers a share of the requests: VERSION=SHARE, or none.")
    ] = None,
    shadow: Annotated[
        str | None, typer.Option(help="Version that is asked a share of them afterwards: VERSION=SHARE, or none.")
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Have the version answer that did before.")] = False,
    load: Annotated[
        str | None, typer.Option(help="Version to open, or to open anew from its files, before anything else.")
    ] = None,
    unload: Annotated[
        str | None, typer.Option(help="Version to close once it has answered what it has, after all else; or all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which versions answer on a server that runs, or change it: no request is lost or refused for it.

    A server with keys wants that of an operator, in the environment: LIGHTEN_KEY=...
    """
    from lighten.verbs.versions import versions

    found = versions(
        name, at=at, serve=serve, canary=canary, shadow=shadow, rollback=rollback, load=load, unload=unload
    )
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    console = Console(markup=False)
    for model in found.models:
        console.print(table_of(model))
        if model.disagreement is not None:
            console.print(line_of(model.disagreement))


def table_of(model: ModelVersions) -> Table:
    """Versions of a model, a row each."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2), title=model.name, title_justify="left")
    for heading in ("version", "part", "state", "answered", "failed", "memory", "engine"):
        table.add_column(heading, justify="right" if heading in ("answered", "failed", "memory") else "left")
    shares = {"canary": model.canary, "shadow": model.shadow}
    for one in model.versions:
        parts = [f"{role} {part.share:.3g}" if (part := shares.get(role)) else role for role in one.roles]
        state = f"{one.state} ({one.failure})" if one.failure else one.state
        memory = f"{one.memory / 1e6:,.0f} MB" if one.memory else "-"
        table.add_row(one.version, ", ".join(parts), state, f"{one.answered:,}", f"{one.failed:,}", memory, one.engine)
    return table


def line_of(found: Disagreement) -> str:
    """How often the shadow answers differently."""
    if not found.requests:
        return f"{found.shadow} was asked nothing yet beside {found.serving}."
    skipped = sum(found.skipped.values())
    left = f"; {skipped:,} were left out" if skipped else ""
    return (
        f"{found.shadow} answers {found.share:.2%} of the inputs of {found.requests:,} requests differently from "
        f"{found.serving}: at least {found.lower:.2%}, at most {found.upper:.2%}, each with "
        f"{found.confidence:.0%} whenever you look{left}."
    )
