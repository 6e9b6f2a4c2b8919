"""lighten catalog"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import Json


def command(
    name: Annotated[
        str | None,
        typer.Argument(help="A kind (steps, formats, engines, tasks, meters, readers, targets, guards) or one entry."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what can be used: steps, formats, engines, tasks, meters, readers, targets, guards; or settings of one."""
    from rich.console import Console
    from rich.table import Table

    from lighten.core import catalog as known
    from lighten.verbs.catalog import catalog, settings
    from lighten.verbs.engine import listed

    if name is None or name == "steps" or name in known.KINDS:
        entries = catalog(name)
        engines = any(entry.kind == "engines" for entry in entries)
        places = {one.engine: one.state for one in listed()} if engines else {}
        if as_json:
            records = [entry.to_json() for entry in entries]
            for record in records:
                if record["kind"] == "engines":
                    record["environment"] = places.get(record["name"], "lighten's")
            sys.stdout.write(json.dumps(records, indent=1) + "\n")
            return
        table = Table(box=None, padding=(0, 2), title_justify="left")
        for heading in ("kind", "name", "what it does", "from"):
            table.add_column(heading)
        for entry in entries:
            state = places.get(entry.name, "") if entry.kind == "engines" else ""
            note = f" Its environment: {state} (lighten engine list)." if state else ""
            table.add_row(entry.kind, entry.name, entry.doc + note, entry.source)
        Console(markup=False).print(table)
        return
    found = settings(name)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    table = Table(box=None, padding=(0, 2))
    for heading in ("setting", "default", "allowed", "searched", "what it is"):
        table.add_column(heading)
    for one in found:
        allowed = ", ".join(map(str, one["choices"])) or _range(one["low"], one["high"], one["unit"]) or one["type"]
        table.add_row(one["name"], str(one["default"]), allowed, ", ".join(map(str, one["search"])) or "-", one["doc"])
    Console(markup=False).print(table if found else f"{name} has no settings.")


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is None and high is None:
        return ""
    ends = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
    return f"{ends} {unit}".strip()
