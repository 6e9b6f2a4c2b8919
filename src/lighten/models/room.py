"""Room: whether a copy of a model fits on the disk that it is to go to, before a byte of it is written."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.errors import RunFolderError
from lighten.core.format import Recognized
from lighten.core.matching import format_named

SPARE = 16 << 20
"""Bytes beside a model that must be free: configs, tokenizers and what the system itself writes."""
LEAST_SECONDS = 600.0
"""How long bringing a model may take, however small it is: it is read, checked and opened."""
SLOWEST = 20e6
"""Bytes a second that a slow disk copies and hashes, such as one of a network."""


def size_of_model(found: Recognized) -> int:
    """Bytes of what is copied of a model.

    Raises:
        ModelError: its files cannot be told.
    """
    if found.sealed:
        return Artifact.open(found.path, verify=False).size
    return sum(path.stat().st_size for path in format_named(found.format).files(found) if path.is_file())


def seconds_to_bring(size: int) -> float:
    """How long it may take to bring a model of so many bytes."""
    return LEAST_SECONDS + size / SLOWEST


def check_room(folder: Path, size: int, model: str) -> None:
    """Refuse to copy a model to where it does not fit.

    Args:
        folder: that it is to be copied into; need not exist yet. size: bytes of it. model: what the user calls it.

    Raises:
        RunFolderError: says how much is free and where another place can be named.
    """
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(place).free
    if free >= size + SPARE:
        return
    temporary = Path(tempfile.gettempdir())
    inside = place.resolve().is_relative_to(temporary.resolve())
    where = temporary if inside else place
    raise RunFolderError(
        f"{model} takes {size / 1e9:,.1f} GB, and the disk of {where} has {free / 1e9:,.1f} GB left for a copy of it.",
        fix="set TMPDIR to a folder on a larger disk, or free some space" if inside else "free some space",
    )
