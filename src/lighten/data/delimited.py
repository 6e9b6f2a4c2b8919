"""csv and tsv to a table: the delimiter is found, quotes are honoured, ragged lines are named."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from lighten.core.errors import DataError
from lighten.data.cells import Table, count_of
from lighten.data.header import LABEL_NAMES, TEXT_NAMES, names_without_header, why_no_header
from lighten.data.lines import RARE, is_markdown, likely_separator, rare_separator

_DELIMITERS = {"\t": "tab", "|": "pipe", ";": "semicolon", ",": "comma"}
"""From what texts hold least to what they hold most: where two cut every line alike, the first is meant."""
_STAND_IN = "\x1f"
"""Stands for a separator of several characters while csv is read, which knows none."""
_LOOKED_AT = 200
_SHOWN = 5
_Lines = list[tuple[int, list[str]]]


def parse_delimited(text: str, source: str, delimiter: str = "") -> Table:
    """Table of a csv text. Cells stay text, exactly as written.

    The first line holds the column names, unless it looks like data; then columns get names of their own.

    Args:
        delimiter: found when empty: comma, tab, semicolon or pipe, else one of ``lines.RARE``.

    Raises:
        DataError: no rows, rows of different width (the first ones are listed), a quote that never ends.
    """
    notes: list[str] = []
    with _long_cells():
        if is_markdown(text):
            delimiter, lines = "|", _markdown(text)
        else:
            delimiter = delimiter or _find_delimiter(text)
            lines, notes = (
                _parse_rare(text, source, delimiter) if len(delimiter) > 1 else _parse(text, source, delimiter)
            )
    if delimiter != ",":
        notes.append(f"{source} is separated by {_called(delimiter)}s.")
    blank = sum(not cells for _, cells in lines)
    lines = [line for line in lines if line[1]]
    if not lines:
        raise DataError(f"{source} has no lines.", allowed="a header line and at least one row")
    (_, header), rows = lines[0], lines[1:]
    reason = why_no_header(header, [cells for _, cells in rows[:_LOOKED_AT]])
    if reason:
        rows, header = lines, names_without_header([cells for _, cells in lines[:_LOOKED_AT]])
        notes.append(
            f"The first line of {source} does not look like column names ({reason}), so it is a row, and the columns "
            f"are called {', '.join(header)}."
        )
    if not rows:
        raise DataError(f"{source} has a header and no rows.", allowed="at least one row")
    _refuse_ragged(header, rows, source, delimiter)
    if blank:
        notes.append(f"{count_of(blank, 'blank line')} of {source} skipped.")
    columns, renamed = _columns(header, rows, source)
    return Table(columns, source, (*notes, *renamed))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let a cell hold a whole document: Python's csv stops at 128 KiB, as a setting of the process."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _called(delimiter: str) -> str:
    return _DELIMITERS.get(delimiter) or RARE.get(delimiter) or repr(delimiter)


def _find_delimiter(text: str) -> str:
    """The delimiter that cuts the most lines into as many cells as the header; comma when none cuts the header.

    A rare one that most lines have as often as the first is taken too: the lines that differ are named where they are
    cut.
    """
    if (rare := rare_separator(text)) == "||":  # each of the pipes alone would cut the lines as well
        return rare
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths = [len(cells) for cells in islice(reader, _LOOKED_AT) if cells]
        if not widths or widths[0] < 2:
            continue
        even = sum(w == widths[0] for w in widths) / len(widths)
        if even == 1.0:
            return delimiter
        score = (even, widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    if rare:
        return rare
    seems, share = likely_separator(text)
    return seems if share > best_score[0] or (share == best_score[0] and best in seems) else best


def _markdown(text: str) -> _Lines:
    """Cells of a table as Markdown has it: without the line below its names, and the space that pads them."""
    found: _Lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            row = line.strip().replace("\\|", _STAND_IN)
            row = row.removeprefix("|").removesuffix("|") if row.startswith("|") else row
            found.append((number, [cell.strip().replace(_STAND_IN, "|") for cell in row.split("|")]))
    del found[1]
    return found


def _parse_rare(text: str, source: str, separator: str) -> tuple[_Lines, list[str]]:
    """Lines cut by a separator of several characters."""
    lines, notes = _parse(text.replace(separator, _STAND_IN), source, _STAND_IN)
    return [(number, [cell.replace(_STAND_IN, separator) for cell in cells]) for number, cells in lines], notes


def _parse(text: str, source: str, delimiter: str) -> tuple[_Lines, list[str]]:
    """Lines of cells with their line numbers. Tab-separated files are often written without any quoting."""
    if '"' not in text:
        return _cells(text, delimiter, quoted=False), []
    plain = _cells(text, delimiter, quoted=False)
    even = len({len(cells) for _, cells in plain if cells}) == 1 and len(plain[0][1]) > 1
    wrapped = any(len(c) > 1 and c[0] == '"' == c[-1] for _, cells in plain for c in cells)
    if delimiter == "\t" and even and not wrapped:
        return plain, []
    try:
        return _cells(text, delimiter, quoted=True), []
    except csv.Error as error:
        if even:
            return plain, [f"Quotes in {source} do not pair up, so they were read as ordinary characters."]
        raise DataError(
            f"{source} has a quote that cannot be read: {error}.",
            allowed='cells in double quotes, with "" for a quote inside',
            fix="write the file with a csv library",
        ) from error


def _cells(text: str, delimiter: str, *, quoted: bool) -> _Lines:
    """Every line as (line number of its start, cells); raises csv.Error that names the line."""
    lines_of = io.StringIO(text, newline="")
    if quoted:
        reader = csv.reader(lines_of, delimiter=delimiter, strict=True)
    else:
        reader = csv.reader(lines_of, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    lines: _Lines = []
    start = 1
    try:
        for cells in reader:
            lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {start:,}: {error}") from error
    return lines


def _refuse_ragged(header: list[str], rows: _Lines, source: str, delimiter: str) -> None:
    ragged = [(line, cells) for line, cells in rows if len(cells) != len(header)]
    if not ragged:
        return
    shown = [
        f"line {line:,}: {count_of(len(cells), 'cell')}, {delimiter.join(cells)[:60]!r}"
        for line, cells in ragged[:_SHOWN]
    ]
    more = [f"and {len(ragged) - _SHOWN:,} more"] if len(ragged) > _SHOWN else []
    raise DataError(
        "\n    ".join(
            [
                f"{source} has {count_of(len(ragged), 'line')} that {'does' if len(ragged) == 1 else 'do'} not have "
                f"{count_of(len(header), 'cell')} like its header:",
                *shown,
                *more,
            ]
        ),
        allowed=f"{count_of(len(header), 'cell')} on every line ({', '.join(header)})",
        fix=f"put texts that contain a {_called(delimiter)} in double quotes, or use jsonl",
    )


def _columns(header: list[str], rows: _Lines, source: str) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Columns by name without surrounding space; and notes.

    A column without a name gets its position as name. Of two columns with one name and the same cells one is kept;
    where their cells differ, the second is called ``name.2``, unless it could be the text or the label.

    Raises:
        DataError: two different columns with the name of a text or label.
    """
    columns: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for at, cell in enumerate(header):
        cells = tuple(row[at] for _, row in rows)
        name = cell.strip()
        if not name and not any(cells):
            continue
        if not name:
            name = f"column_{at + 1}"
            notes.append(f"Column {at + 1} of {source} has no name and is called {name!r}.")
        if name in columns and columns[name] == cells:
            notes.append(f"{source} has the column {name!r} twice with the same cells; one was kept.")
            continue
        if name in columns:
            if name.casefold() in (*TEXT_NAMES, *LABEL_NAMES):
                raise DataError(
                    f"{source} has two columns named {name!r}, and their cells differ.", fix="rename one of them"
                )
            new = next(f"{name}.{n}" for n in range(2, len(header) + 2) if f"{name}.{n}" not in columns)
            notes.append(f"{source} has two columns named {name!r}; the second is called {new!r}.")
            name = new
        columns[name] = cells
    return columns, notes
