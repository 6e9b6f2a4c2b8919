"""JSON lines and JSON lists to a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Table, count_of


def parse_jsonl(text: str, source: str) -> Table:
    """One object a line; blank lines are skipped, keys that a row lacks are None.

    Raises:
        DataError: a line that is not one JSON object, with its number.
    """
    records: list[Mapping[str, object]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            records.append(_record(_loaded(line, f"Line {number:,} of {source}"), f"Line {number:,} of {source}"))
    return table_of_records(records, source)


def parse_json(text: str, source: str) -> Table:
    """A JSON list of objects. JSON lines in a ``.json`` file are read as such.

    Raises:
        DataError: anything else.
    """
    if text.lstrip().startswith("{"):
        try:
            return parse_jsonl(text, source)
        except DataError as error:
            raise DataError(
                f"{source} is neither a JSON list of rows nor JSON lines. {error.seen}",
                allowed='[{"text": "...", "label": "..."}, ...] or one such object a line',
            ) from error
    rows = _loaded(text, source)
    if not isinstance(rows, list):
        raise DataError(f"{source} is not a JSON list of rows.", allowed='[{"text": "...", "label": "..."}, ...]')
    return table_of_records([_record(r, f"Row {n:,} of {source}") for n, r in enumerate(rows, 1)], source)


def table_of_records(records: Sequence[Mapping[str, object]], source: str) -> Table:
    """Table whose columns are all keys seen, in the order first seen."""
    names = list(dict.fromkeys(key for record in records for key in record))
    if not records or not names:
        raise DataError(f"{source} has no rows.", allowed="at least one row")
    return table_of_columns({name: [record.get(name) for record in records] for name in names}, source)


def table_of_columns(columns: Mapping[str, Iterable[object]], source: str) -> Table:
    """Table of plain values: dates and decimals become text, lists and objects become JSON text.

    A column of bytes (images, sound) has no text form; it is left out and a note says so.

    Raises:
        DataError: text with half a surrogate pair, which no tokenizer can take.
    """
    kept: dict[str, tuple[Cell, ...]] = {}
    notes = []
    for name, values in columns.items():
        cells = list(values)
        if any(_holds_bytes(v) for v in cells):
            notes.append(f"Column {name!r} of {source} holds bytes and was left out.")
            continue
        nested = sum(isinstance(v, list | dict) for v in cells)
        if nested:
            rows = count_of(nested, "row")
            notes.append(f"Column {name!r} of {source} holds lists or objects in {rows}; they were kept as JSON text.")
        kept[name.strip() or f"column_{len(kept) + 1}"] = tuple(_cell(v) for v in cells)
    _refuse_half_surrogates(kept, source)
    if not kept:
        raise DataError(f"{source} has no column of text or numbers.", allowed="a text and a label column")
    return Table(kept, source, tuple(notes))


def _loaded(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise DataError(f"{where} is not JSON: {error}.", allowed='{"text": "...", "label": "..."}') from error


def _record(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise DataError(f"{where} is not an object: {str(value)[:60]!r}.", allowed='{"text": "...", "label": "..."}')
    return value


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float | bool):
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
