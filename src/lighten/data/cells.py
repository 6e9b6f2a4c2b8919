"""The table that every reader returns: named columns of plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from lighten.core.errors import DataError, UnknownName


@dataclass(frozen=True, slots=True)
class Embedded:
    """An item that came inside of a table.

    Attributes:
        name: that it had, or its suffix alone (``.png``); empty where nobody says.
        data: its content, as a file of its own would have it.
    """

    name: str
    data: bytes = field(repr=False)


Cell = str | int | float | bool | Embedded | None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length, in the order of the file.

    Args:
        columns: name -> one value per row. Cells of csv files stay text, exactly as written.
        source: what was read, for messages.
        notes: what was noticed while reading, one sentence each.

    Raises:
        DataError: the columns differ in length or a name is empty.
    """

    columns: Mapping[str, tuple[Cell, ...]]
    source: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"The columns of {self.source} differ in length: {lengths}.", allowed="one value per row")
        if "" in lengths:
            raise DataError(f"A column of {self.source} has an empty name.", fix="give every column a name")
        object.__setattr__(self, "columns", MappingProxyType({n: tuple(v) for n, v in self.columns.items()}))

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> tuple[Cell, ...]:
        """Values of one column; raises UnknownName with the nearest names."""
        if name not in self.columns:
            raise UnknownName("column", name, self.columns)
        return self.columns[name]


def join_tables(tables: Sequence[Table], source: str) -> Table:
    """Rows of several tables one after the other.

    Raises:
        DataError: their columns have different names.
    """
    first = tables[0]
    for other in tables[1:]:
        if set(other.columns) != set(first.columns):
            raise DataError(
                f"{first.source} and {other.source} have different columns: "
                f"{', '.join(first.columns)} against {', '.join(other.columns)}.",
                allowed="a folder whose files have the same columns",
                fix="name one file or one sub-folder",
            )
    columns = {name: tuple(v for t in tables for v in t.columns[name]) for name in first.columns}
    return Table(columns, source, tuple(dict.fromkeys(note for t in tables for note in t.notes)))


def count_of(number: int, singular: str, plural: str = "") -> str:
    """``1 row``, ``2,345 rows``: a count with its noun."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def quoted(value: object, most: int = 60) -> str:
    """A cell as messages quote it: at most ``most`` characters of it, so that no message repeats a document."""
    text = str(value)
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def some_numbers(numbers: Iterable[int], most: int = 10) -> str:
    """The first ``most`` numbers as text, then how many more there are: ``3, 8, 9 and 41 more``."""
    every = list(numbers)
    head = ", ".join(str(n) for n in every[:most])
    return head if len(every) <= most else f"{head} and {len(every) - most:,} more"


def is_json(cells: Sequence[Cell], looked_at: int = 200) -> bool:
    """Whether a column holds lists or objects written as text, as JSON or as Python writes them."""
    seen = [cell for cell in cells[:looked_at] if isinstance(cell, str) and cell.strip()]
    return bool(seen) and all(looks_nested(cell) for cell in seen)


def looks_nested(text: str) -> bool:
    """Whether a cell is a list or an object written as text."""
    text = text.strip()
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return False
    try:
        return isinstance(json.loads(text), (list, dict))
    except (ValueError, RecursionError):
        return bool(re.match(r"""(\[|\{)\s*(['"\d\]\}])""", text))
