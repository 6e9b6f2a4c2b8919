"""lighten engine add, list, remove"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import Json

app = typer.Typer(
    help="Environments of their own for engines whose libraries clash with lighten's.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="Name of the engine, such as ov-genai.", show_default=False)]


@app.command()
def add(name: Name) -> None:
    """Make the environment of an engine with your own pip; nothing happens when it is there and up to date."""
    from lighten.cli.working import working
    from lighten.verbs.engine import add

    with working("looking") as shown:
        made = add(name, progress=shown.stage)
    typer.echo(f"{made.path}  {len(made.versions)} packages, {made.bytes / 1e6:,.0f} MB, {made.seconds:.0f} s")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every engine that has an environment of its own: made, missing, out of date; its size on the disk."""
    from rich.console import Console
    from rich.table import Table

    from lighten.verbs.engine import MADE, UNUSED, listed

    found = listed()
    if as_json:
        sys.stdout.write(json.dumps([standing.to_json() for standing in found], indent=1) + "\n")
        return
    table = Table(box=None, padding=(0, 2))
    for heading in ("engine", "state", "MB", "installed", "to do"):
        table.add_column(heading)
    for one in found:
        asked = [requirement.partition("=")[0] for requirement in one.requirements]
        installed = ", ".join(f"{package} {one.versions[package]}" for package in asked if package in one.versions)
        name = one.engine.replace("_", "-")
        verb = "" if one.state == MADE else "remove" if one.state == UNUSED else "add"
        todo = f"lighten engine {verb} {name}" if verb and name else f"delete {one.folders[0]}" if not name else ""
        table.add_row(name, one.state, f"{one.bytes / 1e6:,.0f}", installed, todo)
    Console(markup=False).print(table)


@app.command()
def remove(name: Name) -> None:
    """Remove the environment of an engine."""
    from lighten.verbs.engine import remove

    typer.echo(f"{remove(name) / 1e6:,.0f} MB removed")
