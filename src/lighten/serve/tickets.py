"""Tickets: a request on its way through the server, and the pieces of it that are answered one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from lighten.core.item import Item
from lighten.core.prediction import Prediction
from lighten.serve.rate import work_of
from lighten.serve.record import Record


@dataclass(eq=False, slots=True)
class Piece:
    """Some inputs of one request, which are answered together.

    Attributes:
        begin: place of the first of them in the request. work: see :func:`lighten.serve.rate.work_of`.
    """

    ticket: Ticket
    items: Sequence[Item] = field(repr=False)
    begin: int
    work: int
    since: float = field(default_factory=monotonic)

    @property
    def each(self) -> float:
        """Work of one input, on average."""
        return self.work / len(self.items)


class Ticket:
    """A request that was admitted. Belongs to the event loop; threads only read its pieces.

    It is *over* when it has its answers, an error, or nobody who waits for it; it is *done with* once no thread holds a
    piece of it any more, and what its inputs lie in can be thrown away.

    Args:
        items: of the request, at least one. rows, work: most inputs and most work of a piece.
        freed: called once it is done with.

    Attributes:
        pieces: of the request. answer: its predictions in order, or why there are none.
        since, began, ended: when it came, and when its first piece was begun and its last one was over; 0 before.
    """

    def __init__(
        self,
        items: Sequence[Item],
        rows: int,
        work: float,
        *,
        freed: Callable[[], object] | None = None,
    ) -> None:
        self.pieces = tuple(
            Piece(self, items[begin:end], begin, work_of(items[begin:end])) for begin, end in cut(items, rows, work)
        )
        self.work = sum(piece.work for piece in self.pieces)
        self.since, self.began, self.ended = monotonic(), 0.0, 0.0
        self.answer: asyncio.Future[list[Prediction]] = asyncio.get_running_loop().create_future()
        self._found: list[Prediction | None] = [None] * len(items)
        self._held, self._freed = len(self.pieces), freed

    @property
    def inputs(self) -> int:
        """How many there are."""
        return len(self._found)

    @property
    def over(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.answer.done()

    def note(self, record: Record) -> None:
        """Note how long it waited and was worked on."""
        record.work, record.queued, record.began, record.answered = self.work, self.since, self.began, self.ended

    def answered(self, piece: Piece, predictions: Sequence[Prediction]) -> None:
        """A piece has its answers."""
        self._found[piece.begin : piece.begin + len(predictions)] = predictions
        self._held -= 1
        if self._held == 0 and not self.over:
            self.answer.set_result([one for one in self._found if one is not None])
        self._free()

    def dropped(self, piece: Piece, error: Exception | None = None) -> None:
        """A piece gets no answer. error: why; None where nobody waits for one."""
        self._held -= 1
        if error is not None:
            self.fail(error)
        self._free()

    def fail(self, error: Exception) -> None:
        """There will be no answer."""
        if not self.over:
            self.answer.set_exception(error)
            self.answer.exception()  # it may be that nobody asks for it any more, which is no fault

    def _free(self) -> None:
        if self._held == 0 and self._freed is not None:
            self._freed()
            self._freed = None


def cut(items: Sequence[Item], rows: int, work: float) -> list[tuple[int, int]]:
    """Begin and end of each piece: in order, at most so many rows and so much work, but one row at the least.

    >>> cut(["a"] * 5, 2, 1000), cut(["a" * 84] * 3, 8, 200)
    ([(0, 2), (2, 4), (4, 5)], [(0, 2), (2, 3)])
    """
    found, begin, held = [], 0, 0
    for place, item in enumerate(items):
        more = work_of((item,))
        if place > begin and (place - begin >= rows or held + more > work):
            found.append((begin, place))
            begin, held = place, 0
        held += more
    found.append((begin, len(items)))
    return found
