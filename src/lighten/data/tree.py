"""The files below a folder: links to folders are followed, and what is hidden is left out and can be counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lighten.core.errors import DataError
from lighten.data.cells import count_of

_HIDDEN = (".", "_")
_LEFTOVERS = ("._", "__MACOSX")
"""What file managers leave beside files, and how it begins."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below a folder, each relative to it, in the order of their paths.

    Attributes:
        files: that are read. hidden: in whose path a name begins with ``.`` or ``_``. circles: links to a folder that
            they lie in themselves, which are not followed.
    """

    files: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    circles: tuple[Path, ...] = ()

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
            found.append(f"{many} to a folder around it and went unread ({listed(self.circles)}).")
        return tuple(found)


def tree_of(folder: Path) -> Tree:
    """Every file below a folder, by way of links to other folders, too.

    Raises:
        DataError: a folder that cannot be read.
    """
    circles: list[Path] = []
    every = sorted(path.relative_to(folder) for path in _below(folder, (), circles))
    seen = tuple(path for path in every if not _is_hidden(path))
    hidden = tuple(path for path in every if _is_hidden(path))
    return Tree(seen, hidden, tuple(sorted(path.relative_to(folder) for path in circles)))


def listed(paths: tuple[Path, ...] | list[Path]) -> str:
    """The first few of some paths."""
    return ", ".join(map(str, paths[:_SHOWN])) + (", ..." if len(paths) > _SHOWN else "")


def _below(folder: Path, around: tuple[tuple[int, int], ...], circles: list[Path]) -> Iterator[Path]:
    """Files of a folder and of those in it. around: device and number of every folder that it was reached through."""
    try:
        known = folder.stat()
        here = (known.st_dev, known.st_ino)
        if here in around:
            circles.append(folder)
            return
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        inside = [(folder / entry.name, entry.is_dir(), entry.is_file() or _is_loose(entry)) for entry in found]
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror or error}.", fix="check who may read it, or leave it out"
        ) from error
    for path, is_folder, is_file in inside:
        if is_folder:
            yield from _below(path, (*around, here), circles)
        elif is_file:
            yield path


def _is_loose(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a link to nothing: whoever opens it says so, and it is counted as a file that is broken."""
    return entry.is_symlink() and not Path(entry).exists()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.parts)


def _is_leftover(path: Path) -> bool:
    return any(part.startswith(_LEFTOVERS) for part in path.parts)
