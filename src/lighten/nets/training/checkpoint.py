"""Checkpoint: all that a training must know to go on as though it had never been interrupted, bit for bit.

A folder holds two, or one where they are large, which stands while the next is written::

    state-00000120.safetensors   weights, moments, random states
    best-00000003.safetensors    the best weights so far, written when they change
    kept.safetensors             the same of a large network, while a process trains (see ``kept.Kept``)
    00000120.json                where it stands, what it belongs to, and the SHA-256 of both files

The JSON file is written last. Each file is written under another name, waited for until it is on the disk, and renamed,
so that a kill or the loss of power leaves whole files. One whose files are not what they were is passed over, and
removed once another one has been written.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lighten.core.artifact import sha256
from lighten.core.errors import LightenError, RunFolderError
from lighten.isolate.machine import cpu_flags, cpu_model
from lighten.nets.training.kept import by_itself
from lighten.nets.training.randomness import generators, put_back
from lighten.store.artifacts import disk_error, says_full, writing
from lighten.store.durable import sync

VERSION = 3
"""Of the layout; another one is refused."""
EVERY, SHARE = 30.0, 0.05
"""Seconds between two checkpoints at the least, and share of the time that writing them may take."""
LARGE = 1 << 30
"""Bytes from which one is kept, not two."""
KEPT = "kept.safetensors"
"""File of the folder in which a training keeps the best weights of a network that is too large for the memory."""
DEATHS = "ended-for-memory"
"""File of the folder that counts how often a sitting was ended for want of memory."""
SPENT = "spent-before"
"""File of the folder with the seconds that sittings took which were ended before the first checkpoint."""
RANDOM = "random.torch"
"""Name of the tensor with torch's random state."""


@dataclass(frozen=True)
class Snapshot:
    """What one checkpoint holds.

    Attributes:
        state: plain values: how far the training is. weights, best: tensors by name; best may be empty.
        moments: of the optimizer, tensors by name; counts: its plain values. precision: chosen for the training.
        number: of updates that were done. kept: how often ``best`` had been; its file is written where that changed.
    """

    state: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]
    counts: Mapping[str, Any]
    precision: str
    number: int
    kept: int


