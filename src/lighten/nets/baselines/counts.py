"""N-gram language model over bytes: scored for many texts at a time, continued symbol by symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import DataError
from lighten.core.language import Scores, Span
from lighten.nets.baselines.byte_model import SYMBOLS, ByteModel, Cursor, Floats, Tensors, stream
from lighten.nets.baselines.kneser_ney import BITS, SYMBOL, Ids, Tree, child, counted, grown, smoothed, written

HIGHEST = 8
"""Longest n-grams that are counted."""
TOGETHER = 1 << 18
"""Symbols that are scored at a time."""


class KneserNey(ByteModel):
    """See :class:`ByteModel`. After a context, the probabilities of all 257 symbols sum to 1.

    Attributes:
        tree: the n-grams and their counts.
        smoothed: probabilities of them.
    """

    kind: ClassVar[str] = "ngram"

    def __init__(self, tree: Tree) -> None:
        self.tree, self.smoothed = tree, smoothed(tree)
        self._singles = child(tree.keys, np.zeros(SYMBOLS, np.int64), np.arange(SYMBOLS))

    @property
    def order(self) -> int:
        """Length of the longest n-grams; a symbol depends on ``order - 1`` symbols before it."""
        return len(self.tree.levels) - 1

    def last(self, context: Sequence[int]) -> Sequence[int]:
        """The part of a context that counts."""
        return context[max(len(context) - self.order + 1, 0) :]

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`ByteModel.score`."""
        found: list[Scores] = []
        begin, room = 0, TOGETHER
        for end, span in enumerate(spans):
            if room <= 0:
                found += self._scored(spans[begin:end])
                begin, room = end, TOGETHER
            room -= len(span.targets) + self.order
        return found + self._scored(spans[begin:]) if spans else []

    def _scored(self, spans: Sequence[Span]) -> list[Scores]:
        parts = [(self.last(span.context), span.targets) for span in spans]
        ends = np.cumsum([len(before) + len(targets) for before, targets in parts]).tolist()
        symbols = np.fromiter(chain.from_iterable(chain.from_iterable(parts)), np.int64)
        probabilities, greedy = self._along(symbols, np.array([0, *ends[:-1]], np.int64))
        logprobs = np.log(probabilities)
        places = [slice(end - len(span.targets), end) for span, end in zip(spans, ends, strict=True)]
        return [Scores(logprobs[place], greedy[place]) for place in places]

    def _along(self, symbols: Ids, begins: Ids) -> tuple[Floats, NDArray[np.int32]]:
        """Probability of each symbol after those before it, and the most likely one there: [n] each.

        Args:
            symbols: sequences one after the other: [n]. begins: where each of them does.
        """
        smooth, nodes = self.smoothed, self._singles[symbols]
        probabilities = np.where(nodes >= 0, smooth.probabilities[nodes], smooth.weights[0] / SYMBOLS)
        greedy = np.full(len(symbols), smooth.best[0], np.int32)
        places = np.delete(np.arange(len(symbols)), begins)
        for _ in range(self.order - 1):
            # Where the model has the n-gram that ends before a place, that is a context; the shorter ones came before.
            places = places[nodes[places - 1] >= 0]
            contexts = nodes[places - 1]
            probabilities[places] *= smooth.weights[contexts]
            greedy[places] = smooth.best[contexts]
            # What has no n-gram at a place has no longer one there either.
            asked = nodes[places] >= 0
            at, longer = places[asked], np.full(len(symbols), -1)
            longer[at] = child(self.tree.keys, contexts[asked], symbols[at])
            nodes = longer
            hits = at[nodes[at] >= 0]
            probabilities[hits] = smooth.probabilities[nodes[hits]]
        return probabilities, greedy

    def cursor(self, context: Sequence[int]) -> NGramCursor:
        """See :meth:`ByteModel.cursor`."""
        place = NGramCursor(self)
        for symbol in self.last(context):
            place.feed(symbol)
        return place

    def settings(self) -> dict[str, int]:
        """See :meth:`ByteModel.settings`."""
        return {"order": self.order}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See :meth:`ByteModel.tensors`."""
        return written(self.tree)

    @classmethod
    def restored(cls, settings: Mapping[str, Any], tensors: Tensors) -> KneserNey:
        """See :meth:`ByteModel.restored`."""
        order = settings["order"]
        if not isinstance(order, int) or not 1 <= order <= HIGHEST:
            raise ValueError(f"its order is {order!r}")
        return cls(grown(order, tensors))


class NGramCursor(Cursor):
    """The contexts of growing length that the model has at this place."""

    def __init__(self, model: KneserNey) -> None:
        self._model, self._contexts = model, np.zeros(1, np.int64)

    def probabilities(self) -> Floats:
        """See :meth:`Cursor.probabilities`."""
        keys, smooth = self._model.tree.keys, self._model.smoothed
        bounds = (np.stack([self._contexts, self._contexts + 1]) << BITS).astype(keys.dtype)
        begins, ends = np.searchsorted(keys, bounds).tolist()
        found = np.full(SYMBOLS, 1 / SYMBOLS)
        for context, begin, end in zip(self._contexts.tolist(), begins, ends, strict=True):
            found *= smooth.weights[context]
            found[keys[begin:end] & SYMBOL] = smooth.probabilities[begin + 1 : end + 1]
        return found

    def likeliest(self) -> int:
        """See :meth:`Cursor.likeliest`."""
        return int(self._model.smoothed.best[self._contexts[-1]])

    def feed(self, symbol: int) -> None:
        """See :meth:`Cursor.feed`."""
        shorter = self._contexts[: self._model.order - 1]
        longer = child(self._model.tree.keys, shorter, np.full(len(shorter), symbol))
        self._contexts = np.concatenate([self._contexts[:1], longer[longer >= 0]])


def fit_ngram(texts: Sequence[str], order: int) -> KneserNey:
    """Count the n-grams of ``texts`` up to ``order`` symbols. Deterministic.

    Raises:
        DataError: there is nothing to count, or ``order`` is out of bounds.
    """
    if not 1 <= order <= HIGHEST:
        raise DataError(f"N-grams of {order} symbols cannot be counted.", allowed=f"1 to {HIGHEST}")
    if not any(texts):
        raise DataError("There is no text to count.", allowed="at least one text that is not empty")
    return KneserNey(counted(*stream(texts), order))
