"""Steps of engines that go on with one sequence at a time: right for each of them, whatever its runtime can do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.language import LanguageSession, Prompt, Written, check_prompt
from lighten.engines._continued import Continued, Guides

Logits = NDArray[np.float32]


class Sequences:
    """What a session is continuing, in the order in which it was added.

    Attributes:
        running: with the state of each, None until it has begun.
    """

    def __init__(self, session: SteppingSession) -> None:
        self.running: dict[int, tuple[Continued, Any]] = {}
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
        every.running[every.last] = continued, None
        return every.last

    def step(self) -> list[Written]:
        """See :meth:`LanguageSession.step`. A prompt is read whole in its first step."""
        every = self._sequences
        if every is None or not every.running:
            return []
        found: list[Written] = []
        try:
            for number, (continued, state) in list(every.running.items())[: self.streams]:
                if state is None:
                    state = self.opened()
                    every.running[number] = continued, state
                    found += self._begun(continued, state)
                else:
                    found += continued.take(self.feed(state, continued.made[-1:]))
                if continued.over:
                    self.drop(number)
        except BaseException:
            for number in list(every.running):
                self.drop(number)
            raise
        return found

    def _begun(self, continued: Continued, state: Any) -> list[Written]:
        tokens = continued.prompt.tokens
        if not continued.prompt.told:
            return continued.take(self.feed(state, tokens))
        found = continued.given(0, None)
        for place, token in enumerate(tokens):
            if continued.over:
                break
            logits = self.feed(state, [token])
            last = place == len(tokens) - 1
            found += continued.take(logits) if last else continued.given(place + 1, logits)
        return found

    def drop(self, number: int) -> None:
        """See :meth:`LanguageSession.drop`."""
        if self._sequences is not None:
            _, state = self._sequences.running.pop(number, (None, None))
            if state is not None:
                self.released(state)
