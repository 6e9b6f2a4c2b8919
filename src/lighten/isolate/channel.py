"""Channel: messages between a process and one that it started, line by line; the side of the one that started it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from time import monotonic

POLL_SECONDS = 0.1
"""How often the other process is looked after while something is waited for."""
RECEIVED = 1 << 20
"""Most bytes that are taken from the socket at once."""


class Channel:
    """A socket with what was received and not taken yet. For one thread.

    Args:
        watch: called every ``POLL_SECONDS`` while something is waited for; what it raises ends the waiting.
    """

    def __init__(self, connected: socket.socket, watch: Callable[[], object]) -> None:
        self.socket = connected
        self._watch = watch
        self._rest = b""
        self._watched = 0.0

    def send(self, data: bytes, seconds: float) -> None:
        """Send a message whose answer is waited for: nothing is received meanwhile.

        Raises:
            TimeoutError: it was not taken in time. BrokenPipeError, ConnectionResetError: the process has gone.
        """
        self.socket.settimeout(seconds)
        self.socket.sendall(data)

    def push(self, data: bytes, patience: float) -> None:
        """Send a message; receive what comes while there is no room for it, so that neither waits for the other.

        Args:
            patience: seconds in which something has to be taken or told.

        Raises:
            TimeoutError: nothing was. BrokenPipeError, ConnectionResetError: the process has gone.
        """
        left, waiting = memoryview(data), select.poll()
        waiting.register(self.socket, select.POLLIN | select.POLLOUT)
        self.socket.settimeout(0)
        until = monotonic() + patience
        while left:
            ready = dict(waiting.poll(POLL_SECONDS * 1e3)).get(self.socket.fileno(), 0)
            if not ready:
                self._watch()
                if monotonic() >= until:
                    raise TimeoutError
                continue
            until = monotonic() + patience
            try:
                if ready & select.POLLOUT:
                    left = left[self.socket.send(left) :]
                else:
                    self.receive()
            except BlockingIOError:
                continue

    def line(self, until: float) -> bytes:
        """The next line, waited for; empty when the process has gone.

        Args:
            until: by ``time.monotonic``.

        Raises:
            TimeoutError: time is up.
        """
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            part = self._received(until)
            if not part:
                return b""
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def read(self, count: int, until: float) -> bytearray:
        """The next ``count`` bytes, waited for.

        Raises:
            TimeoutError: time is up. ConnectionResetError: the process has gone.
        """
        data, self._rest = bytearray(self._rest[:count]), self._rest[count:]
        while len(data) < count:
            part = self._received(until, count - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data

    def wait(self, seconds: float, bell: int = -1) -> bool:
        """Whether something was sent before the time is up, or a bell rings.

        Args:
            bell: file descriptor; that it can be read ends the waiting, too.
        """
        self.socket.settimeout(0)
        waiting, own = select.poll(), self.socket.fileno()
        waiting.register(own, select.POLLIN)
        if bell >= 0:
            waiting.register(bell, select.POLLIN)
        until = monotonic() + seconds
        while True:
            if monotonic() >= self._watched + POLL_SECONDS:
                self._watch()
                self._watched = monotonic()
            ready = waiting.poll(max(0.0, min(until - monotonic(), POLL_SECONDS)) * 1e3)
            if ready or monotonic() >= until:
                return any(number == own for number, _ in ready)

    def receive(self) -> None:
        """Take in what was sent, without waiting; see :meth:`next_line`.

        Raises:
            ConnectionResetError: the process has gone.
        """
        try:
            part = self.socket.recv(RECEIVED)
        except BlockingIOError:
            return
        if not part:
            raise ConnectionResetError
        self._rest += part

    def next_line(self) -> bytes:
        """The next line of what was received; empty where none is whole."""
        if b"\n" not in self._rest:
            return b""
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def close(self) -> None:
        """Nothing more is sent or received."""
        self.socket.close()

    def _received(self, until: float, most: int = RECEIVED) -> bytes:
        """What the process sent, at most so many bytes; empty when it has gone."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        while True:
            left = until - monotonic()
            if left <= 0:
                raise TimeoutError
            if waiting.poll(min(left, POLL_SECONDS) * 1e3):
                return self.socket.recv(most)
            self._watch()
