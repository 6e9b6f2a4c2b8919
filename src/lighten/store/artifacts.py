"""Artifacts by the key of what makes them, so that nothing is made twice. Writing is atomic: whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError, RunFolderError

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


class ArtifactStore:
    """A folder of artifacts, each under the key of what made it.

    Args:
        root: made when it does not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process left half-written. Only for the one process that holds the run's lock."""
        for leftover in self.root.glob("*.part"):
            discard(leftover)

    def get(self, key: str) -> Artifact | None:
        """The artifact under ``key``; None when it was not made yet. Its files are verified.

        Raises:
            UnsafeFile: it was changed after it was made.
        """
        folder = self.root / key
        return Artifact.open(folder) if folder.is_dir() else None

    def put(self, key: str, write: Callable[[Path], Mapping[str, Any]]) -> Artifact:
        """Make the artifact under ``key``: ``write`` fills an empty folder and returns the arguments for sealing it.

        Raises:
            RunFolderError: the disk is full or cannot be written. Any other error of ``write`` is passed on.
        """
        part, old = (self.root / f"{key}.{os.getpid()}{kind}.part" for kind in ("", ".old"))
        final = self.root / key
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            sealed = Artifact.seal(part, **write(part))
            if final.is_dir():
                final.rename(old)  # renamed first, so that a kill leaves a whole one or none
            part.rename(final)
        except OSError as error:
            if error.errno in FULL + REFUSED:
                raise disk_error(error, self.root) from error
            raise
        except Exception as error:
            if _says_full(error):
                raise disk_error(OSError(errno.ENOSPC, str(error)), self.root) from error
            raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
        return replace(sealed, path=final)


def discard(leftover: Path) -> None:
    """Remove a file, link or folder that a killed process left; its orphans may write there for one more moment."""
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink(missing_ok=True)


def key_of(**what: Any) -> str:
    """Key (32 hex digits) of what makes an artifact: any plain values."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def _says_full(error: Exception) -> bool:
    """Whether a library that writes its files in Rust or C++ ran into a full disk: it raises classes of its own."""
    return "No space left on device" in str(error) or "os error 28" in str(error)


def disk_error(error: OSError, folder: Path) -> LightenError:
    """The clear error behind an ``OSError`` of writing to ``folder``."""
    if error.errno in FULL:
        place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(place).free / 1e6
        return RunFolderError(
            f"The disk of {folder} is full ({free:,.0f} MB free). What was finished is kept.",
            fix="free some space and run the same command with --resume, or give --out on another disk",
        )
    if error.errno in REFUSED:
        return RunFolderError(
            f"{error.filename or folder} cannot be written ({error.strerror}).", fix="give --out a folder you own"
        )
    return RunFolderError(f"{error.filename or folder} cannot be used ({error.strerror or error}).")
