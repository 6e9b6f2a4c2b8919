"""Artifacts by the key of what makes them, so that nothing is made twice. Writing is atomic: whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import RECORD, Artifact, sha256
from lighten.core.errors import LightenError, ModelError, RunFolderError, UnsafeFile
from lighten.store.durable import sync, sync_tree

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
LEAST_SHARED = 1 << 16
"""Bytes from which a file that the store has already is kept once, under several names."""


class ArtifactStore:
    """A folder of artifacts, each under the key of what made it.

    An entry that is broken, as the loss of power leaves some, is removed and counts as absent: it is made again.
    A file that another entry holds already takes no more room: it is a hard link to it, which ``Artifact`` allows
    inside a folder of this name (see ``core.artifact.walk_files``).

    Args:
        root: made when it does not exist; its name is ``store``. told: told of each broken entry, in a sentence.
    """

    def __init__(self, root: Path, told: Callable[[str], None] = lambda text: None) -> None:
        self.root, self.told = root, told
        self.root.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process left half-written. Only for the one process that holds the run's lock."""
        for leftover in self.root.glob("*.part"):
            discard(leftover)

    def get(self, key: str) -> Artifact | None:
        """The artifact under ``key``; None when it was not made yet, or is broken. Its files are verified."""
        return self._whole(self.root / key) if (self.root / key).is_dir() else None

    def find(self, id: str, formats: Sequence[str]) -> Artifact | None:
        """An artifact by its content, in one of some formats; what an engine built comes first. Its files are verified.

        Returns:
            None when there is none, or only broken ones.
        """
        every = [one for one in self.every() if one.id == id and one.format in formats]
        for one in sorted(every, key=lambda one: not str(one.step.get("use", "")).startswith("engine ")):
            whole = self._whole(one.path)
            if whole is not None:
                return whole
        return None

    def every(self) -> Iterator[Artifact]:
        """Every artifact whose record can be read, sorted by key. Nothing is verified."""
        for folder in sorted(self.root.iterdir()):
            if (folder / RECORD).is_file() and folder.suffix != ".part":
                try:
                    yield Artifact.open(folder, verify=False)
                except ModelError:
                    continue

    def adopt(self, key: str, artifact: Artifact) -> Artifact:
        """Take an artifact that lies elsewhere, and is not needed there any more, under ``key``.

        Raises:
            RunFolderError: the disk is full or cannot be written.
        """
        part, final = self.root / f"{key}.{os.getpid()}.part", self.root / key
        shutil.rmtree(part, ignore_errors=True)
        try:
            shutil.move(artifact.path, part)
            sync_tree(part)
            if final.exists():
                discard(final)
            part.rename(final)
            sync(self.root)
        except OSError as error:
            raise disk_error(error, self.root) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return Artifact.open(final)

    def _whole(self, folder: Path) -> Artifact | None:
        try:
            return Artifact.open(folder)
        except (UnsafeFile, ModelError) as error:
            self.told(f"{folder.name} of the store was broken ({error.seen}) and is made again.")
            discard(folder)
            return None

    def _share(self, folder: Path, sealed: Artifact) -> None:
        """Make each large file that another entry holds already a link to that one, where links can be made."""
        sizes = {name: (folder / name).stat().st_size for name in sealed.files}
        wanted = {digest for name, digest in sealed.files.items() if sizes[name] >= LEAST_SHARED}
        known = {
            digest: one.path / name for one in self.every() for name, digest in one.files.items() if digest in wanted
        }
        for name, digest in sealed.files.items():
            same = known.get(digest)
            try:
                if same is None or same.samefile(folder / name) or sha256(same) != digest:
                    continue
                link = folder / f"{Path(name).name}.link"
                link.hardlink_to(same)
                link.replace(folder / name)
            except OSError:
                continue  # another disk, a file system without links, too many of them

    def put(self, key: str, write: Callable[[Path], Mapping[str, Any]]) -> Artifact:
        """Make the artifact under ``key``: ``write`` fills an empty folder and returns the arguments for sealing it.

        Raises:
            RunFolderError: the disk is full or cannot be written. Any other error of ``write`` is passed on.
        """
        part, old = (self.root / f"{key}.{os.getpid()}{kind}.part" for kind in ("", ".old"))
        final = self.root / key
        shutil.rmtree(part, ignore_errors=True)
        try:
            with writing(self.root):
                part.mkdir()
                sealed = Artifact.seal(part, **write(part))
                self._share(part, sealed)
                sync_tree(part)
                if final.is_dir():
                    final.rename(old)  # renamed first, so that a kill leaves a whole one or none
                part.rename(final)
                sync(self.root)
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


def says_full(error: Exception) -> bool:
    """Whether a library that writes its files in Rust or C++ ran into a full disk: it raises classes of its own."""
    return "No space left on device" in str(error) or "os error 28" in str(error)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Inside, whatever writes to ``folder``: a disk that is full or cannot be written ends in a clear error.

    Raises:
        RunFolderError: it is. Any other error is passed on.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL + REFUSED:
            raise disk_error(error, folder) from error
        raise
    except Exception as error:
        if says_full(error):
            raise disk_error(OSError(errno.ENOSPC, str(error)), folder) from error
        raise


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
