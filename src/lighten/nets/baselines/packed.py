"""Sequences of different lengths side by side, so that each step of all of them is one operation on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lighten.nets.baselines.byte_model import Symbols

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Packed:
    """Sequences side by side, the longest first: those that still go on at a time are the first ones.

    Attributes:
        symbols: int64 [n], those of time 0, then those of time 1, ...
        offsets: where each time begins in it; [times + 1].
        order: which sequence stands in each row; [sequences].
    """

    symbols: Ids
    offsets: list[int]
    order: Ids

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]] | Sequence[Symbols]) -> Packed:
        """Pack sequences of at least one symbol each."""
        lengths = np.array([len(sequence) for sequence in sequences])
        order = np.argsort(-lengths, kind="stable")
        sizes = len(lengths) - np.searchsorted(np.sort(lengths), np.arange(lengths.max()), side="right")
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        symbols = np.empty(offsets[-1], np.int64)
        for row, number in enumerate(order.tolist()):
            symbols[offsets[: lengths[number]] + row] = sequences[number]
        return cls(symbols, offsets.tolist(), order)

    @property
    def before(self) -> Ids:
        """Place of the symbol before each one, those of time 0 left out: [n - sequences]."""
        sizes = np.diff(self.offsets)
        return np.arange(self.offsets[1], self.offsets[-1]) - np.repeat(sizes[:-1], sizes[1:])
