"""What all readers of the catalogue together know: which one a model has, which one a file is for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.errors import InputError, ModelError
from lighten.core.item import Item, references_in
from lighten.core.reader import Reader


def reader_in(folder: Path) -> Reader[Any]:
    """The reader whose files are in a model's folder.

    Raises:
        ModelError: no reader knows them, or they cannot be read.
    """
    for cls in _usable().values():
        if cls.is_in(folder):
            return cls.open(folder)
    raise ModelError(
        f"{folder} does not say how inputs become numbers.",
        allowed=f"the files of one of these readers: {', '.join(catalog.names('readers'))}",
        fix="save the tokenizer or the processor of the model into the folder",
    )


def reader_of(kind: str) -> type[Reader[Any]]:
    """The class of a reader by its name, which is the ``kind`` of references.

    Raises:
        UnknownName: there is no such reader. MissingExtra: its libraries are not installed.
    """
    return catalog.load("readers", kind)


def reader_for(items: Sequence[Item]) -> type[Reader[Any]]:
    """The class of the reader that reads items: the one that their references name, for texts the one that reads no
    files.

    Raises:
        ModelError: nothing that is installed reads them.
    """
    first = next(references_in(tuple(items)), None)
    if first is not None:
        return reader_of(first.kind)
    found = next((cls for cls in _usable().values() if not cls.suffixes), None)
    if found is None:
        raise ModelError("Nothing here reads texts.", fix="install the package that brings it")
    return found


def kinds_of_files() -> dict[str, str]:
    """Name of the reader by the suffix of files, in lower case with its dot, that are items."""
    return {suffix: name for name, cls in _usable().items() for suffix in cls.suffixes}


def is_known(data: bytes) -> bool:
    """Whether the content of a file begins as the items of some reader do."""
    return any(cls.begins(data) for cls in _usable().values())


def preview(item: Item) -> str:
    """A ``data:`` address of a small picture of the first file of an item; empty where there is none to be shown."""
    with contextlib.suppress(InputError, StopIteration):
        first = next(references_in(item))
        return reader_of(first.kind).preview(first)
    return ""


def example_of(items: Sequence[Item]) -> tuple[str, bool]:
    """An item as a user gives one that is of the same kind as these, and whether it is a file."""
    with contextlib.suppress(InputError):
        found = reader_for(items)
        return found.example or "".join(f"file{suffix}" for suffix in found.suffixes[:1]), bool(found.suffixes)
    return "", False


def _usable() -> dict[str, type[Reader[Any]]]:
    """Every reader by its name; a package that cannot be imported harms only itself."""
    found = {}
    for name in catalog.names("readers"):
        with contextlib.suppress(InputError):
            found[name] = reader_of(name)
    return found
