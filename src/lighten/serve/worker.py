"""Worker: keeps one model open, works for as long as the server runs, and begins anew when it dies."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import ParamSpec, TypeVar

from lighten.core.errors import LightenError, SessionCrashed

P = ParamSpec("P")
T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds until the first restart after a death, and at the most; each one doubles that."""


class State(StrEnum):
    """How it stands with a worker."""

    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    """It could not be opened even once."""
    STOPPED = "stopped"


class Died(Exception):
    """What a worker keeps open has gone.

    Args:
        error: why.
    """

    def __init__(self, error: LightenError) -> None:
        super().__init__(error.seen)
        self.error = error


class Worker(ABC):
    """What does a model's work. Lives on the event loop, beside a thread for what takes long.

    A kind of work is a subclass: open, work, close.

    Args:
        name: of the thread.
        changed: called each time that its state is another one.

    Attributes:
        state: as of now. failure: why it died or failed, the last time. restarts: how often it began anew.
        resumes: when the next restart is due, by ``time.monotonic``.
        stopping: whether it is to end.
    """

    def __init__(self, name: str, changed: Callable[[], object]) -> None:
        self.state = State.LOADING
        self.failure: LightenError | None = None
        self.restarts, self.resumes = 0, 0.0
        self.stopping = False
        self._changed, self._name = changed, name
        self._stop, self._deaths = asyncio.Event(), 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._life: asyncio.Task[None] | None = None

    @abstractmethod
    def open(self) -> None:
        """Open the model; called by the thread.

        Raises:
            LightenError: it cannot be opened.
        """

    @abstractmethod
    async def work(self) -> None:
        """Work with what is open, until it is to end.

        Raises:
            Died: the model has gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what is open; called by the thread. Closing what is not open is allowed."""

    def start(self) -> None:
        """Begin."""
        self._life = asyncio.get_running_loop().create_task(self._live(), name=self._name)

    def stop(self) -> None:
        """End after the work in hand."""
        self.stopping = True
        self._stop.set()

    async def ended(self, timeout: float | None = None) -> bool:
        """Wait for its end. Returns whether it came within so many seconds."""
        if self._life is None:
            return True
        await asyncio.wait((self._life,), timeout=timeout)
        return self._life.done()

    def answered(self) -> None:
        """Something was answered well: the next death is the first one again. Called by either."""
        self._deaths = 0

    def lost(self, error: LightenError) -> None:
        """What is open has gone: from now on it is not ready. Called by either, before anybody hears of the death."""
        self.failure, self.resumes, self.state = error, monotonic() + FIRST_PAUSE, State.RESTARTING

    async def in_thread(self, function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What a function returns or raises that takes long."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *given, **named))

    async def _live(self) -> None:
        try:
            while not self.stopping:
                try:
                    await self.in_thread(self.open)
                except Exception as error:  # noqa: BLE001 - whatever keeps it from opening, the server says so and goes on
                    known = error if isinstance(error, LightenError) else _unforeseen(error)
                    if self.failure is None:
                        self.failure = known
                        self._enter(State.FAILED)
                        return
                    await self._pause(known)
                    continue
                self._enter(State.READY)
                await self._until_death()
            self._enter(State.STOPPED)
        finally:
            self._thread.shutdown(wait=False)

    async def _until_death(self) -> None:
        """Work until it is to end or dies; close what was open."""
        error: LightenError | None = None
        try:
            await self.work()
        except Died as death:
            error = death.error
        except Exception as fault:  # noqa: BLE001 - a fault in here costs the work in hand, not the server
            error = _unforeseen(fault)
        if error is not None:
            self.lost(error)
        try:
            await self.in_thread(self.close)
        except Exception as fault:  # noqa: BLE001 - else it would be ready for ever, and nobody there to work
            error = error or _unforeseen(fault)
        if error is not None:
            await self._pause(error)

    async def _pause(self, error: LightenError) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._deaths)
        self._deaths = min(self._deaths + 1, 32)
        self.failure, self.restarts, self.resumes = error, self.restarts + 1, monotonic() + pause
        self._enter(State.RESTARTING)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), pause)

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()


def _unforeseen(error: Exception) -> LightenError:
    return SessionCrashed(f"{type(error).__name__}: {error}")
