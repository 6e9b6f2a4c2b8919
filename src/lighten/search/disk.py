"""Disk: how much space a run takes, told from the headers of its model before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.errors import RunFolderError

CANDIDATES = 5.0
"""Float copies of the model that the files of a whole search take together, about: networks as they were trained, and
what was made of each for the engines. Five gigabytes were left of a search over 268 million weights."""
FLOAT = 4
"""Bytes of a float."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Space on a disk.

    Attributes:
        least: bytes without which no candidate can be made: the model, one float copy of it, and the winner's.
        usual: bytes that a whole search leaves, about. free: bytes that are free now.
    """

    least: int
    usual: int
    free: int

    def sentence(self) -> str:
        """One sentence for a person who is about to wait."""
        return f"The run's files take about {amount(self.usual)}; {amount(self.free)} of its disk are free."


def space_for(out: Path, known: Mapping[str, Any], size: int) -> DiskSpace:
    """What a new run in ``out`` needs.

    Args:
        known: the model's facts. size: bytes of its files.
    """
    whole = max(FLOAT * int(known.get("parameters", 0)), size)
    place = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    return DiskSpace(2 * size + whole, round(2 * size + CANDIDATES * whole), shutil.disk_usage(place).free)


def check_disk(out: Path, space: DiskSpace) -> None:
    """Refuse a run that could not leave a winner.

    Raises:
        RunFolderError: the disk is too full for the model, one candidate and the winner.
    """
    if space.free < space.least:
        raise RunFolderError(
            f"The disk of {out} has {amount(space.free)} left; the model, one candidate and the winner take "
            f"{amount(space.least)}, a whole search about {amount(space.usual)}.",
            fix="free some space (lighten clean RUN does for a finished run), or give --out on another disk",
        )


def size_of(source: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    if source.is_file():
        return source.stat().st_size
    return sum(path.stat().st_size for path in source.rglob("*") if path.is_file())


def amount(size: float) -> str:
    """Bytes as people read them.

    >>> amount(5_200_000_000), amount(87_000_000), amount(1_200)
    ('5.2 GB', '87 MB', '0.0 MB')
    """
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"
