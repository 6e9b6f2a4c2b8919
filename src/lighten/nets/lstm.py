"""LSTM language model over bytes, in numpy: every text goes on by one symbol at a time, whatever came before it.

Source: Hochreiter and Schmidhuber, Long short-term memory, 1997, with the forget gate of Gers et al., 2000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.language import Scores, Span
from lighten.nets.baum_welch import Packed
from lighten.nets.byte_model import SYMBOLS, ByteModel, Cursor, Cursors, Floats, Tensors

WIDEST = 4096

Halves = NDArray[np.float16]
Singles = NDArray[np.float32]


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


@dataclass(frozen=True)
class State:
    """What is remembered of texts: hidden and cell values, float32 [texts, width] each."""

    hidden: Singles
    cell: Singles

    def take(self, rows: Any) -> State:
        """Of these texts only."""
        return State(self.hidden[rows], self.cell[rows])


class ByteLstm(ByteModel):
    """See :class:`ByteModel`. One layer. What it computes with are its file's half-precision numbers, in singles.

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
        """What is remembered before anything was read."""
        return State(*(np.zeros((texts, self.width), np.float32) for _ in range(2)))

    def after(self, state: State, symbols: Any) -> State:
        """What is remembered after one more symbol of each text. symbols: [texts]."""
        width = self.width
        gates = state.hidden @ self._recurrent
        gates += self._input[symbols]
        np.tanh(gates, out=gates)
        opened = gates[:, : 3 * width]
        opened *= 0.5
        opened += 0.5
        cell = opened[:, width : 2 * width] * state.cell
        cell += opened[:, :width] * gates[:, 3 * width :]
        return State(opened[:, 2 * width :] * np.tanh(cell), cell)

    def logprobs(self, state: State) -> Floats:
        """Logarithm of the probability of each next symbol: [texts, SYMBOLS], each row normalised."""
        logits = (state.hidden @ self._output + self._bias).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`ByteModel.score`. Contexts that spans share are read once."""
        if not spans:
            return []
        rows = dict[tuple[int, ...], int]()
        owners = np.array([rows.setdefault(span.context, len(rows)) for span in spans])
        packed = Packed.of([span.targets for span in spans])
        state = self.behind(list(rows)).take(owners[packed.order])
        logprobs, greedy = np.empty(len(packed.symbols)), np.empty(len(packed.symbols), np.int32)
        for begin, end in pairwise(packed.offsets):
            state, symbols = state.take(slice(end - begin)), packed.symbols[begin:end]
            said = self.logprobs(state)
            logprobs[begin:end] = said[np.arange(end - begin), symbols]
            greedy[begin:end] = said.argmax(axis=1)
            state = self.after(state, symbols)
        offsets, row_of = np.array(packed.offsets), np.argsort(packed.order)
        places = [offsets[: len(span.targets)] + row for span, row in zip(spans, row_of.tolist(), strict=True)]
        return [Scores(logprobs[place], greedy[place]) for place in places]

    def behind(self, contexts: Sequence[Sequence[int]]) -> State:
        """What is remembered at the end of each context."""
        packed, found = Packed.of(contexts), self.first(len(contexts))
        state = found
        for begin, end in pairwise(packed.offsets):
            state = self.after(state.take(slice(end - begin)), packed.symbols[begin:end])
            found.hidden[packed.order[: end - begin]] = state.hidden
            found.cell[packed.order[: end - begin]] = state.cell
        return found

    def cursor(self, context: Sequence[int]) -> Cursor:
        """See :meth:`ByteModel.cursor`."""
        return LstmCursor(self.cursors([context]))

    def cursors(self, contexts: Sequence[Sequence[int]]) -> LstmCursors:
        """See :meth:`ByteModel.cursors`."""
        return LstmCursors(self, self.behind(contexts))

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


class LstmCursors(Cursors):
    """See :class:`Cursors`: all texts go on in one matrix product, each at the same cost however long it is."""

    def __init__(self, model: ByteLstm, state: State) -> None:
        self._model, self._state = model, state
        self._said: Floats | None = None

    def logprobs(self) -> Floats:
        """Logarithm of the probability of each next symbol: [texts, SYMBOLS]."""
        if self._said is None:
            self._said = self._model.logprobs(self._state)
        return self._said

    def probabilities(self) -> Floats:
        """See :meth:`Cursors.probabilities`."""
        return np.exp(self.logprobs())

    def likeliest(self) -> list[int]:
        """See :meth:`Cursors.likeliest`."""
        found: list[int] = self.logprobs().argmax(axis=1).tolist()
        return found

    def feed(self, symbols: Sequence[int]) -> None:
        """See :meth:`Cursors.feed`."""
        self._state, self._said = self._model.after(self._state, list(symbols)), None

    def keep(self, rows: Sequence[int]) -> None:
        """See :meth:`Cursors.keep`."""
        self._state = self._state.take(list(rows))
        self._said = None if self._said is None else self._said[list(rows)]


class LstmCursor(Cursor):
    """The place in one text."""

    def __init__(self, places: LstmCursors) -> None:
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
