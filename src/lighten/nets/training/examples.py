"""Examples: items that a network learns from, read once and kept while there is room, else read whenever asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lighten.core.item import Item
from lighten.core.reader import Reader
from lighten.data.buckets import batches_by_length, batches_by_size
from lighten.isolate.machine import available_memory

SHARE = 0.25
"""Part of the memory left that examples may take; texts, which are small, are always kept."""
SIZED = 16
"""Items whose size tells that of all."""


class Examples:
    """What a reader makes of items.

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

    def batches(self, most: int, shuffle: random.Random) -> list[list[int]]:
        """Row numbers in batches of at most ``most``; of what is not kept, a batch may hold several shapes."""
        if self.kept is None:
            return batches_by_length([1] * len(self), most, shuffle=shuffle)
        return batches_by_size(self.reader, self.kept, most, shuffle=shuffle)
