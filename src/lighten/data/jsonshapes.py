"""Shapes in which tables are written as JSON, and what is nested in them, brought to plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lighten.core.errors import DataError
from lighten.data.cells import count_of
from lighten.data.fixed import split_word
from lighten.data.header import why_no_header

Row = Mapping[str, Any]
_DEEPEST = 6
_MOST_COLUMNS = 1000


def rows_of_json(value: object, source: str) -> tuple[Sequence[object], tuple[str, ...]]:
    """Rows of a JSON value: a list of them, or one of the shapes below; and notes about what was taken.

    Lists of objects, of lists (columns by position) and of texts; the shapes of pandas (records, columns, index, split,
    table); columns of lists; an object in which one list of rows stands (``{"version": 1, "data": [...]}``), or one for
    each part (``{"train": [...], "test": [...]}``).

    Raises:
        DataError: none of these.
    """
    if isinstance(value, list):
        return _rows_of_list(value)
    if not isinstance(value, dict):
        raise DataError(f"{source} is not a JSON list of rows.", allowed='[{"text": "...", "label": "..."}, ...]')
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names = [str(name) for name in value["columns"]]
        if all(isinstance(row, list) and len(row) == len(names) for row in value["data"]):
            return [dict(zip(names, row, strict=True)) for row in value["data"]], ()
    columns = _columns(value)
    if columns is not None:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], ()
    indexed = _indexed(value)
    if indexed is not None:
        return indexed, ()
    found = dict(_lists_of_rows(value))
    parts = {name: split_word(name.rpartition(".")[2]) for name in found}
    if len(found) > 1 and all(parts.values()) and len(set(parts.values())) == len(found):
        return [{**row, "split": parts[name]} for name, rows in found.items() for row in rows], ()
    if len(found) > 1:
        listed = ", ".join(f"{name} ({len(rows):,})" for name, rows in list(found.items())[:8])
        raise DataError(
            f"{source} is an object that holds several lists of rows: {listed}.",
            allowed="one list of rows, or one for each of train, validation and test",
            fix="write the list that is meant into a file of its own",
        )
    if found:
        (name, rows), *_ = found.items()
        return rows, (f"The {count_of(len(rows), 'row')} of {source} stand in {name!r}.",)
    return [value], ()


def unnested(columns: Mapping[str, Sequence[Any]], depth: int = 0) -> Iterator[tuple[str, Sequence[Any]]]:
    """Columns without nesting, as far as it can be taken away: objects as columns ``name.key``, lists of one value."""
    for name, cells in columns.items():
        lists = [cell for cell in cells if isinstance(cell, list)]
        if lists and max(map(len, lists)) == 1 and all(isinstance(cell, list) or cell is None for cell in cells):
            cells = [cell[0] if cell else None for cell in cells]
        objects = [cell for cell in cells if isinstance(cell, dict)]
        keys = dict.fromkeys(key for cell in objects for key in cell)
        flat = all(isinstance(cell, dict) or cell is None for cell in cells)
        if not objects or not flat or not keys or depth >= _DEEPEST or len(keys) > _MOST_COLUMNS:
            yield name, cells
            continue
        inner = {f"{name}.{key}": [cell.get(key) if cell is not None else None for cell in cells] for key in keys}
        yield from unnested(inner, depth + 1)


def _rows_of_list(value: list[Any]) -> tuple[Sequence[object], tuple[str, ...]]:
    if value and all(isinstance(row, str) for row in value):
        return [{"text": row} for row in value], ()
    widths = {len(row) if isinstance(row, list) else 0 for row in value}
    if len(widths) != 1 or widths == {0}:
        return value, ()
    names = [f"column_{at}" for at in range(1, widths.pop() + 1)]
    first = value[0]
    note = "Rows are lists, so the columns are called by their position."
    named = len(set(map(str, first))) == len(names) and all(isinstance(cell, str) and len(cell) <= 60 for cell in first)
    if named and not why_no_header(first, [[str(cell) for cell in row] for row in value[1:200]]):
        names, value, note = first, value[1:], "Rows are lists; the first one holds the names of the columns."
    return [dict(zip(names, row, strict=True)) for row in value], (note,)


def _columns(value: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Columns of ``{"text": {"0": ...}, ...}`` (pandas) or ``{"text": [...], ...}``; None for other shapes."""
    cells = list(value.values())
    if len(cells) < 2:
        return None
    if all(isinstance(column, list) and len(column) == len(cells[0]) for column in cells) and cells[0]:
        plain = not any(isinstance(one, dict) for column in cells for one in column[:20])
        return {name: list(column) for name, column in value.items()} if plain else None
    if not all(isinstance(column, dict) and column.keys() == cells[0].keys() and column for column in cells):
        return None
    outside, inside = all(map(str.isdigit, value)), all(map(str.isdigit, cells[0]))
    if (outside and not inside) or (outside == inside and len(value) > len(cells[0])):
        return None
    return {name: list(column.values()) for name, column in value.items()}


def _indexed(value: Mapping[str, Any]) -> list[Row] | None:
    """Rows of ``{"0": {"text": ...}, ...}``; None for other shapes."""
    rows = list(value.values())
    if len(rows) < 2 or not all(isinstance(row, dict) and row for row in rows):
        return None
    shared = set.intersection(*(set(row) for row in rows))
    return rows if shared and len(rows) >= len(set().union(*rows)) else None


def _lists_of_rows(value: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, list[Row]]]:
    """Every list of objects in an object, by the path to it; not those inside rows."""
    for name, inner in value.items():
        path = f"{before}{name}"
        if isinstance(inner, list) and len(inner) > 1 and all(isinstance(row, dict) for row in inner):
            if not _is_schema(path):
                yield path, inner
        elif isinstance(inner, dict) and depth < 2:
            yield from _lists_of_rows(inner, f"{path}.", depth + 1)


def _is_schema(path: str) -> bool:
    """Whether it is the description of the columns that pandas writes beside a table."""
    return path == "schema.fields"
