"""Prefix of windows: a language model that begins from what its frozen layers put out for its windows of text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from lighten.nets.training.learning import LearningPart, first_tensor
from lighten.nets.training.prefix import Computed, PrefixCache, Shape, key_of, laid_out, output_of, standing_in

TOKENS = 2048
"""Tokens that are computed at a time, about."""


class WindowsPrefix:
    """Frozen layers of a language model beside its windows.

    Args:
        windows: token ids. threads, dtype: computed with.
    """

    def __init__(
        self, part: LearningPart, windows: Sequence[Sequence[int]], threads: int, dtype: torch.dtype | None
    ) -> None:
        self.part, self.windows, self._threads, self.dtype = part, windows, threads, dtype
        self._outputs: list[Tensor] = []
        self._shape: Shape | None = None

    @cached_property
    def key(self) -> str:
        """Under which a cache keeps them."""
        seen = hashlib.sha256(json.dumps([list(one) for one in self.windows]).encode()).hexdigest()
        return key_of(self.part, seen, self._threads, self.dtype, torch.get_float32_matmul_precision())

    def fill(self, cache: PrefixCache, seconds: float = math.inf, among: int = 1) -> bool:
        """Compute what is not in the cache yet; whether there is room and time. among: see
        :meth:`PrefixCache.outputs`."""
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.dtype is not None):
            try:
                self._shape = Shape(self._output(self.batches()[0]))
            except ValueError:
                return False
            found = cache.outputs(self.key, len(self.windows), self._computed(), seconds, among)
        self._outputs = found or []
        return found is not None

    def batches(self) -> list[list[int]]:
        """All windows, those of a length together."""
        found: list[list[int]] = []
        for row in sorted(range(len(self.windows)), key=lambda row: len(self.windows[row])):
            if not found or (len(found[-1]) + 1) * len(self.windows[row]) > TOKENS:
                found.append([])
            found[-1].append(row)
        return found

    @contextmanager
    def given(self, rows: Sequence[int]) -> Iterator[None]:
        """Inside, the model is asked with the windows of these rows, and no others."""
        assert self._shape is not None
        value = laid_out([self._outputs[row] for row in rows], self._places(rows))
        with standing_in(self.part.frozen, self._shape, value):
            yield

    def _computed(self) -> Iterator[Computed]:
        total = sum(map(len, self.windows))
        for batch in self.batches():
            output = first_tensor(self._output(batch))
            tensors = [output[place, : len(self.windows[row])] for place, row in enumerate(batch)]
            yield batch, tensors, sum(len(self.windows[row]) for row in batch) / total

    def _output(self, rows: Sequence[int]) -> Any:
        """What the last frozen layer answers for some windows, computed."""
        places = self._places(rows)
        ids = torch.zeros(places.shape, dtype=torch.long)
        ids[places] = torch.tensor([token for row in rows for token in self.windows[row]])
        net: Any = self.part.net
        return output_of(self.part.frozen[-1], lambda: net.model(input_ids=ids, use_cache=False))

    def _places(self, rows: Sequence[int]) -> Tensor:
        lengths = torch.tensor([len(self.windows[row]) for row in rows])
        return torch.arange(int(lengths.max())) < lengths[:, None]
