"""Arrivals: messages of gRPC that are on their way, no more at a time than there is room for the largest of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lighten.serve.refusals import too_slow, unavailable

QUICK = 0.2
"""Seconds in which a message is there that does not take long to come."""


@dataclass(eq=False, slots=True)
class _Arrival:
    """One of them. ``crowded`` is set where it has to give its place away."""

    limit: asyncio.Timeout
    since: float
    crowded: bool = False


class Arrivals:
    """How large a message is nobody says before it is there, so that its place has to do for the largest.

    Who finds no place waits for one: the message that has been coming longest has to give its own away, once it takes
    longer than ``QUICK``. So whoever sends slowly holds nobody up, and has time where there is room.

    Args:
        most: places. slow: seconds that a message may take, with waiting for a place.
    """

    def __init__(self, most: int, slow: float) -> None:
        self.most, self.slow = most, slow
        self._coming: dict[_Arrival, None] = {}  # the first is the one that has been coming longest
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._coming)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one message, for as long as it is read.

        Raises:
            Refusal: it takes too long, or others need its place.
        """
        loop, arrival = asyncio.get_running_loop(), None
        try:
            async with asyncio.timeout(self.slow) as limit:
                while len(self._coming) >= self.most:
                    await self._wait(loop)
                arrival = _Arrival(limit, loop.time())
                self._coming[arrival] = None
                yield
        except TimeoutError as error:
            if arrival is not None and not arrival.crowded:
                raise too_slow(self.slow) from error
            seen = f"{self.most} messages are on their way, and there is no room for one that takes long."
            raise unavailable(seen, code="no_room") from error
        finally:
            if arrival is not None:
                del self._coming[arrival]
            self._wake()

    async def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until there may be a place."""
        oldest, left = next(iter(self._coming)), QUICK
        if not any(one.crowded for one in self._coming):  # else a place is about to be free
            left = oldest.since + QUICK - loop.time()
            if left <= 0:
                self._give_up(oldest)
                left = QUICK
        freed = loop.create_future()
        self._waiting.append(freed)
        timer = loop.call_later(left, _resolve, freed)  # then another one may be the oldest
        try:
            await freed
        finally:
            timer.cancel()
            if freed in self._waiting:
                self._waiting.remove(freed)

    def _give_up(self, arrival: _Arrival) -> None:
        """One that takes long has to give its place away."""
        if arrival in self._coming and not arrival.crowded and not arrival.limit.expired():
            arrival.crowded = True
            arrival.limit.reschedule(asyncio.get_running_loop().time())

    def _wake(self) -> None:
        """Whoever has waited longest looks for a place."""
        while self._waiting:
            freed = self._waiting.popleft()
            if not freed.done():
                freed.set_result(None)
                return


def _resolve(freed: asyncio.Future[None]) -> None:
    if not freed.done():
        freed.set_result(None)
