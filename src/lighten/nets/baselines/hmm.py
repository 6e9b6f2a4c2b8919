"""Hidden Markov language model over bytes: of one endless row of symbols, in which boundaries part the texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import DataError
from lighten.nets.baselines.baum_welch import Chain, learned, shares
from lighten.nets.baselines.byte_model import SYMBOLS, Floats, Tensors, stream
from lighten.nets.baselines.recurrent import Recurrent, State

MOST_STATES = 1024
UNSEEN = 0.01
"""Added at the end to how often a state emits each symbol, so that one that was never seen is not impossible."""


class HiddenMarkov(Recurrent):
    """See :class:`Recurrent`. What is read changes how likely each state is, and they say what comes next.

    Attributes:
        chain: its probabilities.
    """

    kind: ClassVar[str] = "hmm"

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def first(self, texts: int) -> State:
        """Probability of each state at the first symbol: [texts, states]."""
        return (np.tile(self.chain.initial, (texts, 1)),)

    def after(self, state: State, symbols: NDArray[np.int64]) -> State:
        """Probability of each state at the symbol after ``symbols``: [texts, states]."""
        (coming,) = state
        here = coming * self.chain.emission.T[symbols]
        here /= here.sum(axis=1, keepdims=True)
        return (here @ self.chain.transition,)

    def logprobs(self, state: State) -> Floats:
        """See :meth:`Recurrent.logprobs`."""
        found: Floats = np.log(state[0] @ self.chain.emission)
        return found

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
