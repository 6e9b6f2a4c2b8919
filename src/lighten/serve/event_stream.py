"""Replies that come bit by bit: server-sent events, as the HTML standard has them.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from lighten.serve.http import Send, write_json
from lighten.serve.refusals import ClientGone

HEADERS = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))
DONE = b"data: [DONE]\n\n"


class EventStream:
    """A reply of events.

    Args:
        events: their bytes, in order. closed: called in any case, once nothing is sent any more.
    """

    def __init__(self, events: AsyncIterator[bytes], closed: Callable[[], object]) -> None:
        self._events, self._closed = events, closed

    async def send(self, send: Send) -> None:
        """Send them as they come; where the client goes away it just ends."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            async for event in self._events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except ClientGone:
            return
        finally:
            self._closed()


def event_of(value: Any) -> bytes:
    """A value as an event.

    >>> event_of({"a": "b\\n"})
    b'data: {"a":"b\\\\n"}\\n\\n'
    """
    return b"".join((b"data: ", write_json(value), b"\n\n"))
