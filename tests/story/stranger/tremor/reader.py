"""Readings of three sensors over time, from files with a line for each moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import DataError, ModelError
from lighten.core.item import Item, Reference, content_hash, shown
from lighten.core.reader import Reader

FILE = "trace_reader.json"
Trace = NDArray[np.float32]


class TraceReader(Reader[Trace]):
    """Makes [3, moments] of a trace, whatever its length, in units of ``scale``."""

    suffixes: ClassVar[tuple[str, ...]] = (".trace",)

    def __init__(self, moments: int, scale: float) -> None:
        self.moments, self.scale = moments, scale

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        return (folder / FILE).is_file()

    @classmethod
    def open(cls, folder: Path) -> TraceReader:
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{folder / FILE} cannot be read ({error}).") from error

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps({"moments": self.moments, "scale": self.scale}), encoding="utf-8")

    def __call__(self, items: Sequence[Item]) -> list[Trace]:
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Trace:
        if not isinstance(item, Reference):
            raise DataError(f"{shown(item)} is no trace.", allowed="a .trace file")
        found = read(Path(item.path))
        places = np.linspace(0, len(found) - 1, self.moments).round().astype(int)
        return np.ascontiguousarray(found[places].T / self.scale, dtype=np.float32)

    def size(self, example: Trace) -> int:
        return int(example.size)

    def batch(self, examples: Sequence[Trace], size: int | None = None) -> dict[str, NDArray[Any]]:
        return {"readings": np.stack(list(examples))}

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        return {"readings": ("batch",)}

    def probe(self) -> list[Trace]:
        waves = np.sin(np.outer(np.arange(1, 9), np.arange(3 * self.moments)) / 7.0)
        return [wave.reshape(3, self.moments).astype(np.float32) for wave in waves]

    @classmethod
    def describe(cls, path: Path, member: str = "") -> Reference:
        found = read(path)
        return Reference(str(path.resolve()), content_hash(path.read_bytes()), "trace", int(found.size))


def read(path: Path) -> Trace:
    """[moments, 3] of a file.

    Raises:
        DataError: it holds no trace.
    """
    try:
        rows = [[float(cell) for cell in line.split(",")] for line in path.read_text(encoding="utf-8").splitlines()]
        found = np.array(rows, dtype=np.float32)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no trace ({error}).", allowed="three numbers in each line") from error
    if found.ndim != 2 or found.shape[1] != 3 or not np.isfinite(found).all():
        raise DataError(f"{path} is no trace.", allowed="three numbers in each line")
    return found
