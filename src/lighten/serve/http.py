"""What requests and replies are to the protocols: bodies read within limits, bytes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from lighten.serve.aside import aside
from lighten.serve.json_body import read_json
from lighten.serve.limits import Limits
from lighten.serve.presence import EXTENSION, Presence
from lighten.serve.refusals import ClientGone, Refusal, too_large, too_slow, unavailable, unsupported, unusable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""See ASGI."""

MANY = 10_000
"""Values of JSON that are written at once."""
JSON = b"application/json"
BYTES = b"application/octet-stream"


class Held:
    """Bytes of bodies that are in memory.

    Args:
        most: of all together.
    """

    def __init__(self, most: int) -> None:
        self.most, self.bytes = most, 0

    def take(self, count: int) -> None:
        """So many more.

        Raises:
            Refusal: there is no room for them.
        """
        if self.bytes + count > self.most:
            seen = f"Bodies of {self.bytes:,} bytes are being worked on, and there is no room for {count:,} more."
            raise unavailable(seen, code="no_room")
        self.bytes += count

    def give_back(self, count: int) -> None:
        """So many fewer."""
        self.bytes -= count


class Request:
    """One request. Its body is read when it is asked for.

    Attributes:
        method, path, params: of its line; ``params`` are the parts of the path that the route leaves open.
        presence: of who sent it. caller: name of the key that it has; empty where none is asked for.
    """

    __slots__ = (
        "_held", "_limits", "_receive", "_room", "_scope", "caller", "headers", "method", "params", "path", "presence",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, limits: Limits, room: Held) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.params: Mapping[str, str] = {}
        self.caller = ""
        self.presence: Presence = (scope.get("extensions") or {}).get(EXTENSION) or Presence()
        self._scope, self._receive, self._limits, self._room, self._held = scope, receive, limits, room, 0

    async def body(self) -> bytes:
        """All of it.

        Raises:
            Refusal: too large, sent too slowly, or in a coding that is not taken. ClientGone: it broke off.
        """
        if b"content-encoding" in self.headers:
            coding = self.headers[b"content-encoding"].decode("latin-1")
            if coding.lower() != "identity":
                raise unsupported(f"The body is in the coding {coding[:40]!r}.", "bodies as they are")
        told = self.headers.get(b"content-length", b"")
        if told.isdigit():
            self._take(int(told) if len(told) < 19 else self._limits.body + 1)
        try:
            async with asyncio.timeout(self._limits.slow):
                message = await self._next()
                body: bytes = message.get("body", b"")
                self._take(len(body) - self._held)
                return await self._rest(body) if message.get("more_body", False) else body
        except TimeoutError as error:
            raise too_slow(self._limits.slow) from error

    async def json(self) -> Any:
        """The value that the body is in JSON.

        Raises:
            Refusal: see :meth:`body`, or it is no JSON.
        """
        return await read_json(await self.body(), self._limits)

    def query(self, *known: str) -> dict[str, str]:
        """What stands behind the question mark of its line.

        Raises:
            Refusal: a name that is not known, one that stands there twice, or too many.
        """
        text = bytes(self._scope.get("query_string", b"")).decode("latin-1")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=len(known) + 1, errors="replace")
        except ValueError as error:
            raise unusable("The query has too many fields.", allowed=", ".join(known)) from error
        found: dict[str, str] = {}
        for name, value in pairs:
            if name not in known or name in found:
                seen = f"The query has {name!r:.40}{' twice' if name in found else ''}."
                raise unusable(seen, allowed=", ".join(known) or "nothing")
            found[name] = value
        return found

    def done(self) -> None:
        """It has its answer: the room that its body took is free."""
        self._room.give_back(self._held)
        self._held = 0

    async def _rest(self, first: bytes) -> bytes:
        parts, size, more = [first], len(first), True
        while more:
            message = await self._next()
            part, more = message.get("body", b""), message.get("more_body", False)
            parts.append(part)
            size += len(part)
            self._take(size - self._held)
        return b"".join(parts)

    async def _next(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message

    def _take(self, more: int) -> None:
        """Bytes beyond those that were counted."""
        if more <= 0:
            return
        if self._held + more > self._limits.body:
            allowed = f"at most {self._limits.body:,} bytes in one request"
            raise too_large("The body is too large.", allowed, "send fewer inputs at a time", closes=True)
        self._room.take(more)
        self._held += more


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back at once."""

    body: bytes
    status: int = 200
    kind: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()

    async def send(self, send: Send) -> None:
        """Send it."""
        length = b"%d" % len(self.body)
        headers = [(b"content-type", self.kind), (b"content-length", length), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Sent(Protocol):
    """What can be sent back, at once or bit by bit."""

    async def send(self, send: Send) -> None:
        """Send it."""


Handler = Callable[[Request], Awaitable[Sent]]
Words = Callable[[Refusal], Any]
"""How a protocol says what is wrong, as a JSON value."""


def plain_words(refusal: Refusal) -> dict[str, Any]:
    """An error as an object: ``code`` for programs, the rest for people."""
    told = {"code": refusal.code, "message": refusal.seen, "allowed": refusal.allowed, "fix": refusal.fix}
    return {"error": {name: text for name, text in told.items() if text}}


@dataclass(frozen=True, slots=True)
class Route:
    """A path that is answered.

    Attributes:
        path: parts in braces are left open (``/predict/{name}``).
        summary: one line for the OpenAPI document. schema: more of it, merged in. words: how errors are said.
        unlocked: whether it is answered without a key. operates: whether it changes what is served, or shows what
            others asked, which takes the key of an operator.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    schema: Mapping[str, Any]
    words: Words = plain_words
    unlocked: bool = False
    operates: bool = False

    @property
    def protocol(self) -> str:
        """The module that it is answered in (``predict``, ``v2``, ``openai``)."""
        return self.handler.__module__.rpartition(".")[2]


def json_reply(value: Any, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
    """A value as JSON."""
    return Reply(write_json(value), status, JSON, headers)


async def long_json_reply(value: Any, count: int) -> Reply:
    """A value as JSON, written beside the event loop where it holds many values. count: of them, about."""
    return json_reply(value) if count <= MANY else Reply(await aside(write_json_by_values, value))


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def write_json(value: Any) -> bytes:
    """A value as JSON; half characters, which UTF-8 has none of, become question marks."""
    return _encoder.encode(value).encode("utf-8", "replace")


def write_json_by_values(value: Any) -> bytes:
    """The same, for a thread beside others: they go on after each value."""
    return "".join(_encoder.iterencode(value)).encode("utf-8", "replace")
