"""The run folder: its layout, its lock, and whether it may be used or resumed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lighten.core.errors import DataError, RunFolderError
from lighten.core.home import expanded
from lighten.core.item import from_plain, to_plain
from lighten.core.rows import Parts, Rows
from lighten.store.artifacts import ArtifactStore, discard, disk_error
from lighten.store.durable import sync
from lighten.store.study import Study

MANIFEST = "manifest.json"
LIMITS, PLACE = "limits", "begun in"
"""Keys of a manifest that a resumed run may change: what bounds the search, and the folder it was asked from."""


class RunFolder:
    """A folder that one run owns.

    Attributes:
        path: the folder.
        store: artifacts; study: candidates and answers.
    """

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self.path = path
        self._lock = lock
        self.store = ArtifactStore(path / "store")
        self.store.sweep()
        self.study = Study(path / "study.db")

    @classmethod
    def open(cls, path: Path, manifest: Mapping[str, Any], *, resume: bool) -> RunFolder:
        """Make the folder, or take up the run in it.

        Args:
            manifest: what the run was asked (plain values); a resumed run must be asked the same.

        Raises:
            RunFolderError: not writable, holds another run or other files, or another process works in it.
        """
        cls.check(path, manifest, resume=resume)
        old = path / MANIFEST
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, path.parent) from error
        lock = _locked(path)
        try:
            cls.check(path, manifest, resume=resume)  # again: another process may have been here before the lock
            for leftover in path.glob(".*.part"):
                discard(leftover)
            if not old.is_file() or _manifest_in(old) != json.loads(json.dumps(manifest)):
                write_whole(old, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
            return cls(path, lock)
        except OSError as error:
            lock.close()
            raise disk_error(error, path) from error
        except BaseException:
            lock.close()
            raise

    @staticmethod
    def check(path: Path, manifest: Mapping[str, Any], *, resume: bool) -> None:
        """Whether the folder may be used, before anything is written; see :meth:`open`.

        Raises:
            RunFolderError: not writable, holds another run or other files.
        """
        try:
            _check(path, manifest, resume)
        except OSError as error:
            raise disk_error(error, path) from error

    def close(self) -> None:
        """Give the lock back."""
        self.study.close()
        self._lock.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Be the only process that works in a run's folder, inside.

    Raises:
        RunFolderError: another one does.
    """
    with _locked(path):
        yield


def _locked(path: Path) -> IO[str]:
    try:
        lock = (path / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise RunFolderError(f"Another process is working in {path}.", fix="wait for it or end it") from error
    except OSError as error:
        lock.close()
        raise disk_error(error, path) from error
    return lock


def _check(path: Path, manifest: Mapping[str, Any], resume: bool) -> None:
    old = path / MANIFEST
    if path.exists() and not path.is_dir():
        raise RunFolderError(f"--out {path} is a file.", fix="give a folder")
    if old.is_file():
        if not resume:
            raise RunFolderError(
                f"--out {path} holds a run already.",
                fix=f"go on with it (lighten resume {path}), or give another --out",
            )
        _same(_manifest_in(old), json.loads(json.dumps(manifest)), path)
    elif path.is_dir() and any(not _ours(entry) for entry in path.iterdir()):
        raise RunFolderError(f"--out {path} holds files that are not a run.", fix="give a new or empty folder")
    elif resume:
        raise RunFolderError(f"--resume: there is no run in {path}.", fix="leave --resume out to start one")
    parent = next(place for place in (path, *path.resolve().parents) if place.exists())
    if not os.access(parent, os.W_OK):
        raise RunFolderError(f"{parent} cannot be written.", fix="give --out a folder you own")


def _ours(entry: Path) -> bool:
    """Whether it is what a run that was killed before it wrote its manifest leaves."""
    return entry.name == ".lock" or (entry.name.startswith(f".{MANIFEST}.") and entry.suffix == ".part")


def manifest_at(run: Path) -> Mapping[str, Any]:
    """What the run in a folder was asked.

    Raises:
        RunFolderError: there is no run, or its manifest is damaged.
    """
    path = run / MANIFEST
    try:
        return _manifest_in(path)
    except FileNotFoundError:
        raise RunFolderError(
            f"There is no run in {run}: it has no {MANIFEST}.", fix="give the folder of a run, such as runs/reviews"
        ) from None
    except OSError as error:
        raise disk_error(error, path) from error


def check_place(record: Mapping[str, Any], names: Iterable[str]) -> None:
    """See that what a run was given by relative names is found from here, too.

    Raises:
        DataError: the run was begun in another folder.
    """
    began = Path(str(record.get(PLACE, "")))
    for name in names:
        if not expanded(name).is_absolute() and not expanded(name).exists() and (began / name).exists():
            raise DataError(
                f"The run was begun in {began}, and there is no {name} here.", fix=f"cd {began}, and resume it there"
            )


def _manifest_in(path: Path) -> Mapping[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise RunFolderError(f"{path} is damaged.", fix="give another --out")
    return record


def _same(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
    changed = [name for name in sorted({*old, *new} - {LIMITS, PLACE}) if not _equal(old, new, name)]
    if changed:
        lines = "; ".join(f"{name} was {old.get(name)!r} and is now {new.get(name)!r}" for name in changed)
        raise RunFolderError(
            f"--resume: the run in {path} was asked something else: {lines}.",
            fix=f"lighten resume {path} asks what it was asked; or give another --out",
        )


def _equal(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    """Whether both were asked the same; an option that only one lighten knows was not asked where it is empty."""
    if name in old and name in new:
        return bool(old[name] == new[name])
    return not old.get(name) and not new.get(name)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new one, never half of it.

    Lone surrogates, which the user's texts may hold, become JSON escapes.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


COLUMNS = ("targets", "groups", "units", "ids", "references")
"""Columns of rows that are kept beside their inputs."""


def save_parts(parts: Parts, path: Path) -> None:
    """Freeze the data of a run, so that every process and a resumed run see the same rows."""
    rows = {
        name: {"inputs": list(map(to_plain, parts[name].inputs))}
        | {field: list(getattr(parts[name], field)) for field in COLUMNS}
        for name in ("train", "tune", "select", "proof")
    }
    write_whole(path, json.dumps({"labels": parts.labels, "notes": parts.notes, **rows}))


def load_parts(path: Path) -> Parts:
    """Read what :func:`save_parts` wrote.

    Raises:
        OSError, ValueError, KeyError, TypeError: the file is not there, or is broken.
    """
    record = json.loads(path.read_text(encoding="utf-8"))
    rows = {
        name: Rows(
            inputs=tuple(map(from_plain, record[name]["inputs"])),
            **{field: tuple(values) for field, values in record[name].items() if field in COLUMNS},
        )
        for name in ("train", "tune", "select", "proof")
    }
    return Parts(**rows, labels=tuple(record["labels"]), notes=tuple(record["notes"]))
