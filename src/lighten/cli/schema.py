"""lighten schema"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer


def command(
    output: Annotated[
        str | None, typer.Argument(help="Whose --json: optimize, plan, bench, compare, ...; without one, all names.")
    ] = None,
) -> None:
    """Print the JSON Schema of what a verb prints with --json."""
    from lighten.verbs.schema import OUTPUTS, schema

    if output is None:
        for name, about in OUTPUTS.items():
            typer.echo(f"{name}: {about}")
        return
    sys.stdout.write(json.dumps(schema(output), ensure_ascii=False, indent=1) + "\n")
