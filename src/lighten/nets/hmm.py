"""Hidden Markov language model over bytes: of one endless row of symbols, in which boundaries part the texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import DataError
from lighten.core.language import Scores, Span
from lighten.nets.baum_welch import Chain, Packed, learned, shares
from lighten.nets.byte_model import SYMBOLS, ByteModel, Cursor, Floats, Tensors, stream

MOST_STATES = 1024
UNSEEN = 0.01
"""Added at the end to how often a state emits each symbol, so that one that was never seen is not impossible."""


class HiddenMarkov(ByteModel):
    """See :class:`ByteModel`. What is read changes how likely each state is, and they say what comes next.

    Attributes:
        chain: its probabilities.
    """

    kind: ClassVar[str] = "hmm"

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`ByteModel.score`. Contexts that spans share are gone through once."""
        if not spans:
            return []
        chain, rows = self.chain, dict[tuple[int, ...], int]()
        owners = np.array([rows.setdefault(span.context, len(rows)) for span in spans])
        packed = Packed.of([span.targets for span in spans])
        states = self.behind(list(rows))[owners][packed.order]
        logprobs, greedy = np.empty(len(packed.symbols)), np.empty(len(packed.symbols), np.int32)
        for begin, end in pairwise(packed.offsets):
            coming = states[: end - begin] @ chain.transition
            greedy[begin:end] = (coming @ chain.emission).argmax(axis=1)
            states = coming * chain.emission.T[packed.symbols[begin:end]]
            total = states.sum(axis=1)
            logprobs[begin:end] = np.log(total)
            states /= total[:, None]
        offsets = np.array(packed.offsets)
        row_of = np.argsort(packed.order)
        places = [offsets[: len(span.targets)] + row for span, row in zip(spans, row_of.tolist(), strict=True)]
        return [Scores(logprobs[place], greedy[place]) for place in places]

    def behind(self, contexts: Sequence[Sequence[int]]) -> Floats:
        """Probability of each state at the last symbol of each context: [contexts, states]."""
        chain, packed = self.chain, Packed.of(contexts)
        found = np.empty((len(contexts), len(chain.initial)))
        states = np.tile(chain.initial, (len(contexts), 1))
        for begin, end in pairwise(packed.offsets):
            states = states[: end - begin] @ chain.transition if begin else states
            states = states * chain.emission.T[packed.symbols[begin:end]]
            states /= states.sum(axis=1, keepdims=True)
            found[packed.order[: end - begin]] = states
        return found

    def cursor(self, context: Sequence[int]) -> HiddenCursor:
        """See :meth:`ByteModel.cursor`."""
        return HiddenCursor(self.chain, self.behind([context])[0])

    def settings(self) -> dict[str, int]:
        """See :meth:`ByteModel.settings`."""
        return {"states": len(self.chain.initial)}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See :meth:`ByteModel.tensors`."""
        chain = self.chain
        return {"initial": chain.initial, "transition": chain.transition, "emission": chain.emission}

    @classmethod
    def restored(cls, settings: Mapping[str, Any], tensors: Tensors) -> HiddenMarkov:
        """See :meth:`ByteModel.restored`."""
        states = settings["states"]
        if not isinstance(states, int) or not 1 <= states <= MOST_STATES:
            raise ValueError(f"it has {states!r} states")
        shapes = {"initial": (states,), "transition": (states, states), "emission": (states, SYMBOLS)}
        for name, shape in shapes.items():
            tensor = tensors[name]
            if tensor.dtype != np.float64 or tensor.shape != shape:
                raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, not float64 {list(shape)}")
            if not (tensor >= 0).all() or not np.allclose(tensor.sum(axis=-1), 1, rtol=0, atol=1e-6):
                raise ValueError(f"{name} holds no probabilities")
        if not tensors["emission"].all():
            raise ValueError("a symbol is impossible")
        return cls(Chain(tensors["initial"], tensors["transition"], tensors["emission"]))


class HiddenCursor(Cursor):
    """The probability of each state at this place."""

    def __init__(self, chain: Chain, states: Floats) -> None:
        self._chain, self._states = chain, states

    def probabilities(self) -> Floats:
        """See :meth:`Cursor.probabilities`."""
        found: Floats = self._states @ self._chain.transition @ self._chain.emission
        return found

    def likeliest(self) -> int:
        """See :meth:`Cursor.likeliest`."""
        return int(self.probabilities().argmax())

    def feed(self, symbol: int) -> None:
        """See :meth:`Cursor.feed`."""
        states = self._states @ self._chain.transition * self._chain.emission[:, symbol]
        self._states = states / states.sum()


def fit_hmm(
    texts: Sequence[str],
    states: int,
    *,
    iterations: int,
    heard: Callable[[int, float], bool] = lambda done, likelihood: False,
) -> HiddenMarkov:
    """Learn from ``texts`` until little is gained. Deterministic.

    Args:
        heard: called with the number of iterations done, from 0, and the log-likelihood of the texts by then, in nats;
            True ends learning.

    Raises:
        DataError: there is nothing to learn from, or too many states.
    """
    if not 1 <= states <= MOST_STATES:
        raise DataError(f"A model of {states} states cannot be learned.", allowed=f"1 to {MOST_STATES}")
    if not any(texts):
        raise DataError("There is no text to learn from.", allowed="at least one text that is not empty")
    chain, counts = learned(*stream(texts), states, iterations, heard)
    return HiddenMarkov(Chain(chain.initial, chain.transition, shares(counts.emission + UNSEEN)))
