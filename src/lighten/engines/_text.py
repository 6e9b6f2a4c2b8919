"""From raw text to logits: what every engine for text does around its runtime. One text takes the shortest way."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lighten.core.item import Item
from lighten.core.session import Session
from lighten.data.buckets import batches_by_length, pad
from lighten.readers.text import Encoder

Ids = NDArray[np.int64]
Logits = NDArray[np.float32]

PROBE = ("It works.", "", "It does not work, whatever the manual says, and I want my money back.")
"""What a build is asked before it is handed out."""
ALONE = 8192
"""Tokens of a row that is computed by itself: the scores of its attention, heads x tokens x tokens numbers, take some
gigabytes. Rows half as long take a quarter of that, and four of them are computed at a time."""
PIECE = 64
"""Texts that one worker tokenizes at a time."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How many inputs are put into batches.

    Attributes:
        rows: most rows in a batch.
        tokens: most tokens in a batch, padding included.
        multiple: lengths are padded up to a multiple of this; 1 pads to the longest row of the batch.
        streams: batches computed at the same time.
    """

    rows: int
    tokens: int
    multiple: int = 1
    streams: int = 1


class TextSession(Session):
    """Tokenizes, sorts by length, batches, pads, runs ``streams`` batches at a time and restores the order."""

    def __init__(self, encoder: Encoder, classes: int, batching: Batching) -> None:
        self.encoder, self.classes, self.batching = encoder, classes, batching
        self._workers: ThreadPoolExecutor | None = None

    @abstractmethod
    def forward(self, ids: Ids, mask: Ids) -> Logits:
        """Logits [batch, classes] of one batch. ids, mask: [batch, tokens]. Called by several threads at a time."""

    def prepare(self) -> None:
        """Called before many texts are answered, by one thread: what an engine needs for that and not for one text."""

    def run(self, inputs: Sequence[Item]) -> Logits:
        """See :meth:`Session.run`."""
        if len(inputs) == 1:
            return self.forward(*self._padded(self.encoder(inputs)[0]))
        return self._many(inputs) if inputs else np.empty((0, self.classes), np.float32)

    def _padded(self, ids: list[int]) -> tuple[Ids, Ids]:
        if self.batching.multiple > 1:
            return pad([ids], self.encoder.pad_id, self._length(len(ids)))
        row = np.array([ids], np.int64)
        return row, np.ones_like(row)

    def _length(self, tokens: int) -> int:
        """The padded length of ``tokens`` tokens, within what the model has positions for."""
        multiple = self.batching.multiple
        return min(-(-tokens // multiple) * multiple, self.encoder.max_tokens)

    def _many(self, inputs: Sequence[Item]) -> Logits:
        self.prepare()
        batching = self.batching
        ids = self._encoded(inputs)
        batches = batches_by_length(list(map(len, ids)), batching.rows, batching.tokens, batching.multiple)
        logits = np.empty((len(inputs), self.classes), np.float32)

        def answer(rows: list[int]) -> None:
            length = self._length(max(len(ids[row]) for row in rows))
            logits[rows] = self.forward(*pad([ids[row] for row in rows], self.encoder.pad_id, length))

        # The longest batches first: the last ones to finish are then short, and no stream waits long for another.
        batches.reverse()
        for streams, some in groupby(batches, key=lambda rows: self._at_once(max(len(ids[row]) for row in rows))):
            if streams == 1:
                for rows in some:
                    answer(rows)
            elif streams == batching.streams:
                deque(self._pool().map(answer, some), maxlen=0)
            else:
                with ThreadPoolExecutor(streams, thread_name_prefix="long") as few:
                    deque(few.map(answer, some), maxlen=0)
        return logits

    def _at_once(self, tokens: int) -> int:
        """How many batches of rows of so many tokens are computed at the same time: fewer when rows are very long."""
        return max(1, min(self.batching.streams, ALONE**2 // max(tokens, 1) ** 2))

    def _encoded(self, inputs: Sequence[Item]) -> list[list[int]]:
        if self.batching.streams == 1 or len(inputs) <= PIECE:
            return self.encoder(inputs)
        pieces = [inputs[start : start + PIECE] for start in range(0, len(inputs), PIECE)]
        return [ids for piece in self._pool().map(self.encoder, pieces) for ids in piece]

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(self.batching.streams, thread_name_prefix="stream")
        return self._workers

    def close(self) -> None:
        """Stop the workers. Closing twice is allowed."""
        if self._workers is not None:
            self._workers.shutdown(wait=True, cancel_futures=True)
            self._workers = None


def feed(names: Sequence[str], ids: Ids, mask: Ids) -> dict[str, Ids]:
    """What the inputs called ``names`` get: token ids, the mask, and zeros for token types."""
    given = {"input_ids": ids, "attention_mask": mask}
    return {name: given[name] if name in given else np.zeros_like(ids) for name in names}
