"""A prompt while it is continued: what is drawn, what is told of it, and what ends it. The same for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import (
    BROKEN,
    END,
    FULL,
    MOST,
    STOP,
    LanguageSession,
    Likely,
    Prompt,
    Sampling,
    Written,
    check_tokens,
)
from lighten.core.streamed_text import StreamedText
from lighten.engines._sampling import chosen, most_likely

if TYPE_CHECKING:
    from lighten.nets.language.grammar import Guide, Vocabulary

Logits = NDArray[np.float32]


class Spelled(Protocol):
    """A session whose whole vocabulary is known."""

    @property
    def vocabulary(self) -> int: ...
    @property
    def context(self) -> int: ...
    def pieces(self, tokens: Sequence[int]) -> list[bytes]: ...
    def ends(self, token: int) -> bool: ...


class Continued:
    """One sequence.

    Args:
        number: by which it is known. guide: of an answer that keeps a schema.

    Raises:
        InputError: a token that there is not.

    Attributes:
        made: tokens of the answer so far. over: whether it has ended.
    """

    def __init__(self, number: int, prompt: Prompt, session: Spelled, guide: Guide | None = None) -> None:
        check_tokens(prompt.tokens, session.vocabulary)
        self.number, self.prompt = number, prompt
        self.made: list[int] = []
        self.over = False
        self._session, self._guide = session, guide
        self._room = max(min(prompt.most, session.context - len(prompt.tokens)), 0)
        self._text = StreamedText(prompt.until)
        self._random = draws_of(prompt.sampling)

    @property
    def room(self) -> int:
        """How many tokens may still be written."""
        return self._room - len(self.made)

    @property
    def plain(self) -> bool:
        """Whether the most likely token is taken, whatever it is: what comes can be guessed and checked."""
        return self.prompt.sampling.temperature <= 0 and self._guide is None

    def given(self, place: int, logits: Logits | None) -> list[Written]:
        """What is told of the prompt's token at ``place``, and of the end where nothing is to follow it.

        Args:
            logits: [vocabulary] behind the token before; None where there is none.
        """
        token = self.prompt.tokens[place]
        likely, top = self._told(logits, token)
        found = [Written(self.number, token, chosen=likely, top=top, given=True)]
        if place == len(self.prompt.tokens) - 1 and self.room <= 0:
            found.append(self._end(MOST))
        return found

    def take(self, logits: Logits) -> list[Written]:
        """The next token. logits: [vocabulary] behind the last one.

        Where no token goes on with the schema, or the logits are no numbers, this answer is over, and no other one.
        """
        try:
            return self._taken(logits)
        except BuildFailed:
            return [self._end(BROKEN)]

    def _taken(self, logits: Logits) -> list[Written]:
        sampled = logits
        if self._guide is not None:
            sampled = np.where(self._guide.allowed(len(logits)), logits, -np.inf).astype(np.float32)
        token = chosen(sampled, self.prompt.sampling, self._random)
        ending = self._session.ends(token)
        if ending and (self.prompt.stop or self._guide is not None):
            return [self._end(END)]
        if self._guide is not None:
            self._guide.take(token)
        self.made.append(token)
        likely, top = self._told(logits, token) if self.prompt.likely is not None else (None, ())
        text = self._text.push(self._session.pieces([token])[0])
        ended = self._ending()
        if ended:
            text += self._text.finish()
            ended = STOP if self._text.ended else ended
            self.over = True
        return [Written(self.number, token, text, ended, likely, top)]

    def _ending(self) -> str:
        if self._text.ended:
            return STOP
        if self._guide is not None and self._guide.over:
            return END
        if self.room > 0:
            return ""
        return MOST if len(self.made) >= self.prompt.most else FULL

    def _end(self, why: str) -> Written:
        self.over = True
        rest = self._text.finish()
        return Written(self.number, None, rest, STOP if self._text.ended else why)

    def _told(self, logits: Logits | None, token: int) -> tuple[Likely, tuple[Likely, ...]]:
        """The token that came and the most likely ones, with their probabilities."""
        if logits is None:
            return Likely(token, None, self._session.pieces([token])[0]), ()
        logprob, top = most_likely(logits, token, self.prompt.likely or 0)
        spelled = self._session.pieces([token, *(one for one, _ in top)])
        every = [Likely(one, value, piece) for (one, value), piece in zip(top, spelled[1:], strict=True)]
        return Likely(token, logprob, spelled[0]), tuple(every)


def draws_of(sampling: Sampling) -> np.random.Generator:
    """Where the draws of an answer come from; answers of one seed differ by their ``draw``."""
    return np.random.default_rng([sampling.seed, sampling.draw] if sampling.draw else sampling.seed)


class Guides:
    """What leads answers of one session along schemas; the vocabulary is read when the first is asked for."""

    def __init__(self, session: Spelled) -> None:
        self._session = session
        self._vocabulary: Vocabulary | None = None

    def guide(self, prompt: Prompt) -> Guide | None:
        """Of a prompt; None where any text will do.

        Raises:
            InputError: the schema cannot be kept. MissingExtra: llguidance is not installed.
        """
        if not prompt.schema:
            return None
        from lighten.nets.language.grammar import Vocabulary

        if self._vocabulary is None:
            every = range(self._session.vocabulary)
            endings = [token for token in every if self._session.ends(token)]
            self._vocabulary = Vocabulary(self._session.pieces(every), endings)
        return self._vocabulary.guide(prompt.schema)


def check_idle(session: LanguageSession, running: int) -> None:
    """Refuse what cannot be done beside sequences that run.

    Raises:
        InputError: there are some.
    """
    if running:
        seen = f"{type(session).__name__} is continuing {running} prompts."
        raise InputError(seen, fix="step until they are over, or drop them")
