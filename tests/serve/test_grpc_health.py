"""Health as gRPC's own probes ask it: once, and for as long as they listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve import grpc_health
from lighten.serve.grpc_messages import message

grpc = pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")

Called = Callable[..., Any]
CHECK = "grpc.health.v1.Health/Check"
SERVING, NOT_SERVING, UNKNOWN = 1, 2, 3


def of(service: str) -> Any:
    return message("HealthCheckRequest")(service=service)


async def status_of(line: Any, service: str = "") -> int:
    found: int = (await line.call(CHECK, of(service), "HealthCheckResponse")).status
    return found


def watch(line: Any, service: str = "") -> Any:
    called = line.channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=lambda told: told.SerializeToString(),
        response_deserializer=message("HealthCheckResponse").FromString,
    )
    return called(of(service))


def test_the_server_and_the_service_are_well_when_every_model_answers(called: Called) -> None:
    async def body() -> None:
        async with called(load=False) as line:
            assert await status_of(line) == NOT_SERVING
            await line.stage.models.load()
            assert await status_of(line) == await status_of(line, "inference.GRPCInferenceService") == SERVING
            line.stage.models.draining = True
            assert await status_of(line) == NOT_SERVING

    asyncio.run(body())


def test_a_service_that_is_not_there_is_named_with_those_that_are(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await status_of(line, "other.Service")
            assert error.value.code() is grpc.StatusCode.NOT_FOUND
            assert "inference.GRPCInferenceService" in error.value.details()

    asyncio.run(body())


def test_who_watches_hears_of_every_change_until_the_server_ends(called: Called) -> None:
    async def body() -> None:
        async with called(load=False) as line:
            watched, other = watch(line), watch(line, "other.Service")
            assert (await watched.read()).status == NOT_SERVING and (await other.read()).status == UNKNOWN
            await line.stage.models.load()
            assert (await watched.read()).status == SERVING
            line.stage.models.draining = True
            assert (await watched.read()).status == NOT_SERVING
            await line.server.stop(20)
            assert await watched.read() is grpc.aio.EOF and await watched.code() is grpc.StatusCode.OK

    asyncio.run(body())


def test_not_everybody_may_watch_and_who_goes_away_gives_the_place_back(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_health, "WATCHERS", 1)

    async def body() -> None:
        async with called() as line:
            first = watch(line)
            assert (await first.read()).status == SERVING
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await watch(line).read()
            assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            first.cancel()
            async with asyncio.timeout(30):
                while True:
                    try:
                        assert (await watch(line).read()).status == SERVING
                        break
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(0.01)

    asyncio.run(body())
