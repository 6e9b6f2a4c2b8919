"""Shapes in which tables are written as JSON, and what is nested in them, brought to plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lighten.core.errors import DataError
from lighten.data.cells import count_of
from lighten.data.fixed import split_word
from lighten.data.header import LABEL_NAMES, TEXT_NAMES, USUAL_NAMES, why_no_header

Row = Mapping[str, Any]
_Names = tuple[Sequence[str], bool]
"""Names of columns, and whether they are the first row."""
_DEEPEST = 6
_MOST_COLUMNS = 1000
_TEXTS, _LABELS = frozenset(TEXT_NAMES), frozenset(LABEL_NAMES)
_LONGEST_NOTE = 40
"""Characters of a text that describes a table; a longer one is a cell of a row."""
_FEWEST_TEXTS = 10
"""Texts in lists under labels; of fewer the object is a row that holds lists."""
_CLASSES = frozenset({
    "pos", "neg", "positive", "negative", "neutral", "ham", "spam", "yes", "no", "true", "false", "good", "bad",
})  # fmt: skip
"""Labels under which texts stand, where lists of one length could be columns, too. Numbers are none: pandas calls
columns so that nobody named."""


def rows_of_json(value: object, source: str) -> tuple[Sequence[object], tuple[str, ...]]:
    """Rows of a JSON value: a list of them, or one of the shapes below; and notes about what was taken.

    Lists of objects, of lists (columns by position) and of texts; the shapes of pandas (records, columns, index, split,
    table); columns of lists; a list of texts for each class (``{"pos": [...], "neg": [...]}``); an object in which one
    of these stands (``{"version": 1, "data": [...]}``), or one for each part (``{"train": [...], "test": [...]}``).

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
    if (divided := _parts(value, source)) is not None:
        return divided
    if (table := _in_lists(value, source)) is not None:
        return table
    if _is_row(value):
        return [value], ()
    columns = _columns(value)
    if columns is not None:
        return _rows_of_columns(columns), ()
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
    objects = {name: one for name, one in value.items() if isinstance(one, dict)}
    beside = [name for name in value if name not in objects]
    if any(name.casefold() in USUAL_NAMES for name in beside) or not _describe(value, beside):
        return [value], ()  # a row, one of whose cells holds lists
    inside = {name: table for name, one in objects.items() if (table := _in_lists(one, source))}
    if len(inside) == 1:
        (name, (rows_inside, notes)), *_ = inside.items()
        return rows_inside, (f"The {count_of(len(rows_inside), 'row')} of {source} stand in {name!r}.", *notes)
    return [value], ()


def _parts(value: Mapping[str, Any], source: str) -> tuple[Sequence[object], tuple[str, ...]] | None:
    """Rows of ``{"train": [...], "test": [...]}`` with their part: lists of anything, or objects of lists; else None.

    Raises:
        DataError: the parts have different columns.
    """
    value = {name: one for name, one in value.items() if isinstance(one, list | dict) and one}
    parts = {name: split_word(name) for name in value}
    if len(parts) < 2 or not all(parts.values()) or len(set(parts.values())) < len(parts):
        return None
    named = _names_of_parts(value)
    found: dict[str, tuple[Sequence[object], tuple[str, ...]]] = {}
    for name, one in value.items():
        lists = isinstance(one, list) and all(isinstance(row, type(one[0])) for row in one)
        table = (
            _rows_of_list(one, named.get(name)) if lists else _in_lists(one, source) if isinstance(one, dict) else None
        )
        if table is None or not all(isinstance(row, dict) for row in table[0]):
            return None
        found[name] = table
    return _joined(found, parts, source)


def _names_of_parts(value: Mapping[str, Any]) -> dict[str, _Names]:
    """Names of the columns of each part whose rows are lists, and whether they are its first row.

    Names are surely names where one of them is usual, or where they stand above every part; those of one part are those
    of all that have as many columns and none of their own.
    """
    lists = {name: one for name, one in value.items() if _width(one)}
    heads = {name: head for name, one in lists.items() if (head := _header(one))}
    same = len(heads) == len(lists) > 1 and len({tuple(head) for head in heads.values()}) == 1
    if not same:
        heads = {name: head for name, head in heads.items() if any(cell.casefold() in USUAL_NAMES for cell in head)}
    only = {tuple(head) for head in heads.values()}
    found: dict[str, _Names] = {}
    for name, one in lists.items():
        shared = [head for head in only if len(only) == 1 and len(head) == _width(one)]
        found[name] = (heads[name], True) if name in heads else ((shared or [by_position(_width(one))])[0], False)
    return found


def _joined(
    found: Mapping[str, tuple[Sequence[Any], tuple[str, ...]]], parts: Mapping[str, str], source: str
) -> tuple[Sequence[object], tuple[str, ...]]:
    """Rows of all parts, with their part."""
    notes = tuple(dict.fromkeys(note for _, about in found.values() for note in about))
    rows = [{**row, "split": parts[name]} for name, (own, _) in found.items() for row in own]
    unnamed = sum("column_1" in row for row in rows)
    if 0 < unnamed < len(rows):
        listed = "; ".join(f"{name}: {', '.join(own[0])}" for name, (own, _) in found.items() if own)
        raise DataError(f"The parts of {source} have different columns ({listed}).", allowed="the same in every part")
    return rows, notes


