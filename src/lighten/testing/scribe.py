"""An engine that writes letters in their order, as slowly and as badly as it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.language import GREEDY, Sampling, Scores, Span, check_spans, written_by_steps
from lighten.core.step import setting
from lighten.engines._stepping import SteppingSession
from lighten.testing.fake import FAULTS, misbehave

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEGIN, END = 256, 257
"""Tokens beside the bytes."""
ORDER = "abcdefghijklmnopqrstuvwxyzé".encode()
"""Each of these bytes is followed by the next one, and the last by the first; others are followed by the first, and an
exclamation mark by the end."""
TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"


@dataclass(frozen=True)
class Scribe(Engine):
    """Opens folders of the format ``fake`` as a model that writes."""

    consumes: ClassVar[tuple[str, ...]] = ("fake",)
    stores: ClassVar[tuple[str, ...]] = ("fake",)

    fault: str = setting("", "What goes wrong.", choices=FAULTS)
    after: int = setting(0, "How many tokens go well before.", low=0)
    milliseconds: float = setting(0.0, "Time of a token.", unit="ms", low=0.0)
    cells: int = setting(4096, "Context.", unit="tokens", low=8)
    streams: int = setting(4, "Sequences together.", low=1)

    def version(self) -> str:
        """Always the same."""
        return "scribe 1.0"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Copy the one file."""
        (folder / "fake.txt").write_bytes((artifact.path / "fake.txt").read_bytes())
        return "fake"

    def open(self, artifact: Artifact, *, threads: int) -> ScribeSession:
        """Open; ``threads`` are not used."""
        return ScribeSession(self)


class Page:
    """One sequence: its last token."""

    last = BEGIN


class ScribeSession(SteppingSession):
    """What ``Scribe`` opens. Tokens are bytes, a start and an end; what is likely depends on the last one alone.

    Attributes:
        fed: how many tokens were fed to it.
    """

    vocabulary = 258

    def __init__(self, engine: Scribe) -> None:
        self.engine, self.context, self.streams = engine, engine.cells, engine.streams
        self.fed = 0
        table = np.random.default_rng(5).normal(scale=1.0, size=(258, 258))
        table[:, BEGIN] = -100.0
        follows = dict(zip(ORDER, ORDER[1:] + ORDER[:1], strict=True)) | {ord("!"): END}
        for token in range(258):
            table[token, follows.get(token, ORDER[0])] += 8.0
        self.table = table.astype(np.float32)

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """The bytes of the text; ``<end>`` is the one control token that can be written out."""
        parts = text.split("<end>") if special else [text]
        ids = [token for part in parts for token in (*part.encode("utf-8", "surrogatepass"), END)][:-1]
        return [BEGIN, *ids] if begin else ids

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        return [bytes([token]) if token < BEGIN else b"" for token in tokens]

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return token == END

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_spans(spans, self.context)
        found = []
        for span in spans:
            rows = self.table[[span.context[-1], *span.targets[:-1]]].astype(np.float64)
            logprobs = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
            at = logprobs[np.arange(len(rows)), list(span.targets)]
            found.append(Scores(at, rows.argmax(axis=1).astype(np.int32)))
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
        """See :meth:`LanguageSession.generate`."""
        return written_by_steps(self, prompts, most, sampling=sampling, stop=stop, heard=heard)

    def opened(self) -> Page:
        """See :meth:`SteppingSession.opened`."""
        return Page()

    def feed(self, state: Page, tokens: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`SteppingSession.feed`."""
        self.fed += len(tokens)
        if self.engine.fault and self.fed > self.engine.after:
            misbehave(self.engine.fault)
        time.sleep(self.engine.milliseconds / 1e3)
        state.last = tokens[-1]
        row: NDArray[np.float32] = self.table[state.last]
        return row
