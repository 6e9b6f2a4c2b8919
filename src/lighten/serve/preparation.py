"""Preparation: what is done for a request before it may wait to be written, such as rendering its conversation.

It is bounded, counted and given up as what waits is: nobody keeps the machine busy with what never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf
from time import monotonic
from typing import ParamSpec, TypeVar

from lighten.serve.admission import Load, refused
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.rate import EACH, Rate
from lighten.serve.refusals import ClientGone, expired, overloaded, unavailable

P = ParamSpec("P")
T = TypeVar("T")
FEW = 8
"""Twice as many jobs of the thread may wait, however slow they are."""


class Preparation:
    """What requests of one model have done before they wait. Lives on the event loop.

    Args:
        thread: does the jobs, one after the other.

    Attributes:
        requests, size: that are being prepared, and the characters of all of them.
        rate: how fast jobs are done, by their characters.
    """

    def __init__(self, thread: Executor, limits: Limits) -> None:
        self.requests = self.size = 0
        self.rate = Rate()
        self._thread, self._limits = thread, replace(limits, batch=FEW, batch_seconds=inf)
        self._jobs = self._work = 0

    @asynccontextmanager
    async def of(self, size: int, presence: Presence) -> AsyncIterator[float]:
        """While a request is prepared; it ends at the deadline, which it gives as a time of ``time.monotonic``, or when
        the client goes away.

        Args:
            size: characters of what it says.

        Raises:
            Refusal: too much is being prepared, or it took too long. ClientGone: nobody waits for it.
        """
        limits, task = self._limits, asyncio.current_task()
        assert task is not None
        if self.size and self.size + size > limits.queue:
            seen = (
                f"Requests of {self.size:,} characters are being read, and {size:,} more are beyond {limits.queue:,}."
            )
            raise overloaded(seen, 1.0)
        _check_there(presence)
        self.requests += 1
        self.size += size
        presence.on_leave(task.cancel)
        seconds = min(limits.deadline, limits.write_deadline)
        try:
            async with asyncio.timeout(seconds):
                yield monotonic() + seconds
        except TimeoutError as error:
            raise expired(seconds) from error
        except asyncio.CancelledError:
            if not presence.gone or task.uncancel():
                raise
            raise ClientGone from None
        finally:
            presence.on_leave(None)
            self.requests -= 1
            self.size -= size

    async def run(self, size: int, function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Have the thread call a function. Whoever goes away gives its place away, unless it has begun.

        Args:
            size: characters of what it looks at.

        Raises:
            Refusal: what is before it takes too long, or the server ends.
        """
        work = EACH + size
        load = Load(self._work, self._jobs, self.rate.seconds(self._work), 1)
        refusal = refused(load, work, self._limits.deadline, self.rate, self._limits)
        if refusal is not None:
            raise refusal

        def timed() -> tuple[T | Exception, float]:
            began = monotonic()
            try:
                found: T | Exception = function(*given, **named)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for: it took its time, too
                found = error
            return found, monotonic() - began

        loop, job = asyncio.get_running_loop(), self._thread.submit(timed)
        self._jobs += 1
        self._work += work

        def over(job: Future[tuple[T | Exception, float]]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for anything
                loop.call_soon_threadsafe(self._over, work, 0.0 if job.cancelled() else job.result()[1])

        job.add_done_callback(over)
        try:
            found, _ = await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise unavailable("The model is being ended.", code="stopped") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _over(self, work: int, seconds: float) -> None:
        self._jobs -= 1
        self._work -= work
        if seconds:
            self.rate.learn(work, seconds)


def _check_there(presence: Presence) -> None:
    """Raises ClientGone."""
    if presence.gone:
        raise ClientGone
