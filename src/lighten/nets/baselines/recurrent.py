"""Models over bytes that remember of a text what has one size: many texts go on together, one symbol at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.language import Scores, Span
from lighten.nets.baselines.byte_model import ByteModel, Cursor, Cursors, Floats
from lighten.nets.baselines.packed import Packed

State = tuple[NDArray[Any], ...]
"""What is remembered of texts: arrays whose first axis is that of the texts."""


class Recurrent(ByteModel):
    """See :class:`ByteModel`. A symbol costs the same however long its text is."""

    @abstractmethod
    def first(self, texts: int) -> State:
        """What is remembered before anything was read."""

    @abstractmethod
    def after(self, state: State, symbols: NDArray[np.int64]) -> State:
        """What is remembered after one more symbol of each text. symbols: [texts]. ``state`` stays as it is."""

    @abstractmethod
    def logprobs(self, state: State) -> Floats:
        """Logarithm of the probability of each next symbol: [texts, SYMBOLS], each row normalised."""

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`ByteModel.score`. Contexts that spans share are read once."""
        if not spans:
            return []
        rows = dict[tuple[int, ...], int]()
        owners = np.array([rows.setdefault(span.context, len(rows)) for span in spans])
        packed = Packed.of([span.targets for span in spans])
        state = taken(self.behind(list(rows)), owners[packed.order])
        logprobs, greedy = np.empty(len(packed.symbols)), np.empty(len(packed.symbols), np.int32)
        for begin, end in pairwise(packed.offsets):
            state, symbols = taken(state, slice(end - begin)), packed.symbols[begin:end]
            said = self.logprobs(state)
            logprobs[begin:end] = said[np.arange(end - begin), symbols]
            greedy[begin:end] = said.argmax(axis=1)
            state = self.after(state, symbols)
        offsets, row_of = np.array(packed.offsets), np.argsort(packed.order)
        places = [offsets[: len(span.targets)] + row for span, row in zip(spans, row_of.tolist(), strict=True)]
        return [Scores(logprobs[place], greedy[place]) for place in places]

    def behind(self, contexts: Sequence[Sequence[int]]) -> State:
        """What is remembered at the end of each context of at least one symbol."""
        packed, state = Packed.of(contexts), self.first(len(contexts))
        found = tuple(np.empty_like(array) for array in state)
        for begin, end in pairwise(packed.offsets):
            state = self.after(taken(state, slice(end - begin)), packed.symbols[begin:end])
            for whole, array in zip(found, state, strict=True):
                whole[packed.order[: end - begin]] = array
        return found

    def cursor(self, context: Sequence[int]) -> Cursor:
        """See :meth:`ByteModel.cursor`."""
        return RecurrentCursor(self.cursors([context]))

    def cursors(self, contexts: Sequence[Sequence[int]]) -> RecurrentCursors:
        """See :meth:`ByteModel.cursors`."""
        return RecurrentCursors(self, self.behind(contexts))


class RecurrentCursors(Cursors):
    """See :class:`Cursors`: all texts go on in one step."""

    def __init__(self, model: Recurrent, state: State) -> None:
        self._model, self._state = model, state
        self._said: Floats | None = None

    def logprobs(self) -> Floats:
        """Logarithm of the probability of each next symbol: [texts, SYMBOLS]."""
        if self._said is None:
            self._said = self._model.logprobs(self._state)
        return self._said

    def probabilities(self) -> Floats:
        """See :meth:`Cursors.probabilities`."""
        found: Floats = np.exp(self.logprobs())
        return found

    def likeliest(self) -> list[int]:
        """See :meth:`Cursors.likeliest`."""
        found: list[int] = self.logprobs().argmax(axis=1).tolist()
        return found

    def feed(self, symbols: Sequence[int]) -> None:
        """See :meth:`Cursors.feed`."""
        self._state, self._said = self._model.after(self._state, np.array(symbols, np.int64)), None

    def keep(self, rows: Sequence[int]) -> None:
        """See :meth:`Cursors.keep`."""
        self._state = taken(self._state, list(rows))
        self._said = None if self._said is None else self._said[list(rows)]


class RecurrentCursor(Cursor):
    """The place in one text."""

    def __init__(self, places: RecurrentCursors) -> None:
        self._places = places

    def probabilities(self) -> Floats:
        """See :meth:`Cursor.probabilities`."""
        found: Floats = self._places.probabilities()[0]
        return found

    def likeliest(self) -> int:
        """See :meth:`Cursor.likeliest`."""
        return self._places.likeliest()[0]

    def feed(self, symbol: int) -> None:
        """See :meth:`Cursor.feed`."""
        self._places.feed([symbol])


def taken(state: State, rows: Any) -> State:
    """What is remembered of these texts only."""
    return tuple(array[rows] for array in state)
