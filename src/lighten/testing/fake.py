"""An engine that misbehaves as its settings say, to test that one bad candidate harms nothing else."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine, Session
from lighten.core.errors import BuildFailed
from lighten.core.step import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAULTS = (
    "",
    "segv",
    "abort",
    "kill",
    "exit",
    "hang",
    "raise",
    "refuse",
    "memory",
    "bad_alloc",
    "leak",
    "noise",
    "close_stdout",
    "nan",
    "shape",
    "spawn",
)


@dataclass(frozen=True)
class FakeEngine(Engine):
    """Takes and opens folders of the format ``fake``; answers texts by their length, even or odd."""

    consumes: ClassVar[tuple[str, ...]] = ("fake",)
    stores: ClassVar[tuple[str, ...]] = ("fake",)

    fault: str = setting("", "What goes wrong.", choices=FAULTS)
    at: str = setting("run", "When it goes wrong.", choices=("build", "open", "run"))
    after: int = setting(0, "How many runs go well before.", low=0)
    milliseconds: float = setting(0.0, "Time that each input takes.", unit="ms", low=0.0)
    wrong: float = setting(0.0, "Share of texts that are answered wrong.", unit="fraction", low=0.0, high=1.0)

    def version(self) -> str:
        """Always the same."""
        return "fake 1.0"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Copy the one file."""
        if self.at == "build":
            misbehave(self.fault)
        (folder / "fake.txt").write_bytes((artifact.path / "fake.txt").read_bytes())
        return "fake"

    def open(self, artifact: Artifact, *, threads: int) -> Session:
        """Open; ``threads`` are not used."""
        if self.at == "open":
            misbehave(self.fault)
        return FakeSession(self)


class FakeSession(Session):
    """What ``FakeEngine`` opens."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine, self.runs = engine, 0

    def run(self, inputs: Sequence[str]) -> NDArray[Any]:
        """float32 [n, 2]: the class is the parity of the length, but for the share that is to be wrong."""
        import numpy as np

        engine = self.engine
        self.runs += 1
        due = engine.at == "run" and self.runs > engine.after
        if due:
            misbehave(engine.fault)
        time.sleep(engine.milliseconds * len(inputs) / 1e3)
        answers = np.zeros((len(inputs), 2), dtype=np.float32)
        for row, text in enumerate(inputs):
            answers[row, (len(text) + (_draw(text) < engine.wrong)) % 2] = 1.0
        if due and engine.fault == "nan":
            answers[0, 0] = np.nan
        if due and engine.fault == "shape":
            answers = answers[:-1]
        if due and engine.fault == "spawn":
            answers[0, 0] = subprocess.Popen(["sleep", "300"]).pid
        return answers

    def close(self) -> None:
        """Nothing is held."""


def fake_artifact(folder: Path, content: str = "fake") -> Artifact:
    """A sealed artifact of the format ``fake`` in the new folder ``folder``."""
    folder.mkdir(parents=True)
    (folder / "fake.txt").write_text(content, encoding="utf-8")
    return Artifact.seal(folder, format="fake", meta={"labels": ["even", "odd"]})


def misbehave(fault: str) -> None:
    """Do what one of ``FAULTS`` says; those that change answers or do nothing return."""
    match fault:
        case "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            _say("terminate called after throwing an instance of 'std::runtime_error'\n  what(): the fake gave up\n")
            os.abort()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            _say("the fake leaves\n")
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "raise":
            raise RuntimeError("the fake raised")
        case "refuse":
            raise BuildFailed("The fake refuses this model.", fix="use another engine")
        case "memory":
            raise MemoryError
        case "bad_alloc":
            _say("terminate called after throwing an instance of 'std::bad_alloc'\n")
            os.abort()
        case "leak":
            _leak()
        case "noise":
            print("chatter of Python")
            sys.stdout.flush()
            _say('{"event": "chatter that looks like a message"}\n')
            ctypes.CDLL(None).puts(b"chatter of C")
        case "close_stdout":
            os.closerange(1, 3)


def _leak() -> None:
    held = []
    for _ in range(100):  # at most 2 GB, should nobody stop it
        held.append(b"\1" * 20_000_000)
        time.sleep(0.02)


def _say(text: str) -> None:
    os.write(1, text.encode())


def _draw(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4]) / 2**32
