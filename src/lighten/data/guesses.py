"""Guesses: which column could hold what, by its name or by what stands in it. Nothing here knows what a user gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Table, looks_nested, quoted
from lighten.data.labels import label_text

FEW_CLASSES, FEWEST_UNITS = 100, 20
"""Values of a column of labels at the most, and of one of units at the least."""
SEEN = 2000
"""Rows that are looked at to tell what a column holds."""
MOSTLY = 0.5
"""A column is a text or a label only where at least this share of its cells is filled."""


def columns_named(table: Table, names: Sequence[str], taken: Iterable[str]) -> list[str]:
    """Free columns with one of the usual names, in the order of those names."""
    free = [n for n in table.columns if n not in set(taken)]
    whole = {n.casefold(): n for n in free}
    found = [whole[n] for n in names if n in whole]
    return found or [n for name in names for n in free if n.casefold().rpartition(".")[2] == name]


def by_name(
    table: Table,
    names: Sequence[str],
    taken: Iterable[str],
    option: str,
    notes: list[str],
    what: str,
    wordy_only: bool = False,
) -> str | None:
    """The column with a usual name; the first of the names (``text``, ``label``) wins over all others."""
    found = columns_named(table, names, taken)
    if wordy_only:
        found = [n for n in found if mean_length(table.column(n)) > 0]
    if len(found) > 1 and found[0].casefold() != names[0]:
        raise several(table, found, option)
    if not found:
        return None
    notes.append(f"{what} the column {found[0]!r} (by its name).")
    return found[0]


def useful_group(table: Table, group: str | None, notes: list[str]) -> str | None:
    """The group column when it has several values; else None, with a note."""
    if group is None or distinct(table.column(group)) > 1:
        return group
    notes[-1] = f"The column {group!r} has one value only and was not used as group."
    return None


def useful_unit(table: Table, unit: str | None, notes: list[str]) -> str | None:
    """The unit column when it keeps rows together and there are enough units to divide; else None, with a note."""
    if unit is None:
        return None
    distinct = len(set(table.column(unit)))
    if FEWEST_UNITS <= distinct < len(table):
        return unit
    notes[-1] = f"The column {unit!r} has {distinct} distinct values in {len(table)} rows and was not used as unit."
    return None


def longest_text(table: Table, taken: set[str], notes: list[str]) -> str:
    """The free column with by far the longest strings."""
    lengths = {n: mean_length(table.column(n)) for n in table.columns if n not in taken}
    ranked = sorted((n for n, length in lengths.items() if length > 0), key=lambda n: -lengths[n])
    if not ranked:
        raise DataError(
            f"{table.source} has no column of text.",
            allowed=described(table, table.columns),
            fix="name it with --text",
        )
    if len(ranked) > 1 and lengths[ranked[0]] < 2 * lengths[ranked[1]]:
        raise several(table, ranked, "--text")
    notes.append(f"Texts are the column {ranked[0]!r} (its strings are the longest).")
    return ranked[0]


def few_values(table: Table, taken: set[str], notes: list[str]) -> str:
    """The one free column whose values are few and repeat."""
    most = min(FEW_CLASSES, max(2, len(table) // 2))
    free = [n for n in table.columns if n not in taken and is_filled(table.column(n))]
    fitting = [n for n in free if 2 <= distinct(table.column(n)) <= most]
    if not fitting and not set(table.columns) - taken:
        raise DataError(
            f"{table.source} has no labels: beside {', '.join(map(repr, table.columns))} there is no column.",
            allowed="a column with the label of each row: a few values that repeat, such as yes and no",
            fix="add one; if it stands there already, name it with --label",
        )
    if not fitting:
        raise DataError(
            f"No column of {table.source} looks like a label: a few values that repeat.",
            allowed=described(table, table.columns),
            fix="name it with --label",
        )
    if len(fitting) > 1:
        raise several(table, fitting, "--label")
    notes.append(f"Labels are the column {fitting[0]!r} (its values are few and repeat).")
    return fitting[0]


def refuse_lists(table: Table, names: Sequence[str]) -> None:
    """Refuse a column of labels that holds lists or objects."""
    for name in names:
        cell = next((c for c in table.column(name) if isinstance(c, str) and looks_nested(c)), None)
        if cell is not None:
            kind = "lists" if cell.strip().startswith("[") else "objects"
            raise DataError(
                f"The label column {name!r} of {table.source} holds {kind}, such as {quoted(cell)}.",
                allowed="one label in every row; several labels a row (multi-label) are no task of lighten yet",
                fix="keep one label a row, or make a column of yes and no for each label and name one with --label",
            )


def about_scraps(table: Table, known: Iterable[str | None]) -> list[str]:
    """A note on columns of text that are nearly empty, such as what a comma without quotes cuts off."""
    used = set(known)
    found = []
    for name in table.columns:
        filled = sum(isinstance(c, str) and any(ch.isalpha() for ch in c) for c in table.column(name))
        if name not in used and filled > 0 and not is_filled(table.column(name)):
            found.append(f"{name!r} ({filled:,} of {len(table):,} rows)")
    return [f"Columns that are mostly empty were not used: {', '.join(found[:10])}."] if found else []


def about_unused(table: Table, known: Iterable[str | None]) -> list[str]:
    """A note on columns of words that stand beside what is used."""
    used = set(known)
    found = [repr(name) for name in table.columns if name not in used and mean_length(table.column(name)) > 0]
    listed = ", ".join(found[:10]) + (", ..." if len(found) > 10 else "")
    return [f"Columns of text that are not used: {listed}."] if found else []


def several(table: Table, names: Sequence[str], option: str) -> DataError:
    return DataError(
        f"{len(names)} columns of {table.source} could be meant by {option}: {', '.join(names)}.",
        allowed=described(table, names),
        fix=f"say which one, for example {option} {names[0]}",
    )


def described(table: Table, names: Iterable[str]) -> str:
    """Each column with its first value, so that the reader sees what is meant."""
    return "; ".join(f"{n} (such as {quoted(table.column(n)[0], 30)})" for n in names)


def mean_length(cells: Sequence[Cell]) -> float:
    """Mean characters per cell among the first rows; 0 for a column that is not mostly words, or mostly empty."""
    seen = [c for c in cells[:SEEN] if c is not None and c != ""]
    if not is_filled(cells):
        return 0.0
    words = [c for c in seen if isinstance(c, str) and any(ch.isalpha() for ch in c)]
    return sum(map(len, words)) / len(words) if words and 2 * len(words) >= len(seen) else 0.0


def is_filled(cells: Sequence[Cell]) -> bool:
    seen = cells[:SEEN]
    return sum(c is not None and c != "" for c in seen) >= MOSTLY * len(seen)


def distinct(cells: Sequence[Cell]) -> int:
    return len({label_text(c) for c in cells} - {None})
