"""Two workers: one that dies ends the training, nothing stays behind, and it is taken up bit for bit."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import PeerLost, SessionCrashed, StepFailed
from lighten.core.rows import Parts
from lighten.fitting.launch import Launch
from lighten.fitting.scalars import read_curve
from lighten.fitting.workers import Workers
from lighten.models.bring import bring
from lighten.store.folder import save_parts
from lighten.testing.tiny import tiny_network_folder, toy_rows

PROGRAM = """
import json, sys
from lighten.core.errors import LightenError
from lighten.fitting.launch import Launch
from lighten.fitting.workers import Workers
workers = Workers(Launch.found(int(sys.argv[2]), 2), 1)
try:
    workers.fit(json.loads(sys.argv[1]), lambda event: None)
except LightenError as error:
    sys.exit(str(error))
finally:
    workers.close()
"""
PATIENCE = 300.0
"""Seconds that a test waits for what takes less than one on a quiet machine."""


def asked(place: Path, folder: Path) -> dict[str, Any]:
    return {
        "base": str(place / "base"), "parts": str(place / "parts.json"), "task": {"use": "text_classification"},
        "settings": {
            "epochs": 40.0, "batch_rows": 8, "dropout": 0.1, "precision": "fp32", "workers": 2,
            "learning_rate": 1e-4,
        },
        "seconds": None, "seed": 0, "threads": 1, "folder": str(folder), "model": "mine",
    }  # fmt: skip


def fit(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    workers = Workers(Launch(2, 2), 1)
    try:
        return workers.fit(arguments, lambda event: None)
    finally:
        workers.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    bring(str(tiny_network_folder(folder / "net", layers=2, labels=None)), folder / "base")
    some = [replace(toy_rows(40, seed=n), ids=tuple(f"{100 * n + k:016x}" for k in range(40))) for n in range(4)]
    save_parts(Parts(*some, labels=("bad", "good")), folder / "parts.json")
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    return folder


def digest(run: Path) -> str:
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


def children(parent: int) -> list[int]:
    """Process ids of the children of a process, in the order in which they were started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


@contextmanager
def ended(*processes: subprocess.Popen[Any]) -> Iterator[tuple[subprocess.Popen[Any], ...]]:
    """Processes that are not there any more afterwards, whatever happens: what they started ends with them."""
    try:
        yield processes
    finally:
        for one in processes:
            one.kill()
            one.wait()
            if one.stderr is not None:
                one.stderr.close()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_one_that_dies_ends_the_training_which_is_taken_up_bit_for_bit(place: Path) -> None:
    whole = fit(asked(place, place / "whole"))
    assert whole["settings"]["batch"] == 16 and whole["learned"] == 40 * whole["epochs"]
    assert whole["cost"]["cpu_seconds"] > 0 and whole["cost"]["memory"] > 2e8
    run = place / "killed"
    command = [sys.executable, "-c", PROGRAM, json.dumps(asked(place, run)), "2"]
    environment = {**os.environ, "LIGHTEN_CHECKPOINT_SECONDS": "0"}
    with ended(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)) as (parent,):
        until = time.monotonic() + PATIENCE
        while not any(point.step >= 4 for point in read_curve(run / "scalars.jsonl")):
            assert parent.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        both = children(parent.pid)
        assert len(both) == 2
        os.kill(both[1], signal.SIGKILL)
        _, words = parent.communicate(timeout=PATIENCE)
    assert parent.returncode == 1 and "SIGKILL" in words and "Worker 1 of 2" in words
    assert all(gone(pid) for pid in both) and not (run / "model").exists()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    machines = [
        subprocess.Popen([*command[:-1], "1"], env={**os.environ, **where, "RANK": str(rank)}) for rank in range(2)
    ]
    with ended(*machines):  # as though a launcher had started them on two machines
        assert [one.wait(PATIENCE) for one in machines] == [0, 0]
    assert digest(run) == digest(place / "whole")


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        ([(0, PeerLost("Lost.")), (1, SessionCrashed("It died."))], "Worker 1 of 2 (from 0) failed"),
        ([(1, PeerLost("Lost.")), (0, StepFailed("It came apart."))], "It came apart."),
        ([(1, PeerLost("Lost."))], "Worker 1 of 2 (from 0) failed"),
    ],
)
def test_the_reason_is_of_the_one_that_failed_first(failures: list[tuple[int, Any]], words: str) -> None:
    workers = Workers(Launch(2, 2), 1)
    for rank, error in failures:
        workers._failed(rank, error)
    assert words in str(workers._reason())
    workers.close()
