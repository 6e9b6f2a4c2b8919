"""Refusals as gRPC has them: a status, words, and trailers for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lighten.serve.grpc_messages import message
from lighten.serve.refusals import Refusal

CODES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "FAILED_PRECONDITION",
    413: "RESOURCE_EXHAUSTED",
    415: "UNIMPLEMENTED",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Status of gRPC by that of HTTP. What is too large is called so by gRPC itself."""
LONGEST = 2000
"""Characters of an error: it is sent as a header, of which clients take some thousand bytes."""
DETAILS, PUSHBACK = "grpc-status-details-bin", "grpc-retry-pushback-ms"
"""Trailers: errors for programs (google.rpc.Status), and milliseconds after which clients that retry do so."""


async def refuse(context: Any, refusal: Refusal) -> None:
    """End a call with the status that a refusal stands for. Never comes back."""
    import grpc
    import grpc.aio

    code = getattr(grpc.StatusCode, CODES.get(refusal.status, "UNKNOWN"))
    with suppress(grpc.aio.InternalError):  # the client has gone meanwhile
        await context.abort(code, _fitting(refusal.line), trailers_of(refusal, code.value[0]))
    raise asyncio.CancelledError


def trailers_of(refusal: Refusal, code: int) -> tuple[tuple[str, str | bytes], ...]:
    """What goes with an error for programs: its code (google.rpc.ErrorInfo), and when it is worth calling again
    (google.rpc.RetryInfo, and what gRPC's own retries look at).

    Args:
        code: number of the status.
    """
    details = [_packed("ErrorInfo", message("ErrorInfo")(reason=refusal.code.upper(), domain="lighten"))]
    found: list[tuple[str, str | bytes]] = []
    if refusal.retry_after is not None:
        milliseconds = max(1, round(refusal.retry_after * 1e3))
        seconds, rest = divmod(milliseconds, 1000)
        delay = message("Duration")(seconds=seconds, nanos=rest * 1_000_000)
        details.append(_packed("RetryInfo", message("RetryInfo")(retry_delay=delay)))
        found.append((PUSHBACK, str(milliseconds)))
    status = message("Status")(code=code, message=_fitting(refusal.line), details=details)
    return (*found, (DETAILS, status.SerializeToString()))


def _packed(name: str, told: Any) -> Any:
    return message("Any")(type_url=f"type.googleapis.com/google.rpc.{name}", value=told.SerializeToString())


def _fitting(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}..."
