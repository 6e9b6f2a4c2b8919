"""Worker: a thread that keeps one model open, works for as long as the server runs, and begins anew when it dies."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from time import monotonic

from lighten.core.errors import LightenError, SessionCrashed

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
    """What does a model's work in a thread of its own. A kind of work is a subclass: open, take a turn, close.

    Args:
        name: of the thread.
        changed: called by the thread each time that its state is another one.

    Attributes:
        state: as of now. failure: why it died or failed, the last time. restarts: how often it began anew.
        resumes: when the next restart is due, by ``time.monotonic``.
    """

    def __init__(self, name: str, changed: Callable[[], object]) -> None:
        self.state = State.LOADING
        self.failure: LightenError | None = None
        self.restarts, self.resumes = 0, 0.0
        self._changed = changed
        self._stopping = threading.Event()
        self._deaths = 0
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    @abstractmethod
    def open(self) -> None:
        """Open the model.

        Raises:
            LightenError: it cannot be opened.
        """

    @abstractmethod
    def turn(self) -> bool:
        """Wait for work, not for long, and do some of it. Returns whether anything was answered well.

        Raises:
            Died: the model has gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what is open. Closing what is not open is allowed."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn in hand."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end. Returns whether it came."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                self.open()
            except Exception as error:  # noqa: BLE001 - whatever keeps it from opening, the server says so and goes on
                known = error if isinstance(error, LightenError) else _unforeseen(error)
                if self.failure is None:
                    self.failure = known
                    self._enter(State.FAILED)
                    return
                self._pause(known)
                continue
            self._enter(State.READY)
            self._work()
        self._enter(State.STOPPED)

    def _work(self) -> None:
        """Until it is stopped or dies; closes what was open."""
        try:
            while not self._stopping.is_set():
                if self.turn():
                    self._deaths = 0
        except Died as death:
            self.close()
            self._pause(death.error)
        except Exception as error:  # noqa: BLE001 - a fault in here costs this turn, not the server
            self.close()
            self._pause(_unforeseen(error))
        else:
            self.close()

    def _pause(self, error: LightenError) -> None:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._deaths)
        self._deaths = min(self._deaths + 1, 32)
        self.failure, self.restarts, self.resumes = error, self.restarts + 1, monotonic() + pause
        self._enter(State.RESTARTING)
        self._stopping.wait(pause)

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()


def _unforeseen(error: Exception) -> LightenError:
    return SessionCrashed(f"{type(error).__name__}: {error}")
