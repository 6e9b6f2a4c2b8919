"""Queue: what waits to be answered. The event loop puts into it and takes back; replicas take from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from math import ceil, inf, log
from threading import Lock

from lighten.serve.tickets import Piece

LOOK = 256
"""Of how many pieces, the oldest, a batch is made at the most."""
OLDER, FEW = 0.6, 8
"""Share of what waits, and how many pieces at least, of which a batch is made: the oldest. Without it, inputs of rare
sizes see all others pass by, and their times are twice the middle one; with it one and a half times, at no loss."""
LIKE = 1.35
"""Most times as large or as small that inputs of a batch are where they are padded: eight texts as they come cost more
together than one by one, and a quarter less with their like (MiniLM in int8, CPU-seconds)."""


class WorkQueue:
    """Pieces that wait, in the order in which they came. How much may wait is for :mod:`lighten.serve.admission`.

    Attributes:
        work, inputs: of all that waits; to be read without a lock.
        closed: nothing is taken from it any more.
    """

    def __init__(self) -> None:
        self.work = self.inputs = 0
        self.closed = False
        self._waiting: OrderedDict[Piece, None] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pieces: Iterable[Piece]) -> None:
        """They wait from now on."""
        with self._lock:
            for piece in pieces:
                self._waiting[piece] = None
                self._count(piece, 1)

    def put_back(self, pieces: Sequence[Piece]) -> None:
        """They were taken, and nobody began with them: they wait before all others."""
        with self._lock:
            for piece in reversed(pieces):
                self._waiting[piece] = None
                self._waiting.move_to_end(piece, last=False)
                self._count(piece, 1)

    def drop(self, piece: Piece) -> bool:
        """Take a piece back at once. Returns whether it still waited."""
        with self._lock:
            if piece not in self._waiting:
                return False
            del self._waiting[piece]
            self._count(piece, -1)
            return True

    def take(self, rows: int, work: float, *, like: float = inf) -> list[Piece]:
        """Pieces to be answered together, the oldest among them; none where nothing waits.

        Args:
            rows, work, like: see :func:`joined`; the oldest piece is taken in any case.
        """
        with self._lock:
            if self.closed or not self._waiting:
                return []
            taken = joined(self._waiting, rows, work, like)
            for piece in taken:
                del self._waiting[piece]
                self._count(piece, -1)
            return taken

    def clear(self) -> list[Piece]:
        """Take back everything that waits."""
        with self._lock:
            found = list(self._waiting)
            self._waiting.clear()
            self.work = self.inputs = 0
            return found

    def close(self) -> None:
        """Nothing is taken from it any more."""
        self.closed = True

    def _count(self, piece: Piece, sign: int) -> None:
        self.work += sign * piece.work
        self.inputs += sign * len(piece.items)


def joined(waiting: Collection[Piece], rows: int, work: float, like: float = inf) -> list[Piece]:
    """The oldest piece, and of others as old those whose inputs are most like its own in size, as many as fit.

    A request never waits for more than one batch because of its size: sooner or later it is the oldest.

    Args:
        waiting: in the order in which they came. rows, work: most inputs and most work of all.
        like: most times as large or as small as the oldest one's that inputs may be.
    """
    first, *others = islice(waiting, min(LOOK, max(FEW, ceil(OLDER * len(waiting)))))
    taken, rows, work = [first], rows - len(first.items), work - first.work
    wanted, most = log(first.each), log(like)
    apart = [(abs(log(piece.each) - wanted), place) for place, piece in enumerate(others)]
    for far, place in sorted(apart):
        piece = others[place]
        if rows <= 0 or work <= 0 or far > most:
            break
        if len(piece.items) <= rows and piece.work <= work:
            taken.append(piece)
            rows, work = rows - len(piece.items), work - piece.work
    return taken
