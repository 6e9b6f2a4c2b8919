"""Exchange: a child process that is asked by an event loop, which goes on with other things meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from lighten.core.errors import CandidateFailed, LightenError, OutOfMemory, SessionCrashed
from lighten.isolate import wire
from lighten.isolate.channel import POLL_SECONDS
from lighten.isolate.process import ChildProcess

RECEIVED = 1 << 16
"""Bytes that are taken from the socket at once."""
Reason = Callable[[], CandidateFailed]
"""Ends what is left of a process and says why it is lost. It takes a moment, so a thread is to call it."""


class Exchange:
    """Questions to a child process, one at a time, whose answers hold no arrays. Lives on the event loop.

    A process that takes too long, holds too much memory or ends is lost: it is asked nothing any more.

    Args:
        child: started; nobody else asks it until :meth:`leave`.
        answered: called with the reply to each question, or with the error that was raised inside.
        lost: called at most once, with the reason.
    """

    def __init__(
        self,
        child: ChildProcess,
        answered: Callable[[dict[str, Any] | LightenError], object],
        lost: Callable[[Reason], object],
    ) -> None:
        self._child, self._answered, self._lost = child, answered, lost
        self._loop, self._socket = asyncio.get_running_loop(), child.socket
        self._operation, self._patience, self._until = "", 0.0, 0.0
        self._parts: list[bytes] = []
        self._unsent = memoryview(b"")
        self._look_again: asyncio.TimerHandle | None = None
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket.fileno(), self._receive)

    def ask(self, operation: str, patience: float, **message: Any) -> bool:
        """Ask something; see ``ChildProcess.ask``.

        Args:
            patience: seconds until it is lost.

        Returns:
            Whether any of it was sent; else the process has gone already, which ``lost`` is about to hear.
        """
        self._operation, self._patience, self._until = operation, patience, monotonic() + patience
        self._child.busy = True
        if not self._send(wire.pack({"op": operation, **message})):
            self._operation, self._child.busy = "", False
            return False
        if self._look_again is None:
            self._look_again = self._loop.call_later(POLL_SECONDS, self._look)
        return True

    def leave(self) -> None:
        """Ask nothing any more, and hear nothing. Leaving twice is allowed."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
        if self._look_again is not None:
            self._look_again.cancel()

    def _send(self, data: bytes | memoryview) -> bool:
        """Send some of it now and the rest when there is room. Returns whether the process was there to take it."""
        if self._unsent:
            self._unsent = memoryview(b"".join((self._unsent, data)))
            return True
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            return False
        if sent < len(data):
            self._unsent = memoryview(data)[sent:]  # a view: what is large goes in many parts
            self._loop.add_writer(self._socket.fileno(), self._send_rest)
        return True

    def _send_rest(self) -> None:
        data, self._unsent = self._unsent, memoryview(b"")
        self._loop.remove_writer(self._socket.fileno())
        self._send(data)  # that it has gone shows where its answer is read

    def _receive(self) -> None:
        try:
            part = self._socket.recv(RECEIVED)
        except BlockingIOError:
            return
        except ConnectionResetError:
            part = b""
        if not part:
            self._lose(partial(self._child.end_dead, self._operation))
            return
        self._parts.append(part)
        if b"\n" in part:
            *lines, rest = b"".join(self._parts).split(b"\n")
            self._parts = [rest] if rest else []
            for line in lines:
                self._hear(line)

    def _hear(self, line: bytes) -> None:
        """Take one message: a reply, or an event, which nobody listens to here."""
        try:
            told = wire.unpack(line)
        except SessionCrashed as error:
            self._reply(error)
            return
        if line.startswith(wire.EVENT):
            if told.get("asks"):
                self._send(wire.pack({"answer": False}))
            return
        told.pop("to", None)
        self._reply(wire.unpack_error(told["error"]) if "error" in told else told)

    def _reply(self, told: dict[str, Any] | LightenError) -> None:
        self._operation, self._child.busy = "", False
        self._answered(told)

    def _look(self) -> None:
        """While it is at work: does it take too long, or too much memory?"""
        self._look_again = None
        if not self._operation:
            return
        if seen := self._child.excess():
            self._lose(partial(self._child.end, OutOfMemory, seen))
        elif monotonic() >= self._until:
            self._lose(partial(self._child.end_overdue, self._operation, self._patience))
        else:
            self._look_again = self._loop.call_later(POLL_SECONDS, self._look)

    def _lose(self, reason: Reason) -> None:
        self.leave()
        self._lost(reason)
