"""Steps of engines that go on with one sequence at a time: right for each of them, whatever its runtime can do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.language import LanguageSession, Prompt, Written, check_prompt
from lighten.engines._continued import Continued, Guides

Logits = NDArray[np.float32]
PORTION = 32
"""Tokens of a prompt that is told, and so read one by one, that a step reads: the others wait no longer for it."""


@dataclass
class Running:
    """A sequence.

    Attributes:
        state: None until it has begun. fed: tokens of its prompt that are read.
    """

    continued: Continued
    state: Any = None
    fed: int = 0


class Sequences:
    """What a session is continuing, in the order in which it was added.

    Attributes:
        running: by their numbers.
    """

    def __init__(self, session: SteppingSession) -> None:
        self.running: dict[int, Running] = {}
        self.guides = Guides(session)
        self.last = 0


class SteppingSession(LanguageSession):
    """A language session that knows what follows one sequence. A subclass says how; a step asks it for each in turn."""

    _sequences: Sequences | None = None

    @property
    @abstractmethod
    def vocabulary(self) -> int:
        """See :attr:`LanguageSession.vocabulary`."""

    @abstractmethod
    def opened(self) -> Any:
        """The state of a sequence of which nothing was fed yet."""

    @abstractmethod
    def feed(self, state: Any, tokens: Sequence[int]) -> Logits:
        """Go on in a state by some tokens. Returns the logits behind the last one: [vocabulary or more]."""

    def released(self, state: Any) -> None:
        """A state is needed no more."""

    def add(self, prompt: Prompt) -> int:
        """See :meth:`LanguageSession.add`."""
        check_prompt(prompt, self.context)
        if self._sequences is None:
            self._sequences = Sequences(self)
        every = self._sequences
        guide = every.guides.guide(prompt)
        continued = Continued(every.last + 1, prompt, self, guide)
        every.last += 1
        every.running[every.last] = Running(continued)
        return every.last

    def step(self) -> list[Written]:
        """See :meth:`LanguageSession.step`.

        A prompt is read whole in its first step, for that is one pass; one that is told is read in portions.
        """
        every = self._sequences
        if every is None or not every.running:
            return []
        found: list[Written] = []
        try:
            for number, one in list(every.running.items())[: self.streams]:
                if one.state is None:
                    one.state = self.opened()
                if one.fed < len(one.continued.prompt.tokens):
                    found += self._read(one)
                else:
                    found += one.continued.take(self.feed(one.state, one.continued.made[-1:]))
                if one.continued.over:
                    self.drop(number)
        except BaseException:
            for number in list(every.running):
                self.drop(number)
            raise
        return found

    def _read(self, one: Running) -> list[Written]:
        """Read of a prompt what a step has time for; behind its last token the answer begins."""
        continued, tokens = one.continued, one.continued.prompt.tokens
        if not continued.prompt.told:
            one.fed = len(tokens)
            return continued.take(self.feed(one.state, tokens))
        found = continued.given(0, None) if not one.fed else []
        for token in tokens[one.fed : one.fed + PORTION]:
            if continued.over:
                break
            logits = self.feed(one.state, [token])
            one.fed += 1
            found += continued.take(logits) if one.fed == len(tokens) else continued.given(one.fed, logits)
        return found

    def drop(self, number: int) -> None:
        """See :meth:`LanguageSession.drop`."""
        one = self._sequences.running.pop(number, None) if self._sequences is not None else None
        if one is not None and one.state is not None:
            self.released(one.state)

    def close(self) -> None:
        """See :meth:`Session.close`. Whatever is continued is dropped."""
        for number in list(self._sequences.running) if self._sequences is not None else ():
            self.drop(number)
