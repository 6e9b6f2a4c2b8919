"""Rows that can be used: text and label present, labels in one spelling, counted and checked."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lighten.core.errors import DataError
from lighten.core.item import Item, content_of
from lighten.data.cells import Cell, Table, count_of, quoted, some_numbers
from lighten.data.columns import MOST_CLASSES, Columns
from lighten.data.items import why
from lighten.data.labels import is_number, label_text, sorted_labels
from lighten.data.references import described, remarks

_FEW_ROWS = 20
_LISTED = 5
_MISSING_WORDS = frozenset({"nan", "null", "none", "n/a", "na", "?"})


@dataclass(frozen=True, slots=True)
class Example:
    """One usable row. ``number`` counts the table's rows from 1; ``unit`` is empty when the row is its own unit.

    ``label`` is empty in data without labels.
    """

    item: Item
    label: str
    number: int
    group: str = ""
    unit: str = ""

    @property
    def key(self) -> str:
        """The content, of a text up to case and spacing: rows with the same key may never be on two sides."""
        return key_of(self.item)

    @property
    def id(self) -> str:
        """Content hash of the key, 16 hex digits: rows whose contents are the same have the same one."""
        return hashlib.sha256(self.key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def key_of(item: Item) -> str:
    """See :attr:`Example.key`."""
    return " ".join(unicodedata.normalize("NFC", content_of(item)).casefold().split())


@dataclass(frozen=True, slots=True)
class UsableRows:
    """Usable rows in the table's order, their classes in a fixed order, and what was noticed."""

    rows: tuple[Example, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()


def usable(table: Table, columns: Columns, *, drop_empty: bool = False) -> UsableRows:
    """Rows whose input and, where there is a label column, label are present; without those of ``columns.skipped``.

    Args:
        drop_empty: leave rows out, and count them in the notes, that lack an input or a label, or whose file is missing
            or cannot be opened, instead of refusing.

    Raises:
        DataError: rows without input or label, or with files that cannot be opened (they are listed), or none left.
    """
    cells = table.column(columns.text)
    labels = table.column(columns.label) if columns.label else None
    groups = table.column(columns.group) if columns.group else None
    units = table.column(columns.unit) if columns.unit else None
    rows: list[Example] = []
    without: dict[str, list[int]] = {columns.text: [], columns.label: []}
    places = [at for at in range(len(cells)) if at not in columns.skipped]
    filled = [at for at in places if not _is_empty(cells[at])]
    items: dict[int, Item | DataError] = {at: str(cells[at]) for at in filled}
    if columns.kind:
        items = dict(zip(filled, described((cells[at] for at in filled), columns.kind), strict=True))
    for at in places:
        label = label_text(labels[at]) if labels is not None else ""
        if at not in items:
            without[columns.text].append(at + 1)
        if label is None:
            without[columns.label].append(at + 1)
        item = items.get(at)
        if item is not None and not isinstance(item, DataError) and label is not None:
            group = (label_text(groups[at]) or "(none)") if groups is not None else ""
            unit = (label_text(units[at]) or "") if units is not None else ""
            rows.append(Example(item, label, at + 1, group, unit))
    broken = {at + 1: item for at, item in items.items() if isinstance(item, DataError)}
    notes = (
        *_about_missing(table, without, drop_empty),
        *_about_broken(table, broken, drop_empty),
        *remarks(items.values()),
    )
    if not rows:
        wanted = f"both {columns.text!r} and {columns.label!r}" if columns.label else repr(columns.text)
        raise DataError(f"{table.source} has no row with {wanted}.")
    return UsableRows(tuple(rows), sorted_labels(r.label for r in rows), notes)


def check_classes(examples: UsableRows, column: str, source: str) -> tuple[str, ...]:
    """Notes about the classes: rare ones, and words that usually mean "missing".

    Raises:
        DataError: one class only, or so many that the column is a number or a free text.
    """
    counts = Counter(row.label for row in examples.rows)
    if len(counts) == 1:
        raise DataError(
            f"Every row of {source} has the same label: {column!r} is {quoted(examples.labels[0])}.",
            allowed="at least two classes",
            fix="choose the label column with --label, or add rows of another class",
        )
    if len(counts) > MOST_CLASSES or (len(counts) > 20 and 2 * len(counts) > len(examples.rows)):
        kind = "a number to predict" if all(map(is_number, examples.labels)) else "free text"
        raise DataError(
            f"The label column {column!r} of {source} has {len(counts):,} distinct values in "
            f"{count_of(len(examples.rows), 'row')}; it looks like {kind}, not a class.",
            allowed=f"2 to {MOST_CLASSES:,} classes that repeat",
            fix="choose another column with --label, or turn the values into a few classes",
        )
    notes = []
    rare = [f"{quoted(label, 30)} ({counts[label]})" for label in examples.labels if counts[label] < _FEW_ROWS]
    listed = ", ".join(rare[:10]) + (", ..." if len(rare) > 10 else "")
    if rare:
        notes.append(
            f"{count_of(len(rare), 'class has', 'classes have')} fewer than {_FEW_ROWS} rows, so nothing can be proved "
            f"about {'it' if len(rare) == 1 else 'them'} alone: {listed}."
        )
    for label in examples.labels:
        if label.casefold() in _MISSING_WORDS:
            notes.append(f"{counts[label]} rows have the label {label!r}, which was taken as a class of that name.")
    return tuple(notes)


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or not str(cell).strip()


def _about_missing(table: Table, without: dict[str, list[int]], drop_empty: bool) -> tuple[str, ...]:
    """Notes about dropped rows, or the refusal. Row 1 is the first row after the header."""
    found = [
        f"{count_of(len(rows), 'row')} without {name!r} (row {some_numbers(rows)})"
        for name, rows in without.items()
        if rows
    ]
    if not found:
        return ()
    if drop_empty:
        return (f"Left out: {'; '.join(found)}.",)
    raise DataError(
        f"{table.source} has {'; '.join(found)}.",
        allowed="an input and a label in every row",
        fix="fill them in, or leave those rows out with --drop-empty",
    )


def _about_broken(table: Table, broken: Mapping[int, DataError], drop: bool) -> tuple[str, ...]:
    """A note about rows whose files cannot be opened, or the refusal. broken: reason by the number of the row."""
    if not broken:
        return ()
    listed = [f"{why(error)} (row {number:,})" for number, error in list(broken.items())[:_LISTED]]
    listed += [f"and {len(broken) - _LISTED:,} more"] if len(broken) > _LISTED else []
    found = f"{count_of(len(broken), 'file')} that cannot be opened"
    if drop:
        return (f"Left out: {count_of(len(broken), 'row')} with {found}: {'; '.join(listed)}.",)
    raise DataError(
        "\n    ".join([f"{table.source} has {found}:", *listed]),
        allowed="a file that can be opened in every row",
        fix="repair them, or leave those rows out with --drop-empty",
    )
