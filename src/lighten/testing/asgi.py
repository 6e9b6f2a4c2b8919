"""A client of an ASGI application in the same process: no socket, and it can go away when it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lighten.serve.presence import EXTENSION, Presence

Application = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application said. ``status`` is 0 where it said nothing."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


async def ask(
    app: Application,
    path: str,
    body: Any = None,
    *,
    method: str = "",
    headers: Mapping[str, str] | None = None,
    presence: Presence | None = None,
    parts: Sequence[bytes] = (),
) -> Answer:
    """Ask an application.

    Args:
        body: bytes, or a value that is sent as JSON; None for none. parts: of a body that comes bit by bit instead; the
            last one never comes where it is empty.
        method: POST with a body and GET without one, where it is empty.
        presence: of the client; its ``leave`` lets it go away.
    """
    sent: list[dict[str, Any]] = []
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    chunks = list(parts) or [data]
    given = {"content-length": str(len(data))} if not parts else {}
    given |= {name.lower(): value for name, value in (headers or {}).items()}
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not chunks or (parts and chunks == [b""]):
            await left.wait()
            return {"type": "http.disconnect"}
        part = chunks.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(chunks)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method or ("GET" if body is None and not parts else "POST"),
        "path": path.partition("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "extensions": {EXTENSION: presence or Presence()},
    }
    await app(scope, receive, send)
    if not sent:
        return Answer(0, {}, b"")
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], told, b"".join(message["body"] for message in sent[1:]))
