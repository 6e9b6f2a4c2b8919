"""Columns of items in a table: names of files, and what came inside of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from lighten.core.errors import DataError, LightenError
from lighten.core.home import expanded
from lighten.core.readers import kinds_of_files
from lighten.data.cells import Cell, Embedded, Table, quoted

_MOSTLY = 0.9
"""A column holds items where at least this share of its filled cells does."""
_SEEN = 500


class FileName(str):
    """A cell that names a file: the text as it is written, with the folder that it is relative to."""

    folder: Path

    def __new__(cls, name: str, folder: Path) -> FileName:
        """A name, relative to a folder unless it is absolute."""
        made = super().__new__(cls, name)
        made.folder = folder
        return made

    @property
    def place(self) -> Path:
        """Where the file lies."""
        return (self.folder / expanded(self)).absolute()


def with_file_names(table: Table, folder: Path) -> Table:
    """The table with the cells of columns that name files of items as :class:`FileName`.

    Args:
        folder: that the names are relative to.
    """
    suffixes = kinds_of_files()
    found = {}
    for name, cells in table.columns.items():
        seen = [cell for cell in cells[:_SEEN] if isinstance(cell, str) and cell.strip()]
        if seen and sum(suffix_of(cell) in suffixes for cell in seen) >= _MOSTLY * len(seen):
            found[name] = tuple(FileName(cell, folder) if isinstance(cell, str) and cell else cell for cell in cells)
    return Table({**table.columns, **found}, table.source, table.notes) if found else table


def table_of_files(names: Sequence[str]) -> Table:
    """A table of files that are items themselves, in one column that has the name of their kind.

    Raises:
        DataError: none, one that is no item, or several kinds. Whether each is there shows when it is opened.
    """
    kinds = {name: kind_of_file(expanded(name)) for name in names}
    other = next((name for name, kind in kinds.items() if not kind), None)
    if other is not None or len(set(kinds.values())) != 1:
        seen = (
            f"{other} is no file that is answered by itself"
            if other is not None
            else "These are files of several kinds"
        )
        raise DataError(
            f"{seen}.",
            allowed=f"one file or folder of data, or files that end in {', '.join(kinds_of_files())}",
            fix="check the paths",
        )
    column = next(iter(kinds.values()))
    return Table(
        {column: tuple(FileName(name, Path.cwd()) for name in names)}, f"{len(names)} files" if names[1:] else names[0]
    )


def item_column(table: Table, kind: str, given: str | None, notes: list[str]) -> str:
    """The column that holds items of a kind: the one given, else the only one.

    Args:
        kind: name of their reader. notes: what was found is added here.

    Raises:
        UnknownName: the given column does not exist.
        DataError: it holds something else, or none or several columns fit.
    """
    if given is not None:
        cells = table.column(given)
        if not _holds(cells, kind):
            raise DataError(
                f"The column {given!r} of {table.source} holds no {kind} files: {quoted(called(cells[0]))}.",
                allowed=_allowed(kind),
            )
        return given
    found = [name for name, cells in table.columns.items() if _holds(cells, kind)]
    if len(found) != 1:
        what = f"{len(found)} columns of {kind} files: {', '.join(found)}" if found else f"no column of {kind} files"
        raise DataError(
            f"{table.source} has {what}.",
            allowed=f"a column with {_allowed(kind)}, or a folder of such files for each class",
            fix="say which column, with --text" if found else f"its columns are {', '.join(table.columns)}",
        )
    notes.append(f"Inputs are the {kind} files of the column {found[0]!r}.")
    return found[0]


def no_classes(table: Table, kind: str) -> DataError:
    """The error of items for which nothing says their classes."""
    ending = _endings(kind)[0]
    return DataError(
        f"Nothing says the classes of the {kind} files of {table.source}.",
        allowed=f"a folder for each class (cats/1{ending}, dogs/2{ending}), or a csv with columns of paths and labels",
        fix="put the files of each class into a folder that has the name of the class",
    )


def kinds_in(table: Table) -> set[str]:
    """Kinds of the items that columns of a table hold; none where all that it holds are texts and numbers."""
    return {kind for kind in set(kinds_of_files().values()) for cells in table.columns.values() if _holds(cells, kind)}


def holds_items(cells: Sequence[Cell]) -> bool:
    """Whether a column holds items of any kind but texts."""
    first = next((cell for cell in cells if cell is not None and cell != ""), None)
    return isinstance(first, FileName | Embedded)


def kind_of_file(name: str | PurePath) -> str:
    """Name of the reader for a file, by its suffix; empty where there is none."""
    return kinds_of_files().get(suffix_of(str(name)), "")


def why(error: LightenError) -> str:
    """A reason in one line."""
    return error.seen.rstrip(".")


def called(cell: Cell) -> str:
    """What messages call a cell that holds an item."""
    return cell.name or "a picture without a name" if isinstance(cell, Embedded) else str(cell)


def _holds(cells: Sequence[Cell], kind: str) -> bool:
    seen = [cell for cell in cells[:_SEEN] if cell is not None and cell != ""]
    suffixes: Mapping[str, str] = kinds_of_files()
    fitting = 0
    for cell in seen:
        if isinstance(cell, FileName):
            fitting += suffixes.get(suffix_of(cell)) == kind
        elif isinstance(cell, Embedded):
            fitting += suffixes.get(suffix_of(cell.name), kind) == kind
    return bool(seen) and fitting >= _MOSTLY * len(seen)


def suffix_of(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot >= 0 and len(name) - dot <= 8 and "/" not in name[dot:] else ""


def _allowed(kind: str) -> str:
    return f"paths of files that end in {', '.join(_endings(kind))}"


def _endings(kind: str) -> list[str]:
    return [suffix for suffix, name in kinds_of_files().items() if name == kind] or [""]
