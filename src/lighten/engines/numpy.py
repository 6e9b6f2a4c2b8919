"""Cheap baselines on the CPU: n-gram, hidden Markov and LSTM models over bytes, linear models of choices, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, InputError
from lighten.core.item import Item, texts
from lighten.core.language import (
    GREEDY,
    Answers,
    ChoiceSession,
    Sampling,
    Scores,
    Span,
    check_spans,
    check_tokens,
)
from lighten.engines._sampling import chosen
from lighten.engines._stepping import SteppingSession
from lighten.nets.baselines.byte_model import BOUNDARY, ByteModel, Cursors, symbols_of
from lighten.nets.baselines.linear import LinearModel, open_linear
from lighten.nets.baselines.opening import open_byte_lm

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTEXT = 1 << 20
"""Most tokens of a sequence. The models have no limit of their own."""
STREAMS = 256
TOGETHER = 256
"""Texts of which a linear model holds the n-grams at a time."""
ASKED = "It works, whatever the manual says."


@dataclass(frozen=True)
class NumPy(Engine):
    """lighten's own arithmetic on models that are small enough for it; needs no other library and no settings."""

    title: ClassVar[tuple[str, str]] = ("NumPy, lighten’s own arithmetic", "NumPy（lighten 自带的运算）")
    consumes: ClassVar[tuple[str, ...]] = ("byte-lm", "linear")
    stores: ClassVar[tuple[str, ...]] = ("byte-lm", "linear")

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        return f"numpy {np.__version__}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Open the model, ask it once, write it."""
        if artifact.format == "linear":
            linear = open_linear(artifact.path)
            said = linear.logprobs([ASKED])
            linear.save(folder)
        else:
            model = open_byte_lm(artifact.path)
            said = model.score([Span((BOUNDARY,), tuple(symbols_of(ASKED)))])[0].logprobs
            model.save(folder)
        if not np.isfinite(said).all():
            raise BuildFailed("The model answers with numbers that are not finite.")
        return artifact.format

    def open(self, artifact: Artifact, *, threads: int) -> ByteSession | LinearSession:
        """See :meth:`Engine.open`."""
        if artifact.format == "linear":
            return LinearSession(open_linear(artifact.path))
        return ByteSession(open_byte_lm(artifact.path))


class Place:
    """A place in one text; nothing before its first token."""

    cursors: Cursors | None = None


class ByteSession(SteppingSession):
    """See :class:`LanguageSession`. Tokens are bytes, and the boundary that begins and ends a text."""

    context = CONTEXT
    streams = STREAMS

    def __init__(self, model: ByteModel) -> None:
        self._model: ByteModel | None = model

    @property
    def model(self) -> ByteModel:
        """The model.

        Raises:
            InputError: the session was closed.
        """
        if self._model is None:
            raise InputError("This session is closed.", fix="open the artifact again")
        return self._model

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """See :meth:`LanguageSession.encode`. No control token can be written out in a text."""
        return [BOUNDARY, *symbols_of(text)] if begin else symbols_of(text)

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        check_symbols(tokens)
        return [b"" if token == BOUNDARY else bytes([token]) for token in tokens]

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return token == BOUNDARY

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_spans(spans, self.context)
        for span in spans:
            check_symbols(span.context)
            check_symbols(span.targets)
        return self.model.score(spans)

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """See :meth:`LanguageSession.generate`. Each prompt has draws of its own, whatever it is asked with."""
        answers = Answers(self, prompts, most, stop=stop, heard=heard)
        for prompt in prompts:
            check_symbols(prompt)
        for begin in range(0, len(prompts) if most > 0 else 0, self.streams):
            numbers = range(begin, min(begin + self.streams, len(prompts)))
            _write(self.model.cursors([prompts[number] for number in numbers]), numbers, sampling, answers)
        return answers.kept

    @property
    def vocabulary(self) -> int:
        """See :attr:`LanguageSession.vocabulary`."""
        return BOUNDARY + 1

    def opened(self) -> Place:
        """See :meth:`SteppingSession.opened`."""
        return Place()

    def feed(self, state: Place, tokens: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`SteppingSession.feed`."""
        if state.cursors is None:
            state.cursors = self.model.cursors([tokens])
        else:
            for token in tokens:
                state.cursors.feed([token])
        logits: NDArray[np.float32] = np.log(state.cursors.probabilities()[0]).astype(np.float32)
        return logits

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self._model = None


def _write(places: Cursors, numbers: Sequence[int], sampling: Sampling, answers: Answers) -> None:
    """Go on in all texts together, each until its answer ends."""
    running = list(numbers)
    draws = {number: np.random.default_rng([sampling.seed, number]) for number in running}
    while running:
        if sampling.temperature <= 0:
            tokens = places.likeliest()
        else:
            logits = np.log(places.probabilities()).astype(np.float32)
            tokens = [chosen(row, sampling, draws[number]) for row, number in zip(logits, running, strict=True)]
        going = [row for row, number in enumerate(running) if answers.take(number, tokens[row])]
        if len(going) < len(running):
            places.keep(going)
            running, tokens = [running[row] for row in going], [tokens[row] for row in going]
        if running:
            places.feed(tokens)


class LinearSession(ChoiceSession):
    """See :class:`ChoiceSession`."""

    def __init__(self, model: LinearModel) -> None:
        self._model: LinearModel | None = model
        self.choices = model.choices

    def run(self, inputs: Sequence[Item]) -> NDArray[np.float64]:
        """See :attr:`ChoiceSession.choices`.

        Raises:
            InputError: the session was closed.
        """
        if self._model is None:
            raise InputError("This session is closed.", fix="open the artifact again")
        asked = texts(inputs)
        portions = [asked[begin : begin + TOGETHER] for begin in range(0, max(len(inputs), 1), TOGETHER)]
        return np.concatenate([self._model.logprobs(portion) for portion in portions])

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._model = None


def check_symbols(tokens: Sequence[int]) -> None:
    """Refuse tokens that are no byte and not the boundary.

    Raises:
        InputError: there is one.
    """
    check_tokens(tokens, BOUNDARY + 1)
