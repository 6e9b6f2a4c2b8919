"""The files below a folder: links to folders are followed, and what is hidden is left out and can be counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from errno import ELOOP
from pathlib import Path

from lighten.core.errors import DataError
from lighten.data.cells import count_of

_HIDDEN = (".", "_")
_LEFTOVERS = ("._", "__MACOSX")
"""What file managers leave beside files, and how it begins."""
_SHOWN = 3
_Number = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below a folder, each relative to it, in the order of their paths.

    Attributes:
        files: that are read. hidden: in whose path a name begins with ``.`` or ``_``; folders that begin with ``.`` are
            not looked into. circles: links to themselves, or to a folder that they lie in. again: links to a folder
            whose files are here anyway. unread: what the system does not let one read.
    """

    files: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    circles: tuple[Path, ...] = ()
    again: tuple[Path, ...] = ()
    unread: tuple[Path, ...] = ()

    def notes(self, folder: Path, wanted: Callable[[Path], object]) -> tuple[str, ...]:
        """What was left out, one sentence each.

        Args:
            wanted: whether a hidden file would be read if it had another name; the others are nobody's concern.
        """
        hidden = [path for path in self.hidden if wanted(path) and not _is_leftover(path)]
        found = []
        if hidden:
            found.append(
                f"{count_of(len(hidden), 'file')} of {folder} were left out, as their names or those of their folders "
                f"begin with '.' or '_' ({listed(hidden)})."
            )
        if self.circles:
            many = count_of(len(self.circles), "link leads", "links lead")
            found.append(f"{many} to a folder around it or to itself and went unread ({listed(self.circles)}).")
        if self.again:
            many = count_of(len(self.again), "link leads", "links lead")
            found.append(f"{many} to a folder whose files are read anyway and went unread ({listed(self.again)}).")
        if self.unread:
            many = count_of(len(self.unread), "entry", "entries")
            found.append(f"{many} of {folder} cannot be read and went unread ({listed(self.unread)}).")
        return tuple(found)


def tree_of(folder: Path) -> Tree:
    """Every file below a folder, by way of links to other folders, too.

    Raises:
        DataError: the folder itself cannot be read; what is in it and cannot be read is left out, and counted.
    """
    walk = _Walk(folder)
    try:
        every = sorted(path.relative_to(folder) for path in walk.below(folder, (_number(folder),)))
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror or error}.", fix="check who may read it, or leave it out"
        ) from error
    seen = tuple(path for path in every if not _is_hidden(path))
    hidden = tuple(path for path in every if _is_hidden(path))
    left_out = (
        tuple(sorted(path.relative_to(folder) for path in paths)) for paths in (walk.circles, walk.again, walk.unread)
    )
    return Tree(seen, hidden, *left_out)


def listed(paths: tuple[Path, ...] | list[Path]) -> str:
    """The first few of some paths."""
    return ", ".join(map(str, paths[:_SHOWN])) + (", ..." if len(paths) > _SHOWN else "")


class _Walk:
    """Files below a folder, and what is not followed on the way: see :class:`Tree`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.circles: list[Path] = []
        self.again: list[Path] = []
        self.unread: list[Path] = []

    def below(self, folder: Path, around: tuple[_Number, ...]) -> Iterator[Path]:
        """Files of a folder and of those in it. around: numbers of it and of every folder that it was reached through.

        Raises:
            OSError: the folder cannot be read.
        """
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            path = folder / entry.name
            try:
                if not entry.is_dir():
                    if entry.is_file() or _is_loose(entry):
                        yield path
                elif not entry.name.startswith("."):
                    yield from self._inside(path, entry.is_symlink(), around)
            except OSError as error:
                if not entry.name.startswith("."):
                    (self.circles if error.errno == ELOOP else self.unread).append(path)

    def _inside(self, path: Path, is_link: bool, around: tuple[_Number, ...]) -> Iterator[Path]:
        """Files of a folder within the one that is walked."""
        here = _number(path)
        if here in around:
            self.circles.append(path)
        elif is_link and self._has(path.resolve()):
            self.again.append(path)
        else:
            yield from self.below(path, (*around, here))

    def _has(self, target: Path) -> bool:
        """Whether the files of a folder are found without a link to it."""
        return target.is_relative_to(self.root) and not _is_hidden(target.relative_to(self.root))


def _number(folder: Path) -> _Number:
    """Device and number of a folder, which no other has."""
    known = folder.stat()
    return known.st_dev, known.st_ino


def _is_loose(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a link to nothing: whoever opens it says so, and it is counted as a file that is broken."""
    return entry.is_symlink() and not Path(entry).exists()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.parts)


def _is_leftover(path: Path) -> bool:
    return any(part.startswith(_LEFTOVERS) for part in path.parts)
