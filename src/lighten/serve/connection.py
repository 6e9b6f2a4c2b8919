"""Connections of uvicorn with what it leaves open: bounds on headers and on slow senders, and who has gone away."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lighten.serve.limits import Limits
from lighten.serve.presence import EXTENSION, Presence

TOO_LARGE, TOO_SLOW = b"431 Request Header Fields Too Large", b"408 Request Timeout"
GATHERED = 1 << 16
"""Bytes of an answer that are not held back for what follows."""
SPARE = 64
"""Connections beyond the most that there may be that still hear so (503); more of them are closed without a word."""


class Oversized(Exception):
    """The headers of a request are too large."""


class Gathering:
    """A transport that sends what is written in one go together: the head of an answer and its body in one packet, for
    which the system is called, and the client woken, once.

    Args:
        transport: what is left to it in all else.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it with what follows: when :meth:`flush` is called, at the event loop's next turn at the latest."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > GATHERED:
            self.flush()

    def flush(self) -> None:
        """Send what was written."""
        if self._parts:
            data, self._parts, self._size = b"".join(self._parts), [], 0
            self._transport.write(data)

    def close(self) -> None:
        """Send what was written, and close."""
        self.flush()
        self._transport.close()


class Connection(HttpToolsProtocol):
    """One connection. ``limits`` is set by :func:`connections_within`."""

    limits = Limits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins: the first request has to come within ``slow`` seconds."""
        super().connection_made(transport)
        self._gathering = Gathering(transport, self.loop)
        self.transport = cast(asyncio.Transport, self._gathering)
        self._present: deque[Presence] = deque()
        self._heading, self._seen, self._oversized = True, 0, False
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections + SPARE:
            self.transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over: whoever works for it hears so."""
        self._unwatch()
        super().connection_lost(exc)  # which resumes writing
        while self._present:
            self._present.popleft().leave()

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of a request's line, headers and trailers are counted."""
        self._seen += len(data)
        super().data_received(data)
        if self._seen and not self.transport.is_closing():
            if self._seen > self.limits.headers:
                self._end(TOO_LARGE)
            elif self._heading and self._timer is None:
                self._watch()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        presence = Presence()
        self._present.append(presence)
        self.scope["extensions"] = {EXTENSION: presence}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; a trailer behind a body in chunks is none, and is dropped."""
        if self._heading:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Bytes of its body, which are counted by who reads it."""
        self._seen = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Its headers are there.

        Raises:
            Oversized: they are too large, though they came at once.
        """
        self._unwatch()
        if self._seen > self.limits.headers:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.limits.headers:
                self._oversized = True
                raise Oversized
        self._heading, self._seen = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there; another one may follow."""
        super().on_message_complete()
        self._heading, self._seen = True, 0

    def on_response_complete(self) -> None:
        """The oldest request has its answer."""
        self._gathering.flush()
        if self._present:
            self._present.popleft()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """More waits to be read by the client than fits: it is to take some of it within ``slow`` seconds."""
        super().pause_writing()
        self._stall(0)

    def resume_writing(self) -> None:
        """It has taken it."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed is refused, and what is too large by its own name."""
        if self._oversized:
            self._end(TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _watch(self) -> None:
        self._timer = self.loop.call_later(self.limits.slow, self._too_slow)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stall(self, before: int) -> None:
        """Look again whether a client reads. before: bytes that waited; 0 for the first time."""
        waiting = self.transport.get_write_buffer_size()
        if before and waiting >= before:
            self.transport.abort()
        else:
            self._stalled = self.loop.call_later(self.limits.slow, self._stall, waiting)

    def _too_slow(self) -> None:
        if self._heading and not self.transport.is_closing():
            self._end(TOO_SLOW)

    def _end(self, status: bytes) -> None:
        lines = (b"HTTP/1.1 " + status, b"content-length: 0", b"connection: close", b"", b"")
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()


def connections_within(limits: Limits) -> type[Connection]:
    """The class of connections of a server with such limits."""
    return type("Connection", (Connection,), {"limits": limits})