def by_position(width: int) -> tuple[str, ...]:
    """Names of columns that nobody named."""
    return tuple(f"column_{at}" for at in range(1, width + 1))


def _in_lists(value: Mapping[str, Any], source: str) -> tuple[Sequence[object], tuple[str, ...]] | None:
    """Rows of columns of lists, or of a list of texts for each class, beside single values that describe them.

    Raises:
        DataError: columns of different lengths.
    """
    lists = {name: one for name, one in value.items() if isinstance(one, list)}
    others = [name for name in value if name not in lists]
    if len(lists) < 2 or any(isinstance(value[name], dict) for name in others) or not all(lists.values()):
        return None
    if any(isinstance(cell, dict) for one in lists.values() for cell in one[:20]):
        return None
    usual = {name.casefold() for name in lists} & USUAL_NAMES
    if any(name.casefold() in TEXT_NAMES for name in others):
        return None  # a row, some of whose cells are lists
    lengths = {name: len(one) for name, one in lists.items()}
    even = len(set(lengths.values())) == 1
    classes = all(name.casefold() in _CLASSES or (name.isdigit() and not even) for name in lists)
    classes = classes and not (even and any(map(_repeats, lists.values())))
    if others and not (_describe(value, others) and (usual or classes)):
        return None
    notes = (f"{', '.join(map(repr, others))} of {source} stand beside the rows and were left out.",) if others else ()
    texts = all(isinstance(cell, str) for one in lists.values() for cell in one)
    if even and not (texts and classes):
        return _rows_of_columns(lists), notes
    if not even and (usual & set(TEXT_NAMES[:1] + LABEL_NAMES[:1]) or (usual & _TEXTS and usual & _LABELS)):
        listed = ", ".join(f"{name} ({count:,})" for name, count in lengths.items())
        raise DataError(f"The columns of {source} differ in length: {listed}.", allowed="one value per row")
    if not texts or sum(lengths.values()) < _FEWEST_TEXTS or (others and not classes):
        return None
    listed = ", ".join(f"{name!r} ({count:,})" for name, count in lengths.items())
    about = f"{source} has a list of texts for each label: {listed}."
    return [{"text": text, "label": name} for name, one in lists.items() for text in one], (about, *notes)


def _describe(value: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether values only describe the table beside them: no lists, and no long texts."""
    return not any(
        isinstance(value[name], list) or (isinstance(value[name], str) and len(value[name]) > _LONGEST_NOTE)
        for name in names
    )


def _is_row(value: Mapping[str, Any]) -> bool:
    """Whether an object is a row, whatever lists it holds: it has a text of its own."""
    texts = {name.casefold(): one for name, one in value.items() if name.casefold() in _TEXTS and isinstance(one, str)}
    return TEXT_NAMES[0] in texts or any(len(text) > _LONGEST_NOTE for text in texts.values())


def _repeats(cells: Sequence[object]) -> bool:
    """Whether cells are a few values that repeat, as labels are and texts are not."""
    return 2 * len(set(map(str, cells))) <= len(cells)


def _rows_of_columns(columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


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


def _rows_of_list(value: list[Any], named: _Names | None = None) -> tuple[Sequence[object], tuple[str, ...]]:
    """Rows of a list of objects, of texts, or of lists. named: names of the columns of lists; else they are found."""
    if value and all(isinstance(row, str) for row in value):
        return [{"text": row} for row in value], ()
    if not (width := _width(value)):
        return value, ()
    head = _header(value)
    names, first = named or ((head, True) if head else (by_position(width), False))
    note = "Rows are lists, so the columns are called by their position."
    if first:
        note = "Rows are lists; the first one holds the names of the columns."
    elif tuple(names) != by_position(width):
        note = ""
    rows = [dict(zip(names, row, strict=True)) for row in value[1 if first else 0 :]]
    return rows, (note,) if note else ()


def _width(value: object) -> int:
    """Cells of every row, where rows are lists; 0 where they are not, or of different widths."""
    rows = value if isinstance(value, list) else []
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    return widths.pop() if len(widths) == 1 else 0


def _header(rows: list[list[Any]]) -> list[str] | None:
    """The first of rows that are lists where it looks like the names of the columns; else None."""
    first = rows[0]
    named = len(set(map(str, first))) == len(first) and all(isinstance(cell, str) and len(cell) <= 60 for cell in first)
    return first if named and not why_no_header(first, [[str(cell) for cell in row] for row in rows[1:200]]) else None


def _columns(value: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Columns of ``{"text": {"0": ...}, ...}`` (pandas); None for other shapes."""
    cells = list(value.values())
    if len(cells) < 2:
        return None
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
