"""Rate: seconds that a unit of work takes, as measured on what was answered, and what follows for what waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lighten.core.item import Item, size_of

EACH = 16
"""Units that an input counts beside its size: what even an empty text costs."""
KEPT = 0.9
"""Weight of everything before, each time that something new is learned."""
FIRST = 4096
"""Units of the first batch, when nothing is known of the model."""


def work_of(items: Sequence[Item]) -> int:
    """Work that items are: their sizes, and a little for each."""
    return sum(map(size_of, items)) + EACH * len(items)


class Rate:
    """What a unit of work takes. A batch counts by its work, so that small ones with their overheads do not decide."""

    def __init__(self) -> None:
        self._work = self._seconds = 0.0
        self._cold = False

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return self._work > 0

    def learn(self, work: int, seconds: float, *, cold: bool = False) -> None:
        """So much took so long.

        Args:
            cold: of a process that had answered nothing before, which takes longer: it counts only until something
                else is known.
        """
        if cold and self.known:
            return
        kept, self._cold = 0.0 if self._cold else KEPT, cold
        self._work = kept * self._work + work
        self._seconds = kept * self._seconds + seconds

    def seconds(self, work: float) -> float:
        """What so much takes; 0 while nothing is known."""
        return work * self._seconds / self._work if self._work > 0 else 0.0

    def work(self, seconds: float) -> float:
        """How much is done in a time, ``FIRST`` while nothing is known."""
        return seconds * self._work / self._seconds if self._seconds > 0 else FIRST


def waiting_time(rate: Rate, queued: float, running: Iterable[tuple[int, float]], replicas: int) -> float:
    """Seconds until a request would begin that comes now.

    Args:
        queued: work that waits. running: work of each batch that is being answered, and the seconds it has had.
        replicas: that answer.
    """
    left = sum(max(0.0, rate.seconds(work) - spent) for work, spent in running)
    return (rate.seconds(queued) + left) / max(1, replicas)
