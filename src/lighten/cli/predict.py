"""lighten predict"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from lighten.cli.options import Text, Threads


def command(
    model: Annotated[str, typer.Argument(help="A winner, a run folder, or any artifact that can be opened.")],
    data: Annotated[str, typer.Argument(help="File with a text column, or - for one text per line on stdin.")] = "-",
    text: Text = None,
    batch: Annotated[int, typer.Option(help="Rows answered at once.", min=1)] = 1024,
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, with the scores.")] = False,
) -> None:
    """Answer texts from a file or from stdin: one label per line, in order."""
    from lighten.verbs.load import load

    with load(model, threads=threads) as opened:
        for chunk in chunks(data, text, batch):
            for one in opened.predict(chunk):
                if as_json:
                    line = json.dumps({"label": one.label, "scores": one.scores}, ensure_ascii=False)
                else:
                    line = one.label
                sys.stdout.write(line + "\n")
            sys.stdout.flush()


def chunks(data: str, text: str | None, batch: int) -> Iterator[list[str]]:
    """Texts of a file, or lines of stdin as they come, in lists of at most ``batch``."""
    if data == "-":
        chunk: list[str] = []
        for line in sys.stdin:
            chunk.append(line.rstrip("\n"))
            if len(chunk) >= batch or (not chunk[1:] and sys.stdin.isatty()):
                yield chunk
                chunk = []
        if chunk:
            yield chunk
        return
    from lighten.data.table import read_table
    from lighten.verbs.bench import table_text

    table = read_table(Path(data) if Path(data).exists() else data)
    column = table.column(text or table_text(table))
    texts = ["" if cell is None else str(cell) for cell in column]
    for start in range(0, len(texts), batch):
        yield texts[start : start + batch]
