"""An engine that misbehaves as told, to test that one bad candidate harms nothing else; a made-up language model."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, DataError, InputError
from lighten.core.item import Item, shown
from lighten.core.language import GREEDY, LanguageSession, Sampling, Scores, Span, check_spans
from lighten.core.session import Session
from lighten.core.step import setting

if TYPE_CHECKING:
    import numpy as np
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
    "unread",
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
    only: str = setting("", "Text in an input, without which all goes well.")
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

    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """float32 [n, 2]: the class is the parity of the length, but for the share that is to be wrong."""
        import numpy as np

        engine = self.engine
        self.runs += 1
        at_fault = [row for row, text in enumerate(map(shown, inputs)) if engine.only in text]
        due = engine.at == "run" and self.runs > engine.after and bool(at_fault)
        if due:
            misbehave(engine.fault)
        time.sleep(engine.milliseconds * len(inputs) / 1e3)
        answers = np.zeros((len(inputs), 2), dtype=np.float32)
        for row, text in enumerate(map(shown, inputs)):
            answers[row, (len(text) + (draw_of(text) < engine.wrong)) % 2] = 1.0
        if due and engine.fault == "nan":
            answers[at_fault[0], 0] = np.nan
        if due and engine.fault == "shape":
            answers = answers[:-1]
        if due and engine.fault == "spawn":
            answers[0, 0] = subprocess.Popen(["sleep", "300"]).pid
        return answers

    def sizes(self, inputs: Sequence[Item]) -> list[int]:
        """Letters of each input."""
        return [len(shown(one)) for one in inputs]

    def close(self) -> None:
        """Nothing is held."""


class FakeLanguageSession(LanguageSession):
    """A language model whose tokens are bytes, and whose next token depends on the last one alone.

    Args:
        seed: another seed is another model.
        context, streams: see :class:`LanguageSession`.

    Attributes:
        asked: prompts of every call of :meth:`generate`.
        table: float64 [258, 258], logarithm of the probability of each token (column) after another (row).
    """

    BEGIN, END = 256, 257

    def __init__(self, seed: int = 0, *, context: int = 2048, streams: int = 4) -> None:
        import numpy as np

        self.context, self.streams = context, streams
        self.asked: list[list[list[int]]] = []
        logits = np.random.default_rng(seed).normal(scale=2.0, size=(258, 258))
        logits[:, self.BEGIN] = -100.0
        self.table = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """The bytes of the text; ``<end>`` is the one control token that can be written out."""
        parts = text.split("<end>") if special else [text]
        ids = [[*part.encode("utf-8", "surrogatepass"), self.END] for part in parts]
        return [*([self.BEGIN] if begin else []), *(token for part in ids for token in part)][:-1]

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        return [bytes([token]) if token < self.BEGIN else b"" for token in tokens]

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return token == self.END

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        import numpy as np

        check_spans(spans, self.context)
        found = []
        for span in spans:
            before = [span.context[-1], *span.targets[:-1]]
            greedy = self.table[before].argmax(axis=1).astype(np.int32)
            found.append(Scores(self.table[before, list(span.targets)], greedy))
        return found

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """``streams`` prompts at a time, one token of each in turn."""
        import numpy as np

        self.asked.append([list(prompt) for prompt in prompts])
        for prompt in prompts:
            if not 0 < len(prompt) < self.context:
                raise InputError(f"A prompt has {len(prompt)} tokens.", allowed=f"1 to {self.context - 1}")
        random = np.random.default_rng(sampling.seed)
        made: list[list[int]] = [[] for _ in prompts]
        for start in range(0, len(prompts), self.streams):
            running = list(range(start, min(start + self.streams, len(prompts))))
            while running:
                for number in tuple(running):
                    token = self._next((made[number] or prompts[number])[-1], sampling, random)
                    over = stop and self.ends(token)
                    if not over:
                        made[number].append(token)
                        over = heard is not None and heard(number, token)
                    if over or len(made[number]) >= min(most, self.context - len(prompts[number])):
                        running.remove(number)
        return made

    def _next(self, last: int, sampling: Sampling, random: np.random.Generator) -> int:
        import numpy as np

        row = self.table[last]
        if sampling.temperature <= 0:
            return int(row.argmax())
        order = np.argsort(-row)
        shares = np.exp(row[order] / sampling.temperature)
        kept = int(np.searchsorted(np.cumsum(shares / shares.sum()), sampling.top_p)) + 1
        return int(random.choice(order[:kept], p=shares[:kept] / shares[:kept].sum()))

    def close(self) -> None:
        """Nothing is held."""


def fake_artifact(folder: Path, content: str = "fake") -> Artifact:
    """A sealed artifact of the format ``fake``, a classifier of texts, in the new folder ``folder``."""
    folder.mkdir(parents=True)
    (folder / "fake.txt").write_text(content, encoding="utf-8")
    return Artifact.seal(folder, format="fake", meta={"labels": ["even", "odd"], "task": "text_classification"})


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
        case "unread":
            raise DataError("the fake cannot read it.")
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


def draw_of(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4]) / 2**32
