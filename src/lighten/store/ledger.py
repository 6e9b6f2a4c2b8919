"""The ledger of opened proofs: which rows this machine's runs have judged models by, so that a later run can say so.

A proof part is only worth its confidence the first time: another seed, floor or folder that judges by the same rows
chooses after looking. So each opening leaves one small file in ``$LIGHTEN_HOME/proofs``: a line of JSON (when, which
run, which data) and hashes of the rows, no texts. Nothing leaves the machine, and who deletes the folder starts anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import LightenError
from lighten.core.home import lighten_home

MOST_HASHES = 65_536
"""Of more rows, a fixed share is kept: those whose hash is a multiple of a power of two."""
LEAST_SHARE = 0.01
"""Openings that share fewer of the rows than this are chance: short texts occur in many data sets."""

_BYTES = np.dtype(">u8")
_SUFFIX = ".rows"


@dataclass(frozen=True, slots=True)
class Openings:
    """What the ledger knows of some rows.

    Attributes:
        rows: how many of them were opened before; an estimate where only a share of the hashes is kept.
        runs: by how many runs or comparisons.
        problem: why the ledger could not be read or written; empty when it could.
    """

    rows: int = 0
    runs: int = 0
    problem: str = ""


def earlier_openings(ids: Sequence[str], name: str = "") -> Openings:
    """How often these rows were opened before.

    Args:
        ids: of the rows (``Rows.ids``). name: of the opening that is not to be counted, because it is this one.
    """
    own = _hashes(ids)
    seen, estimate, runs = np.zeros(len(own), dtype=np.bool_), 0, 0
    try:
        for every, kept in _entries(_folder(), name):
            found = np.isin(own, kept)
            shared = int(found.sum()) * every
            if shared >= max(1.0, LEAST_SHARE * len(own)):
                runs += 1
                seen |= found
                estimate = max(estimate, shared)
    except (OSError, RuntimeError, LightenError) as error:
        return Openings(problem=_problem("read", error))
    return Openings(min(len(own), max(estimate, int(seen.sum()))), runs)


def record_opening(name: str, ids: Sequence[str], *, run: str, data: str) -> str:
    """Keep that these rows are opened now; what could not be kept comes back as a sentence, and the run goes on.

    Args:
        name: of the opening; the same name is one opening, however often it is recorded.
        run: what opens them, for whoever reads the ledger. data: where they are from.
    """
    hashes, every = np.unique(_hashes(ids)), 1
    while len(hashes) > MOST_HASHES:
        every *= 2
        hashes = hashes[hashes % np.uint64(every) == 0]
    head = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "run": run, "data": data, "rows": len(ids)}
    line = json.dumps({**head, "every": every}, ensure_ascii=True) + "\n"
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{name}.{os.getpid()}.part"
        part.write_bytes(line.encode() + hashes.astype(_BYTES).tobytes())
        part.replace(folder / f"{name}{_SUFFIX}")
    except (OSError, RuntimeError, LightenError) as error:
        return _problem("written", error)
    return ""


def _folder() -> Path:
    return lighten_home() / "proofs"


def _entries(folder: Path, name: str) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Every sound entry but ``name``: which share of its hashes it keeps (one in so many), and the hashes."""
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path.stem == name:
            continue
        line, _, data = path.read_bytes().partition(b"\n")
        try:
            every = int(json.loads(line)["every"])
        except (ValueError, KeyError, TypeError):  # cut off by a power failure: it says nothing
            continue
        if every > 0 and len(data) % _BYTES.itemsize == 0:
            yield every, np.frombuffer(data, dtype=_BYTES).astype(np.uint64)


def _hashes(ids: Sequence[str]) -> NDArray[np.uint64]:
    return np.fromiter((int(one, 16) for one in ids), dtype=np.uint64, count=len(ids))


def _problem(what: str, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).partition("\n")[0]
    return (
        f"The ledger of opened proofs could not be {what} ({reason}), so it is not known how often these rows were "
        "opened; LIGHTEN_HOME names a folder for it."
    )
