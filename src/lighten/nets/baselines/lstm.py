"""LSTM language model over bytes, in numpy: every text goes on by one symbol at a time, whatever came before it.

Source: Hochreiter and Schmidhuber, Long short-term memory, 1997, with the forget gate of Gers et al., 2000.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.nets.baselines.byte_model import SYMBOLS, Floats, Tensors
from lighten.nets.baselines.recurrent import Recurrent, State

WIDEST = 4096

Halves = NDArray[np.float16]


@dataclass(frozen=True)
class Weights:
    """The numbers of an LSTM, as its file holds them. Gates stand in the order input, forget, output, candidate.

    Attributes:
        input: float16 [SYMBOLS, 4 * width], what each symbol adds to the gates, their biases among it.
        recurrent: float16 [width, 4 * width], from the hidden values to the gates.
        output: float16 [width, SYMBOLS]. bias: float16 [SYMBOLS].
    """

    input: Halves
    recurrent: Halves
    output: Halves
    bias: Halves


class ByteLstm(Recurrent):
    """See :class:`Recurrent`. One layer. What it computes with are its file's half-precision numbers, in singles.

    Attributes:
        weights: its numbers.
    """

    kind: ClassVar[str] = "lstm"

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        # A sigmoid is half a hyperbolic tangent of half its argument: so one call gives all four gates.
        half = np.ones(4 * self.width, np.float32)
        half[: 3 * self.width] = 0.5
        self._input = weights.input.astype(np.float32) * half
        self._recurrent = weights.recurrent.astype(np.float32) * half
        self._output, self._bias = weights.output.astype(np.float32), weights.bias.astype(np.float32)

    @property
    def width(self) -> int:
        """Hidden values."""
        return len(self.weights.recurrent)

    def first(self, texts: int) -> State:
        """Hidden and cell values of nothing: float32 [texts, width] each."""
        return tuple(np.zeros((texts, self.width), np.float32) for _ in range(2))

    def after(self, state: State, symbols: NDArray[np.int64]) -> State:
        """Hidden and cell values after one more symbol of each text."""
        (hidden, cell), width = state, self.width
        gates = hidden @ self._recurrent
        gates += self._input[symbols]
        np.tanh(gates, out=gates)
        opened = gates[:, : 3 * width]
        opened *= 0.5
        opened += 0.5
        fresh = opened[:, width : 2 * width] * cell
        fresh += opened[:, :width] * gates[:, 3 * width :]
        return opened[:, 2 * width :] * np.tanh(fresh), fresh

    def logprobs(self, state: State) -> Floats:
        """See :meth:`Recurrent.logprobs`."""
        logits: Floats = (state[0] @ self._output + self._bias).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def settings(self) -> dict[str, int]:
        """See :meth:`ByteModel.settings`."""
        return {"width": self.width}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See :meth:`ByteModel.tensors`."""
        return dict(vars(self.weights))

    @classmethod
    def restored(cls, settings: Mapping[str, Any], tensors: Tensors) -> ByteLstm:
        """See :meth:`ByteModel.restored`."""
        width = settings["width"]
        if not isinstance(width, int) or not 1 <= width <= WIDEST:
            raise ValueError(f"its width is {width!r}")
        gates = 4 * width
        shapes = {
            "input": (SYMBOLS, gates),
            "recurrent": (width, gates),
            "output": (width, SYMBOLS),
            "bias": (SYMBOLS,),
        }
        for name, shape in shapes.items():
            tensor = tensors[name]
            if tensor.dtype != np.float16 or tensor.shape != shape:
                raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, not float16 {list(shape)}")
            if not np.isfinite(tensor).all():
                raise ValueError(f"{name} holds numbers that are not finite")
        return cls(Weights(**{name: tensors[name] for name in shapes}))
