"""Recorded: an application around another one, which tells of each request how it went. Without it nothing is noted."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence
from time import monotonic
from typing import Any

from lighten.serve.http import Application, Receive, Scope, Send
from lighten.serve.presence import EXTENSION, Presence
from lighten.serve.record import GONE, Recorder, begun
from lighten.serve.refusals import unexpected

REQUEST_ID = b"x-request-id"


class Recorded:
    """An ASGI application that answers as another one does, and gives each request an id that its answer has, too.

    The record of a request lies with its presence, where the application and the models note what they know of it.

    Args:
        recorders: called in order once a request is over, whatever became of it.
    """

    def __init__(self, app: Application, recorders: Sequence[Recorder]) -> None:
        self.app, self.recorders = app, tuple(recorders)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = begun(scope["method"], dict(scope["headers"]))
        extensions = scope.get("extensions") or {}
        presence = extensions.get(EXTENSION) or Presence()
        presence.record = record
        scope["extensions"] = {**extensions, EXTENSION: presence}
        told = REQUEST_ID, record.id.encode()

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], told]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except asyncio.CancelledError:
            presence.gone = True
            raise
        except Exception:
            record.status, record.code = record.status or unexpected().status, unexpected().code
            raise
        finally:
            record.ended = monotonic()
            if not record.status or presence.gone:
                record.status, record.code = record.status or GONE, record.code or "client_gone"
            for recorder in self.recorders:
                recorder(record)
