"""Health as gRPC itself defines it (grpc/grpc, ``health.proto``): what probes and load balancers ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from lighten.serve.grpc_messages import message
from lighten.serve.grpc_server import Call, Procedure
from lighten.serve.models import Models
from lighten.serve.refusals import no_such, overloaded

SERVICE = "grpc.health.v1.Health"
SERVING, NOT_SERVING, UNKNOWN = 1, 2, 3
LOOK_SECONDS = 0.1
"""How often it is looked whether something has changed for those who watch."""
WATCHERS = 64
"""Most calls that watch; each stays open, and needs no key."""


def procedures(models: Models, services: Sequence[str]) -> list[Procedure]:
    """Both of its procedures.

    Args:
        services: that are ready when every model is; the empty name is the server's.
    """
    watching = 0

    def status_of(service: str) -> int:
        if service and service not in services:
            return UNKNOWN
        return SERVING if models.ready else NOT_SERVING

    async def check(asked: Any, call: Call) -> Any:
        found = status_of(asked.service)
        if found == UNKNOWN:
            raise no_such("service", asked.service, services)
        return message("HealthCheckResponse")(status=found)

    async def watch(asked: Any, call: Call) -> AsyncGenerator[Any, None]:
        nonlocal watching
        if watching >= WATCHERS:
            raise overloaded(f"{watching} calls watch already.", 1.0)
        watching += 1
        try:
            told = 0
            while not call.closing.is_set():
                found = status_of(asked.service)
                if found != told:
                    yield message("HealthCheckResponse")(status=found)
                    told = found
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            watching -= 1

    return [
        Procedure(f"/{SERVICE}/Check", "HealthCheckRequest", check, unlocked=True),
        Procedure(f"/{SERVICE}/Watch", "HealthCheckRequest", stream=watch, unlocked=True),
    ]
