"""Record: what is noted of one request for logs and traces: how it went and how long it took, never what it says."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
"""An id of a request that is taken over from who sent it."""
GONE = 499
"""Status of a request whose client went away before its answer began, as nginx has it."""


@dataclass(slots=True, eq=False)
class Record:
    """One request. Times are by ``time.monotonic``, 0 where they never came; ``clock`` is ``time.time`` at its arrival.

    Attributes:
        id: by which client and server call it. parent: ``traceparent`` and ``tracestate`` as they were sent.
        method, route, protocol: what was asked; the route as the server has it, with parts in braces left open.
        caller: name of the key. model, version: that were asked. inputs, work: see ``ServedModel``; for what writes,
            answers and tokens. prompted, tokens: tokens that were read and written.
        arrived, queued, began, first, answered, ended: when it came, waited from, was begun with, had its first token,
            had its answer, and was over.
        status: of HTTP. code: of its refusal. trace: id of its trace, once it has one.
    """

    id: str
    method: str
    parent: Mapping[str, str]
    clock: float
    arrived: float
    route: str = ""
    protocol: str = ""
    caller: str = ""
    model: str = ""
    version: str = ""
    inputs: int = 0
    work: int = 0
    prompted: int = 0
    tokens: int = 0
    queued: float = 0.0
    began: float = 0.0
    first: float = 0.0
    answered: float = 0.0
    ended: float = 0.0
    status: int = 0
    code: str = ""
    trace: str = ""

    def asks(self, model: str, version: str, inputs: int) -> None:
        """A model is asked so many inputs."""
        self.model, self.version, self.inputs = model, version, inputs

    def at(self, moment: float) -> float:
        """A time by ``time.monotonic`` as one by ``time.time``."""
        return self.clock + (moment - self.arrived)

    def fields(self) -> dict[str, Any]:
        """What is known of it, by the names that logs have; what does not apply is left out."""
        found: dict[str, Any] = {
            "time": self.clock,
            "id": self.id,
            "trace": self.trace,
            "method": self.method,
            "route": self.route,
            "protocol": self.protocol,
            "key": self.caller,
            "model": self.model,
            "version": self.version,
            "inputs": self.inputs,
            "work": self.work,
            "prompt_tokens": self.prompted,
            "tokens": self.tokens,
            "seconds": _between(self.arrived, self.ended),
            "queue_seconds": _between(self.queued, self.began or self.ended),
            "first_token_seconds": _between(self.queued, self.first),
            "compute_seconds": _between(self.began, self.answered),
            "status": self.status,
            "code": self.code,
        }
        return {name: value for name, value in found.items() if value not in ("", None) and (value or name in KEPT)}


KEPT = ("time", "seconds", "queue_seconds", "compute_seconds", "status")
"""Fields that are told where they are 0."""
Recorder = Callable[[Record], object]
"""Hears of each request once it is over; on the event loop, so it waits for nothing."""


def begun(method: str, headers: Mapping[bytes, bytes]) -> Record:
    """A record of a request that comes now, with the id that it has, or a new one where it has none that is sane."""
    told = headers.get(b"x-request-id", b"").decode("latin-1")
    parent = {
        name: headers[name.encode()].decode("latin-1")
        for name in ("traceparent", "tracestate")
        if name.encode() in headers
    }
    name = told if SANE.fullmatch(told) else secrets.token_hex(16)
    return Record(name, method, parent, time(), monotonic())


def _between(begin: float, end: float) -> float | None:
    """Seconds, to the microsecond; None where either never came."""
    return round(max(0.0, end - begin), 6) if begin and end else None
