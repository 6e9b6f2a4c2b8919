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


class ArtifactStore:
    """A folder of artifacts, each under the key of what made it.

    Args:
        root: made when it does not exist. Leftovers of a killed process are removed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process left half-written. Only for the one process that holds the run's lock."""
        for leftover in self.root.glob("*.part"):
            shutil.rmtree(leftover)

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
            RunFolderError: the disk is full or cannot be written.
        """
        part = self.root / f"{key}.{os.getpid()}.part"
        try:
            part.mkdir()
            sealed = Artifact.seal(part, **write(part))
            final = self.root / key
            if final.is_dir():
                shutil.rmtree(final)
            part.rename(final)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise disk_error(error, self.root) from error
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return replace(sealed, path=final)


def key_of(**what: Any) -> str:
    """Key (32 hex digits) of what makes an artifact: any plain values."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def disk_error(error: OSError, folder: Path) -> LightenError:
    """The clear error behind an ``OSError`` of writing to ``folder``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder).free / 1e6
        return RunFolderError(
            f"The disk of {folder} is full ({free:,.0f} MB free). What was finished is kept.",
            fix="free some space and run the same command with --resume, or give --out on another disk",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RunFolderError(
            f"{error.filename or folder} cannot be written ({error.strerror}).", fix="give --out a folder you own"
        )
    return RunFolderError(f"{error.filename or folder} cannot be used ({error.strerror or error}).")
