"""JSON lines and JSON lists to a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Embedded, Table, count_of, quoted
from lighten.data.jsonshapes import rows_of_json, unnested


def parse_jsonl(text: str, source: str) -> Table:
    """One object a line; blank lines are skipped, keys that a row lacks are None. One line may hold a whole table.

    Raises:
        DataError: a line that is not one JSON object, with its number.
    """
    values: list[object] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            values.append(_loaded(line, f"Line {number:,} of {source}"))
    if len(values) == 1:
        return table_of_json(values[0], source)
    if values and all(isinstance(value, list) for value in values):
        return table_of_json(values, source)
    numbers = [number for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return table_of_records(
        [_record(v, f"Line {n:,} of {source}") for n, v in zip(numbers, values, strict=True)], source
    )


def parse_json(text: str, source: str) -> Table:
    """A table as JSON in any shape of ``jsonshapes.rows_of_json``; JSON lines and objects one after the other too.

    Raises:
        DataError: anything else.
    """
    try:
        return table_of_json(_loaded(text, source), source)
    except _NotJson as error:
        if not text.lstrip().startswith("{"):
            raise
        records = _objects(text)
        if records is not None:
            return table_of_records(records, source)
        try:
            return parse_jsonl(text, source)
        except DataError as lines:
            raise DataError(
                f"{source} is neither JSON nor JSON lines. {error.seen} {lines.seen}",
                allowed='[{"text": "...", "label": "..."}, ...] or one such object a line',
            ) from error


def table_of_json(value: object, source: str) -> Table:
    """Table of a JSON value of any shape that pandas and others write tables in.

    Raises:
        DataError: another shape, which is named.
    """
    rows, notes = rows_of_json(value, source)
    table = table_of_records([_record(row, f"Row {n:,} of {source}") for n, row in enumerate(rows, 1)], source)
    return Table(table.columns, table.source, (*notes, *table.notes))


def _objects(text: str) -> list[Mapping[str, object]] | None:
    """Objects that stand one after the other, each over several lines; None when it is something else."""
    text = text.strip()
    decoder, at, found = json.JSONDecoder(), 0, list[Mapping[str, object]]()
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            if not isinstance(value, dict):
                return None
            found.append(value)
            rest = text[at : at + 4096]
            while rest and not rest.strip():
                at += len(rest)
                rest = text[at : at + 4096]
            at += len(rest) - len(rest.lstrip())
    except (json.JSONDecodeError, RecursionError):
        return None
    return found


def table_of_records(records: Sequence[Mapping[str, object]], source: str) -> Table:
    """Table whose columns are all keys seen, in the order first seen."""
    names = list(dict.fromkeys(key for record in records for key in record))
    if not records or not names:
        raise DataError(f"{source} has no rows.", allowed="at least one row")
    return table_of_columns({name: [record.get(name) for record in records] for name in names}, source)


def table_of_columns(columns: Mapping[str, Iterable[object]], source: str) -> Table:
    """Table of plain values: dates and decimals become text, lists of several values become JSON text.

    Objects become columns of their own, called ``column.key``; a column whose lists all hold one value is that value.
    Bytes inside of lists or objects have no form here; their column is left out and a note says so.

    Raises:
        DataError: text with half a surrogate pair, which no tokenizer can take.
    """
    kept: dict[str, tuple[Cell, ...]] = {}
    notes: list[str] = []
    for name, cells in unnested({name: list(values) for name, values in columns.items()}):
        if any(_holds_bytes(v) for v in cells):
            notes.append(f"Column {name!r} of {source} holds bytes and was left out.")
            continue
        nested = sum(isinstance(v, list | dict) for v in cells)
        if nested:
            rows = count_of(nested, "row")
            notes.append(f"Column {name!r} of {source} holds lists or objects in {rows}; they were kept as JSON text.")
        short = name.strip() or f"column_{len(kept) + 1}"
        kept[name if short in kept else short] = tuple(_cell(v) for v in cells)
    _refuse_half_surrogates(kept, source)
    if not kept:
        raise DataError(f"{source} has no column of text or numbers.", allowed="a text and a label column")
    return Table(kept, source, tuple(notes))


class _NotJson(DataError):
    """Text that is no JSON value."""


def _loaded(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise _NotJson(f"{where} is not JSON: {error}.", allowed='{"text": "...", "label": "..."}') from error


def _record(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise DataError(f"{where} is not an object: {quoted(value)}.", allowed='{"text": "...", "label": "..."}')
    return value


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | bool | Embedded):
        return value
    if isinstance(value, date | time | Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _holds_bytes(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_bytes(v) for v in value.values())
    if isinstance(value, list):
        return any(_holds_bytes(v) for v in value[:1])
    return isinstance(value, bytes | bytearray | memoryview)


def _refuse_half_surrogates(columns: Mapping[str, Sequence[Cell]], source: str) -> None:
    for name, cells in columns.items():
        for row, cell in enumerate(cells, 1):
            if isinstance(cell, str) and not cell.isascii():
                try:
                    cell.encode()
                except UnicodeEncodeError as error:
                    raise DataError(
                        f"Row {row:,}, column {name!r} of {source} holds half a surrogate pair, not a character.",
                        fix="write the file with a JSON library, or leave the row out",
                    ) from error
