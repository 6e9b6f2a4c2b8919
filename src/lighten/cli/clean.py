"""lighten clean"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import Json


def command(
    run: Annotated[str, typer.Argument(help="Folder of a run.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also of a run that has not ended.")] = False,
    as_json: Json = False,
) -> None:
    """Free the disk that a run takes; its winner, report, results and lineage stay."""
    from lighten.search.disk import amount
    from lighten.verbs.clean import clean

    done = clean(run, dry_run=dry_run, force=force)
    if as_json:
        sys.stdout.write(json.dumps(done.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    typer.echo(f"{amount(done.bytes)} {'would be' if dry_run else 'are'} free")
    typer.echo(f"kept: {', '.join(done.kept)}")
