"""From raw items to rows of numbers: what every engine does around its runtime. One item takes the shortest way."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import BuildFailed
from lighten.core.item import Item
from lighten.core.reader import Reader
from lighten.core.session import Session
from lighten.data.buckets import batches_by_size

Arrays = Mapping[str, NDArray[Any]]
"""Inputs of one batch by name, [batch, ...] each."""
Outputs = NDArray[np.float32]

ALONE = 8192
"""Tokens of a row that is computed by itself: the scores of its attention, heads x tokens x tokens numbers, take some
gigabytes. Rows half as long take a quarter of that, and four of them are computed at a time."""
PIECE = 64
"""Items that one worker reads at a time."""
SMALL_TIMES = 4
"""Times ``rows`` that a batch may have of what is not padded, such as pictures, where they are small (``elements``)."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How many inputs are put into batches.

    Attributes:
        rows: most rows in a batch of inputs that are padded; ``SMALL_TIMES`` as many of others.
        tokens: most tokens in a batch, padding included, of inputs that are padded.
        elements: most numbers in a batch of inputs that are not padded, such as pictures.
        multiple: lengths are padded up to a multiple of this; 1 pads to the longest row of the batch.
        streams: batches computed at the same time.
    """

    rows: int
    tokens: int
    elements: int
    multiple: int = 1
    streams: int = 1


class ArraySession(Session):
    """Reads, sorts by size, batches, runs ``streams`` batches at a time and restores the order.

    Args:
        columns: of an answer; None asks for one, so that what :meth:`forward` needs is to be there before.
    """

    def __init__(self, reader: Reader[Any], batching: Batching, columns: int | None = None) -> None:
        self.reader, self.batching = reader, batching
        self._multiple = batching.multiple if reader.pads else 1
        self._most = batching.tokens if reader.pads else batching.elements
        self._workers: ThreadPoolExecutor | None = None
        self._reading = Lock()
        self.columns: int = columns or self.forward(self._batch(reader.probe()[:1])).shape[-1]

    @abstractmethod
    def forward(self, arrays: Arrays) -> Outputs:
        """Answers [batch, columns] to one batch. Called by several threads at a time."""

    def prepare(self) -> None:
        """Called before many items are answered, by one thread: what an engine needs for that and not for one item."""

    def run(self, inputs: Sequence[Item]) -> Outputs:
        """See :meth:`Session.run`."""
        if len(inputs) == 1:
            return self.forward(self._batch(self.reader(inputs)))
        if not inputs:
            return np.empty((0, self.columns), np.float32)
        self.prepare()
        return self.answer(self._read(inputs)) if self.reader.pads else self._in_pieces(inputs)

    def sizes(self, inputs: Sequence[Item]) -> list[int]:
        """See :meth:`Session.sizes`: what the reader counts."""
        return list(map(self.reader.size, self.reader(inputs)))

    def answer(self, examples: Sequence[Any]) -> Outputs:
        """Answers to what is read already: [n, columns]."""
        batching, size = self.batching, self.reader.size
        batches = batches_by_size(self.reader, examples, batching.rows, self._most, self._multiple)
        outputs = np.empty((len(examples), self.columns), np.float32)

        def answer(rows: list[int]) -> None:
            outputs[rows] = self.forward(self._batch([examples[row] for row in rows]))

        # The longest batches first: the last ones to finish are then short, and no stream waits long for another.
        batches.reverse()
        for streams, some in groupby(batches, key=lambda rows: self._at_once(max(size(examples[row]) for row in rows))):
            if streams == 1:
                for rows in some:
                    answer(rows)
            elif streams == batching.streams:
                deque(self._pool().map(answer, some), maxlen=0)
            else:
                with ThreadPoolExecutor(streams, thread_name_prefix="long") as few:
                    deque(few.map(answer, some), maxlen=0)
        return outputs

    def _in_pieces(self, inputs: Sequence[Item]) -> Outputs:
        """Answers to items that are not padded, such as pictures: each stream reads its own batches, so that no more of
        them are in memory than are computed. What threads hinder each other in reading is read by one stream at a time,
        while the others compute."""
        alone = self._reading if self.reader.hinder(inputs) else nullcontext()
        rows = even_piece(len(inputs), SMALL_TIMES * self.batching.rows, self.batching.streams)
        outputs = np.empty((len(inputs), self.columns), np.float32)

        def answer(start: int) -> None:
            with alone:
                examples = self.reader(inputs[start : start + rows])
            for batch in batches_by_size(self.reader, examples, rows, self._most):
                found = self.forward(self.reader.batch([examples[row] for row in batch]))
                outputs[[start + row for row in batch]] = found

        starts = range(0, len(inputs), rows)
        if self.batching.streams == 1 or len(starts) == 1:
            for start in starts:
                answer(start)
        else:
            deque(self._pool().map(answer, starts), maxlen=0)
        return outputs

    def _batch(self, examples: Sequence[Any]) -> Arrays:
        if self._multiple == 1:
            return self.reader.batch(examples)
        multiple, longest = self._multiple, max(map(self.reader.size, examples))
        return self.reader.batch(examples, -(-longest // multiple) * multiple)

    def _at_once(self, size: int) -> int:
        """How many batches of rows of so much are computed at the same time: fewer when padded rows are very long."""
        if not self.reader.pads:
            return self.batching.streams
        return max(1, min(self.batching.streams, ALONE**2 // max(size, 1) ** 2))

    def _read(self, inputs: Sequence[Item]) -> list[Any]:
        if self.batching.streams == 1 or len(inputs) <= PIECE:
            return self.reader(inputs)
        pieces = [inputs[start : start + PIECE] for start in range(0, len(inputs), PIECE)]
        return [example for piece in self._pool().map(self.reader, pieces) for example in piece]

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(self.batching.streams, thread_name_prefix="stream")
        return self._workers

    def close(self) -> None:
        """Stop the workers. Closing twice is allowed."""
        if self._workers is not None:
            self._workers.shutdown(wait=True, cancel_futures=True)
            self._workers = None


def check_alone(session: ArraySession, examples: Sequence[Any], runtime: str) -> Outputs:
    """Answers to examples [n, columns], where each gets about the same alone as among the others.

    Quality is judged on many together, and one alone is what a user waits for. OpenVINO 2026.4 computes convolutions of
    one channel each (MobileNet's) otherwise in int8 where a batch has one item.

    Raises:
        BuildFailed: they are further apart than half of what these answers differ by.
    """
    together = session.answer(examples)
    alone = np.concatenate([session.answer([example]) for example in examples])
    apart = float(np.abs(together - alone).max(initial=0.0))
    spread = max(float(np.ptp(found, axis=0).max(initial=0.0)) for found in (together, alone))
    if apart > 0.5 * spread + 1e-3 * (1 + float(np.abs(together).max(initial=0.0))):
        raise BuildFailed(
            f"{runtime} answers an input alone otherwise than among others: up to {apart:.2g} apart, where answers to "
            f"different inputs differ by {spread:.2g}.",
            fix="take another engine or quantizer",
        )
    return together


def even_piece(count: int, most: int, streams: int) -> int:
    """Into pieces of how many items ``count`` of them are cut, so that streams get as many pieces, of about one size.

    >>> even_piece(1024, 128, 2), even_piece(300, 128, 2), even_piece(64, 128, 2), even_piece(1, 128, 2)
    (128, 75, 32, 1)
    """
    rounds = -(-count // (most * streams))
    return -(-count // (streams * rounds))


def feed(names: Sequence[str], arrays: Arrays) -> Arrays:
    """What the inputs of a graph get: arrays by their names; those that the reader does not know, such as token types,
    get zeros."""
    if all(name in arrays for name in names):
        return {name: arrays[name] for name in names}
    like = next(iter(arrays.values()))
    return {name: arrays.get(name, np.zeros_like(like)) for name in names}