@dataclass
class Checkpoints:
    """The checkpoints of one training in a folder of their own.

    Attributes:
        folder: made when it does not exist.
        identity: what the training is of (model, data, settings, versions, ...); one of another is refused.
        every: seconds between two, at the least; 0 writes one after every update.
        notes: what was passed over.
    """

    folder: Path
    identity: Mapping[str, Any]
    every: float = EVERY
    notes: list[str] = field(default_factory=list)
    _last: float = field(default_factory=lambda: time.monotonic())
    _cost: float = 0.0
    _best: tuple[int, str, str] = (-1, "", "")
    _damaged: set[str] = field(default_factory=set)
    """Names of records that were passed over."""

    def due(self) -> bool:
        """Whether it is time for the next one."""
        wait = max(self.every, self._cost / SHARE) if self.every else 0.0
        return time.monotonic() - self._last >= wait

    def save(self, snapshot: Snapshot, held: Path | None = None) -> None:
        """Write a checkpoint; the one before stands until this one does, and one more after it.

        Args:
            held: a file that holds ``best`` already, and is never written to again; None where there is none.

        Raises:
            RunFolderError: the disk is full or cannot be written; the last good checkpoint stands.
        """
        began, number, best = time.monotonic(), snapshot.number, snapshot.kept
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tensors = {f"weights.{name}": tensor for name, tensor in snapshot.weights.items()}
            tensors |= {f"moments.{name}": tensor for name, tensor in snapshot.moments.items()}
            tensors[RANDOM], drawn = generators()
            state = self._write(f"state-{number:08d}.safetensors", tensors)
            has_best = bool(snapshot.best) or held is not None
            if has_best and self._best[0] != best:
                name = f"best-{best:08d}.safetensors"
                self._best = best, *(self._write(name, snapshot.best) if held is None else self._link(name, held))
            files = dict([state, *([self._best[1:]] if has_best else [])])
            record = {
                "version": VERSION,
                "identity": dict(self.identity),
                "state": dict(snapshot.state),
                "counts": dict(snapshot.counts),
                "precision": snapshot.precision,
                "random": drawn,
                "processor": processor(),
                "number": number,
                "kept": best,
                "files": files,
            }
            text = json.dumps(record, sort_keys=True)
            self._put(f"{number:08d}.json", lambda path: path.write_text(text, encoding="utf-8"))
            self._damaged.discard(f"{number:08d}.json")
            self._sweep()
        except (OSError, SafetensorError) as error:
            raise self._unwritten(error) from error
        self._last = time.monotonic()
        self._cost = self._last - began

    def load(self) -> Snapshot | None:
        """The newest whole checkpoint, its random states set; None when there is none.

        Raises:
            RunFolderError: it is of another training, or of another version of lighten; names what differs.
        """
        for path in sorted(self.folder.glob("*.json"), reverse=True):
            record = _read(path)
            if record is None or not self._whole(record):
                self.notes.append(f"The checkpoint {path.name} is damaged; the one before it is taken.")
                self._damaged.add(path.name)
                continue
            self._check(record)
            return self._opened(record)
        return None

    @property
    def spent(self) -> float:
        """Seconds that sittings took which were ended before the first checkpoint, as far as :meth:`spend` knows."""
        try:
            return float((self.folder / SPENT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0.0

    def spend(self, seconds: float) -> None:
        """Write down what was spent so far, before there is a checkpoint; the first one replaces it.

        Raises:
            RunFolderError: the disk is full or cannot be written.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._put(SPENT, lambda path: path.write_text(str(seconds), encoding="utf-8"))

    def remove(self) -> None:
        """Remove all of them: the training is over."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()

    def _opened(self, record: Mapping[str, Any]) -> Snapshot:
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "moments": {}}
        best: dict[str, Tensor] = {}
        drawn = torch.random.get_rng_state()
        for name, digest in record["files"].items():
            if name.startswith("best"):
                best = load_file(self.folder / name)
                self._best = record["kept"], name, digest
                continue
            for key, tensor in load_file(self.folder / name).items():
                if key == RANDOM:
                    drawn = tensor
                else:
                    kind, _, own = key.partition(".")
                    parts[kind][own] = tensor
        put_back(drawn, record["random"])
        if (here := processor()) != (there := record["processor"]):
            self.notes.append(
                f"It goes on on another kind of processor ({here}; the checkpoint is from {there}): sums are rounded "
                "otherwise, and the weights will not be those of one sitting, bit for bit."
            )
        own = {name: record[name] for name in ("state", "counts", "precision", "number", "kept")}
        return Snapshot(weights=parts["weights"], best=best, moments=parts["moments"], **own)

    def _check(self, record: Mapping[str, Any]) -> None:
        if record["version"] != VERSION:
            raise RunFolderError(
                f"The checkpoint in {self.folder} was written by a lighten with another layout ({record['version']}).",
                allowed=f"layout {VERSION}",
                fix="finish the training with the lighten that began it, or give another --out",
            )
        old, new = record["identity"], json.loads(json.dumps(dict(self.identity)))
        changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        if changed:
            lines = "; ".join(f"{name} was {old.get(name)!r} and is now {new.get(name)!r}" for name in changed)
            raise RunFolderError(
                f"--resume: the checkpoint in {self.folder} is of another training: {lines}.",
                allowed="the model, the data, the settings and the libraries that it was begun with",
                fix="ask for what was asked then, or give another --out",
            )

    def _whole(self, record: Mapping[str, Any]) -> bool:
        try:
            return all(sha256(self.folder / name) == digest for name, digest in record["files"].items())
        except (OSError, KeyError, AttributeError):
            return False

    def _write(self, name: str, tensors: Mapping[str, Tensor]) -> tuple[str, str]:
        own = {key: by_itself(tensor) for key, tensor in tensors.items()}
        self._put(name, lambda path: save_file(own, path))
        return name, sha256(self.folder / name)

    def _link(self, name: str, held: Path) -> tuple[str, str]:
        """Give what a file holds another name, without reading it, where the disk can do that."""

        def write(path: Path) -> None:
            try:
                path.hardlink_to(held)
            except OSError:  # another disk, or a file system without links
                shutil.copyfile(held, path)

        self._put(name, write)
        return name, sha256(self.folder / name)

    def _put(self, name: str, write: Any) -> None:
        part, final = self.folder / f".{name}.{os.getpid()}.part", self.folder / name
        try:
            write(part)
            sync(part)
            part.replace(final)
            sync(self.folder)
        finally:
            part.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove all but the last two good ones, of large ones all but the last, and what no record names."""
        records = sorted(path for path in self.folder.glob("*.json") if path.name not in self._damaged)
        kept = {KEPT, DEATHS}
        newest = _read(records[-1]) or {"files": {}}
        large = sum((self.folder / name).stat().st_size for name in newest["files"]) >= LARGE
        for path in records[-1 if large else -2 :]:
            record = _read(path)
            kept |= {path.name, *(record["files"] if record else ())}
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _unwritten(self, error: Exception) -> LightenError:
        there = isinstance(error, OSError)
        if not there and not says_full(error):
            return RunFolderError(f"A checkpoint in {self.folder} could not be written ({error}).")
        known = disk_error(error if isinstance(error, OSError) else OSError(28, str(error)), self.folder)
        stands = any(self.folder.glob("*.json")) if self.folder.is_dir() else False
        seen = f"{known.seen} The last good checkpoint stands." if stands else known.seen
        return RunFolderError(
            seen, allowed=known.allowed, fix="make room and give the same command with --resume; it goes on from there"
        )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and {"version", "identity", "files"} <= set(record) else None


def deaths_in(folder: Path) -> int:
    """How often a sitting of the training in a folder was ended for want of memory."""
    try:
        return int((folder / DEATHS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def count_death(folder: Path) -> None:
    """Count one more; the next sitting cuts its batches. What cannot be written is not counted."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DEATHS).write_text(str(deaths_in(folder) + 1), encoding="utf-8")


def processor() -> str:
    """What of the processor decides how sums are rounded: its kind and name, and what kernels are chosen by."""
    return " ".join((platform.machine(), cpu_model(), torch.backends.cpu.get_cpu_capability(), *cpu_flags()))
