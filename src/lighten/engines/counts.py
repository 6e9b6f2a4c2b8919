"""Counts over bytes on the CPU: n-gram and hidden Markov models, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

import lighten
from lighten.core.artifact import COUNTS, Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import GREEDY, LanguageSession, Sampling, Scores, Span, check_prompts, check_spans
from lighten.engines._sampling import chosen
from lighten.nets.byte_model import BOUNDARY, ByteModel, symbols_of
from lighten.nets.counts import open_counts

CONTEXT = 1 << 20
"""Most tokens of a sequence. The models have no limit of their own."""
STREAMS = 256


@dataclass(frozen=True)
class Counts(Engine):
    """lighten's own arithmetic on counted models; needs no library and no settings. One thread is enough."""

    consumes: ClassVar[tuple[str, ...]] = (COUNTS,)
    stores: ClassVar[tuple[str, ...]] = (COUNTS,)

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        return f"lighten {lighten.__version__}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Open the model, ask it once, write it."""
        model = open_counts(artifact.path)
        ids = symbols_of("It works, whatever the manual says.")
        found = model.score([Span((BOUNDARY,), tuple(ids))])[0]
        if not np.isfinite(found.logprobs).all():
            raise BuildFailed("The model answers with numbers that are not finite.")
        model.save(folder)
        return COUNTS

    def open(self, artifact: Artifact, *, threads: int) -> CountsSession:
        """See :meth:`Engine.open`."""
        return CountsSession(open_counts(artifact.path))


class CountsSession(LanguageSession):
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
        check_tokens(tokens)
        return [b"" if token == BOUNDARY else bytes([token]) for token in tokens]

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return token == BOUNDARY

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        check_spans(spans, self.context)
        for span in spans:
            check_tokens(span.context)
            check_tokens(span.targets)
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
        check_prompts(prompts, self.context)
        for prompt in prompts:
            check_tokens(prompt)
        made: list[list[int]] = [[] for _ in prompts]
        for begin in range(0, len(prompts), self.streams):
            running = {
                number: (self.model.cursor(prompt), np.random.default_rng([sampling.seed, number]))
                for number, prompt in enumerate(prompts[begin : begin + self.streams], begin)
                if most > 0
            }
            while running:
                for number, (cursor, random) in list(running.items()):
                    if sampling.temperature <= 0:
                        token = cursor.likeliest()
                    else:
                        token = chosen(np.log(cursor.probabilities()).astype(np.float32), sampling, random)
                    over = stop and self.ends(token)
                    if not over:
                        made[number].append(token)
                        cursor.feed(token)
                        over = heard is not None and heard(number, token)
                    if over or len(made[number]) >= min(most, self.context - len(prompts[number])):
                        del running[number]
        return made

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._model = None


def check_tokens(tokens: Sequence[int]) -> None:
    """Refuse tokens that are no byte and not the boundary.

    Raises:
        InputError: there is one.
    """
    if tokens and not 0 <= min(tokens) <= max(tokens) <= BOUNDARY:
        strange = next(token for token in tokens if not 0 <= token <= BOUNDARY)
        raise InputError(f"There is no token {strange}.", allowed=f"0 to {BOUNDARY}")
