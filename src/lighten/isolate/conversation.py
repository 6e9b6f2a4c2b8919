"""Conversation: an operation of a child process that runs all the while, is told things, and tells what it does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lighten.core.errors import CandidateFailed, LightenError, SessionCrashed
from lighten.isolate import wire
from lighten.isolate.channel import Channel

STALLED_SECONDS = 60.0
"""A process that neither takes what it is told for so long, nor tells anything, is ended."""


class Talking(Protocol):
    """A process that can be ended, as ``ChildProcess`` describes it."""

    def check_running(self) -> None: ...
    def end_stalled(self, operation: str, patience: float) -> CandidateFailed: ...
    def end_dead(self, operation: str) -> CandidateFailed: ...


class Conversation:
    """As ``ChildProcess.converse`` began it. For one thread.

    Args:
        child: that runs the operation. channel: to it. over: called when it is over.

    Attributes:
        operation: that runs. events: that were told and not taken yet, the oldest first.
    """

    def __init__(self, child: Talking, channel: Channel, operation: str, over: Callable[[], object]) -> None:
        self.operation = operation
        self.events: deque[Mapping[str, Any]] = deque()
        self._child, self._channel, self._over = child, channel, over
        self._error: LightenError | None = None

    def tell(self, **message: Any) -> None:
        """Say something. What is told meanwhile is taken in, so that neither waits for the other.

        Raises:
            SessionCrashed, SessionTimeout, OutOfMemory: the process died, or was ended.
        """
        self._child.check_running()
        try:
            self._channel.push(wire.pack(message), STALLED_SECONDS)
        except TimeoutError:
            raise self._child.end_stalled(self.operation, STALLED_SECONDS) from None
        except (BrokenPipeError, ConnectionResetError):
            raise self._child.end_dead(self.operation) from None

    def end(self, reply: Mapping[str, Any]) -> None:
        """The operation is over; ``reply`` says why, which is heard once all events are."""
        ended = SessionCrashed(f"It ended to {self.operation}.")
        self._error = wire.unpack_error(reply["error"]) if "error" in reply else ended
        self._over()

    def hear(self, timeout: float, bell: int = -1) -> bool:
        """Wait until something is told, and take it in.

        Args:
            timeout: seconds. bell: file descriptor; that it can be read ends the waiting, too.

        Returns:
            Whether there are events.

        Raises:
            SessionCrashed: the process died. OutOfMemory: it went over its memory, and was ended.
            LightenError: the operation failed, by class and message; it is over.
        """
        if self._error is None:
            self._take_events()
        if not self.events and self._error is None:
            self._child.check_running()
            if self._channel.wait(timeout, bell):
                self._receive()
                self._take_events()
        if self._error is not None and not self.events:
            raise self._error
        return bool(self.events)

    def _receive(self) -> None:
        try:
            self._channel.receive()
        except ConnectionResetError:
            raise self._child.end_dead(self.operation) from None

    def _take_events(self) -> None:
        """Take what was received, as far as the operation goes on."""
        while line := self._channel.next_line():
            told = wire.unpack(line)
            if not line.startswith(wire.EVENT):
                self.end(told)
                return
            self.events.append(told["event"])
