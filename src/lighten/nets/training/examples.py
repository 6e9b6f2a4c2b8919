"""Examples: items that a network learns from, read once and kept while there is room, else read whenever asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lighten.core.item import Item
from lighten.core.reader import Reader
from lighten.data.buckets import batches_by_size
from lighten.isolate.machine import available_memory

SHARE = 0.25
"""Part of the memory left that examples may take; texts, which are small, are always kept."""
SIZED = 16
"""Items whose size tells that of all."""
AT_ONCE = 64
"""Items that are read at a time where only their shapes are wanted."""


class Examples:
    """What a reader makes of items. Their batches do not depend on whether there was room to keep them.

    Attributes:
        kept: all of them; None where they take too much memory.
    """

    def __init__(
        self, reader: Reader[Any], items: Sequence[Item], room: float | None = None, *, among: int = 1
    ) -> None:
        """Args: room: bytes that they may take; None for a part of the memory that is left. among: processes that share
        it."""
        self.reader, self._items = reader, items
        self.kept: list[Any] | None = None
        room = SHARE * available_memory() / among if room is None else room
        some = [] if reader.pads else reader(items[:SIZED])
        if len(items) * max((np.asarray(one).nbytes for one in some), default=0) <= room:
            self.kept = reader(items)

    def __len__(self) -> int:
        return len(self._items)

    def take(self, rows: Sequence[int]) -> list[Any]:
        """The examples of some rows."""
        if self.kept is None:
            return self.reader([self._items[row] for row in rows])
        return [self.kept[row] for row in rows]

    def batches(self, most: int, shuffle: random.Random, together: int = 1) -> list[list[int]]:
        """Row numbers in batches of at most ``most``, of one shape each where the reader does not pad.

        Args:
            together: so many rows, one after another, are in one batch.
        """
        examples = self._shapes if self.kept is None else self.kept
        if together == 1:
            return batches_by_size(self.reader, examples, most, shuffle=shuffle)
        sets = [range(first, first + together) for first in range(0, len(examples), together)]
        longest = [max((examples[row] for row in rows), key=self.reader.size) for rows in sets]
        found = batches_by_size(self.reader, longest, max(1, most // together), shuffle=shuffle)
        return [[row for number in batch for row in sets[number]] for batch in found]

    @cached_property
    def _shapes(self) -> list[Any]:
        """Arrays of the shapes of all examples, which take no room; read once where a reader leaves shapes free."""
        fixed = not any(name for axes in self.reader.axes().values() for name in axes[1:])
        found: list[Any] = []
        for begin in range(0, len(self), len(self) if fixed else AT_ONCE):
            some = self.reader(self._items[begin : begin + (1 if fixed else AT_ONCE)])
            found += [np.broadcast_to(np.zeros((), np.uint8), np.shape(one)) for one in some]
        return found * len(self) if fixed else found
