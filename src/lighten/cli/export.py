"""lighten export"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import Json, QuietOption, Threads


def command(
    model: Annotated[str, typer.Argument(help="Folder of a run, a winner, or any model that can be opened.")],
    out: Annotated[str, typer.Argument(help="Folder to write; must be empty, or not exist yet.")],
    to: Annotated[
        str,
        typer.Option(help="What to make of it: onnx, openvino, gguf, docker, triton, ray, vllm (lighten catalog)."),
    ],
    name: Annotated[
        str, typer.Option(help="What servers call the model: letters, digits, underscores.", show_default="of its run")
    ] = "",
    rows: Annotated[
        int, typer.Option(help="Rows of the run that the folder and the model are both asked afterwards.", min=1)
    ] = 16,
    threads: Threads = 0,
    as_json: Json = False,
    quiet: QuietOption = False,
) -> None:
    """Write a folder that other people's loaders and servers open without lighten, with the same answers.

    Nothing is rounded or changed on the way: what would be another model is refused. Afterwards the folder is opened by
    its runtime alone and asked rows of the run; where an answer differs, nothing is left behind.
    """
    from rich.console import Console

    from lighten.cli.working import working
    from lighten.reports.exported import same_sentence
    from lighten.verbs.export import export

    with working("exporting") as on:
        found = export(model, to, out, name=name, rows=rows, threads=threads, progress=on.progress)
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    console = Console()
    if not quiet:
        way = f", by way of {', '.join(found.way)}" if found.way else ""
        console.print(
            f"{found.format} to {found.target}{way}: {len(found.files)} files.", markup=False, highlight=False
        )
        console.print(
            same_sentence(found.rows, found.apart, "en", asked=found.asked, changed=found.changed),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        console.print("README.md there says how to open it.", markup=False, highlight=False)
    console.print(found.path, markup=False, highlight=False, soft_wrap=True)
