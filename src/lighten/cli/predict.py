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
    from lighten.core.errors import InputError
    from lighten.core.prediction import Prediction
    from lighten.verbs.load import Model
    from lighten.verbs.question import Row

LISTED = 5
"""Reasons that are said, of rows that could not be answered."""


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
    drop_empty: Annotated[
        bool,
        typer.Option(
            "--drop-empty",
            help="Leave out rows in which nothing stands, or that cannot be answered, such as a file that cannot be "
            "opened; they are counted on stderr. Else the first that cannot be answered ends it.",
        ),
    ] = False,
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
    from lighten.core.progress import remarks_to
    from lighten.verbs.load import load

    files = data or [source or "-"]
    if source is not None and data:
        raise InputError(f"Two files were given: {data[0]} and {source}.", fix="give one")

    def noted(sentence: str) -> None:
        sys.stderr.write(f"Note: {sentence}\n")

    with load(model, threads=threads, prompt=prompt, longest=longest) as opened, remarks_to(noted):
        read: list[Coverage] = []
        left_out = LeftOut(drop_empty)
        for chunk, several in report_progress(chunks(opened, files, text, batch)):
            answered = opened.answered(left_out.without_empty(chunk))
            read += [answered.coverage] if answered.coverage is not None else []
            for one in left_out.answers(answered.answers):
                said = json.dumps(one.to_json(), ensure_ascii=False) if as_json else one.line(named=several)
                sys.stdout.write(f"{said}\n")
            sys.stdout.flush()
        for sentence in left_out.notes():
            noted(sentence)
        for sentence in sentences({"your data": total(read)}, model) if read else ():
            noted(sentence)


class LeftOut:
    """Rows without an answer: counted where the user wants them left out, and the end of everything where not.

    Args:
        drop: leave them out.
    """

    def __init__(self, drop: bool) -> None:
        self.drop = drop
        self.rows, self.empty = 0, 0
        self.broken: list[InputError] = []

    def without_empty(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows in which something stands, where others are to be left out."""
        from lighten.verbs.question import holds_nothing

        kept = [row for row in rows if not (self.drop and holds_nothing(row))]
        self.rows += len(rows)
        self.empty += len(rows) - len(kept)
        return kept

    def answers(self, found: Sequence[Prediction | InputError]) -> Iterator[Prediction]:
        """The answers among what was found.

        Raises:
            InputError: there is none to a row that is not to be left out.
        """
        from lighten.core.errors import DataError, InputError

        for one in found:
            if not isinstance(one, InputError):
                yield one
            elif self.drop:
                self.broken.append(one)
            else:
                sys.stdout.flush()
                if type(one) is not DataError:
                    raise one
                fix = "; ".join(filter(None, (one.fix, "--drop-empty leaves out what cannot be answered")))
                raise DataError(one.seen, allowed=one.allowed, fix=fix)

    def notes(self) -> list[str]:
        """What was left out, one sentence each.

        Raises:
            InputError: nothing else was there.
        """
        from lighten.data.cells import count_of
        from lighten.data.items import why

        if self.broken and len(self.broken) + self.empty == self.rows:
            raise self.broken[0]
        listed = [why(error) for error in self.broken[:LISTED]]
        listed += [f"and {len(self.broken) - LISTED:,} more"] if len(self.broken) > LISTED else []
        of = f"of {self.rows:,} could not be answered: {'; '.join(listed)}."
        found = [f"Left out: {count_of(len(self.broken), 'row')} {of}"] if self.broken else []
        return found + ([f"Left out: {count_of(self.empty, 'row')} in which nothing stands."] if self.empty else [])


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
        rows = model.question.unopened(files[0] if len(files) == 1 else files, text)
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
