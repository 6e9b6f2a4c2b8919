"""lighten predict"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighten.cli.lines import stdin_lines
from lighten.cli.options import Longest, Prompt, Text, Threads

if TYPE_CHECKING:
    from lighten.core.coverage import Coverage
    from lighten.verbs.load import Model


def command(
    model: Annotated[str, typer.Argument(help="A winner, a run folder, or any artifact that can be opened.")],
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="File with a column of inputs, files that are inputs themselves (photo.jpg more/*.png), or - for one "
            "input per line on stdin.",
            show_default="-",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--data", help="The same file, written as the other verbs have it.", show_default=False),
    ] = None,
    text: Text = None,
    prompt: Prompt = None,
    batch: Annotated[int, typer.Option(help="Rows answered at once.", min=1)] = 1024,
    longest: Longest = None,
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, with the scores.")] = False,
) -> None:
    """Answer inputs from a file, from several files or from stdin, one line each, in order: its label.

    Of a folder every file is answered, wherever it lies in it. Of several files the path stands before each answer.

    Language models: the choice, the answer, or the bits per byte of a document.
    """
    from lighten.core.coverage import sentences, total
    from lighten.core.errors import InputError
    from lighten.verbs.load import load

    files = data or [source or "-"]
    if source is not None and data:
        raise InputError(f"Two files were given: {data[0]} and {source}.", fix="give one")
    from lighten.core.progress import remarks_to

    def noted(sentence: str) -> None:
        sys.stderr.write(f"Note: {sentence}\n")

    with load(model, threads=threads, prompt=prompt, longest=longest) as opened, remarks_to(noted):
        read: list[Coverage] = []
        for chunk, several in report_progress(chunks(opened, files, text, batch)):
            read += [one for one in (opened.coverage(chunk),) if one is not None]
            for one in opened.predict(chunk):
                said = json.dumps(one.to_json(), ensure_ascii=False) if as_json else one.line(named=several)
                sys.stdout.write(f"{said}\n")
            sys.stdout.flush()
        for sentence in sentences({"your data": total(read)}, model) if read else ():
            noted(sentence)


def report_progress(pieces: Iterator[tuple[Sequence[Any], float, float]]) -> Iterator[tuple[Sequence[Any], bool]]:
    """The rows of each piece, and whether there are several in all, as far as that is known.

    How far the work is stands on stderr, unless the answers themselves are on a screen.
    """
    from lighten.cli.working import working

    if sys.stdout.isatty():
        yield from ((rows, total > 1) for rows, _, total in pieces)
        return
    with working("answering") as on:
        for rows, done, total in pieces:
            if total > len(rows):
                on.progress(done, total, f"answered {done:,.0f} of {total:,.0f}")
            yield rows, total > 1


def chunks(
    model: Model, files: Sequence[str], text: str | None, batch: int
) -> Iterator[tuple[Sequence[Any], float, float]]:
    """Rows of files, or lines of stdin as they come, at most ``batch`` at once; how many came before; how many in all.

    How many lines stdin will have is not known: 0.
    """
    if list(files) != ["-"]:
        rows = model.read(files[0] if len(files) == 1 else files, text)
        for start in range(0, len(rows), batch):
            yield rows[start : start + batch], start, len(rows)
        return
    chunk: list[str] = []
    for said in stdin_lines():
        chunk.append(said)
        if len(chunk) >= batch or (not chunk[1:] and sys.stdin.isatty()):
            yield chunk, 0, 0
            chunk = []
    if chunk:
        yield chunk, 0, 0
