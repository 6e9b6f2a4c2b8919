"""gRPC's calls are admitted, bounded, cancelled, refused and drained as requests of HTTP are."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.grpc_messages import message
from lighten.serve.grpc_server import GrpcServer, check_extra
from lighten.serve.keys import make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.tensors import Tensor, packed_strings

grpc = pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")

Called = Callable[..., Any]
SERVICE = "inference.GRPCInferenceService"
INFER = f"{SERVICE}/ModelInfer"
PATIENCE = 30.0


def asking(*texts: str) -> Any:
    asked = message("ModelInferRequest")(model_name="m")
    asked.inputs.add(name="input", datatype="BYTES", shape=[len(texts)])
    asked.raw_input_contents.append(packed_strings([text.encode() for text in texts]))
    return asked


async def code_of(call: Any) -> str:
    """The status with which a call ends."""
    found: str = (await call.code()).name
    return found


async def until(true: Callable[[], object]) -> None:
    """Wait for something that comes soon."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.005)


def reason_of(trailers: Any) -> str:
    """The code that an error has for programs."""
    status = message("Status").FromString(dict(trailers)["grpc-status-details-bin"])
    found: str = message("ErrorInfo").FromString(status.details[0].value).reason
    return found


def test_who_has_no_key_is_refused_everywhere_but_at_health(called: Called, tmp_path: Any) -> None:
    key = make_key(tmp_path / "keys", "ci")

    async def body() -> None:
        async with called(keys=read_keys(tmp_path / "keys")) as line:
            for given in ({}, {"authorization": "Bearer no"}, {"authorization": key}, {"x-api-key": "no"}):
                for name in ("ModelInfer", "ModelMetadata", "ServerMetadata", "RepositoryIndex", "ModelReady"):
                    call = line.call(f"{SERVICE}/{name}", metadata=tuple(given.items()))
                    assert await code_of(call) == "UNAUTHENTICATED"
            assert line.stage.app.strays["unauthorized"] == 20
            assert reason_of(await call.trailing_metadata()) == "UNAUTHORIZED"
            for given in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
                assert await code_of(line.call(INFER, asking("a"), metadata=tuple(given.items()))) == "OK"
            assert await code_of(line.call(f"{SERVICE}/ServerLive")) == "OK"
            assert await code_of(line.call("grpc.health.v1.Health/Check", message("HealthCheckRequest")(),
                                           "HealthCheckResponse")) == "OK"  # fmt: skip

    asyncio.run(body())


def test_what_is_too_large_reaches_nobody(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(body=1000)) as line:
            call = line.call(INFER, asking("x" * 2000))
            assert await code_of(call) == "RESOURCE_EXHAUSTED" and "larger than max" in await call.details()
            packed = line.call(INFER, asking("x" * 900_000), compression=grpc.Compression.Gzip)
            assert await code_of(packed) in ("UNIMPLEMENTED", "RESOURCE_EXHAUSTED")
            packed = line.call(INFER, asking("x" * 900), compression=grpc.Compression.Gzip)
            assert await code_of(packed) == "UNIMPLEMENTED"
            assert await code_of(line.call(INFER, asking("x"), metadata=(("a", "x" * 40_000),))) != "OK"
            assert await code_of(line.call(INFER, asking("x" * 900))) == "OK"
            assert line.stage.model.counts.answered == line.stage.model.counts.batches == 1

    asyncio.run(body())


def test_what_was_refused_is_not_kept(called: Called) -> None:
    def kept() -> int:
        return sum(isinstance(one, Tensor) for one in gc.get_objects())

    async def body() -> None:
        async with called(Limits(size=10)) as line:
            gc.collect()
            before = kept()  # of other tests, that failed and are still looked at
            gc.disable()
            try:
                for _ in range(3):
                    assert await code_of(line.call(INFER, asking("x" * 11))) == "RESOURCE_EXHAUSTED"
                await until(lambda: kept() <= before)
            finally:
                gc.enable()

    asyncio.run(body())


def test_messages_that_do_not_fit_into_memory_together_are_refused(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(held=1000)) as line:
            call = line.call(INFER, asking("x" * 2000))
            assert await code_of(call) == "UNAVAILABLE" and reason_of(await call.trailing_metadata()) == "NO_ROOM"
            assert line.stage.app.strays["no_room"] == 1
            for _ in range(3):
                assert await code_of(line.call(INFER, asking("x" * 700))) == "OK"
            assert line.server.room.bytes == 0

    asyncio.run(body())


def test_what_is_no_message_is_an_invalid_argument(called: Called) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        for data in ():
            yield data

    async def body() -> None:
        async with called() as line:
            call = line.call(INFER, b"\xff\xff\xff")
            assert await code_of(call) == "INVALID_ARGUMENT" and "cannot be read" in await call.details()
            assert line.stage.app.strays["unreadable"] == 1
            assert await code_of(line.channel.stream_unary(f"/{INFER}")(nothing())) == "INVALID_ARGUMENT"
            assert await code_of(line.channel.unary_unary(f"/{SERVICE}/Nothing")(b"")) == "UNIMPLEMENTED"

    asyncio.run(body())


def test_who_does_not_send_is_not_waited_for(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(slow=0.1)) as line:
            call = line.channel.stream_unary(f"/{INFER}")()
            assert await code_of(call) == "DEADLINE_EXCEEDED" and "was not sent" in await call.details()
            assert line.stage.app.strays["too_slow"] == 1

    asyncio.run(body())


def test_who_sends_slowly_gives_the_place_to_others(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(body=1000, held=2999)) as line:
            slow = [line.channel.stream_unary(f"/{INFER}")() for _ in range(2)]
            await until(lambda: len(line.server.arrivals) == 2)
            assert await code_of(line.call(INFER, asking("a"))) == "OK"
            await until(lambda: any(call.done() for call in slow))  # it hears of it a moment later
            codes = [await code_of(call) for call in slow if call.done()]
            assert codes == ["UNAVAILABLE"] and line.stage.app.strays == {"no_room": 1}
            for call in slow:
                call.cancel()
            await until(lambda: len(line.server.arrivals) == 0)

    asyncio.run(body())


def test_the_earlier_of_both_deadlines_ends_a_call(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(deadline=0.1), milliseconds=400.0) as line:
            model = line.stage.model
            call = line.call(INFER, asking("a"))
            assert await code_of(call) == "DEADLINE_EXCEEDED" and "0.1 s" in await call.details()
            assert model.counts.refused["expired"] == 1
            own = asking("a")
            own.parameters["timeout"].int64_param = 50_000
            call = line.call(INFER, own)
            assert await code_of(call) == "DEADLINE_EXCEEDED" and "0.05 s" in await call.details()
            assert await code_of(line.call(INFER, asking("a"), timeout=0.02)) == "DEADLINE_EXCEEDED"
            await until(lambda: model.open == 0)
            assert model.counts.answered == 0 and model.queue.work == 0
            assert model.counts.refused["expired"] + model.counts.cancelled == 3

    asyncio.run(body())


def test_a_call_that_is_cancelled_frees_its_place_at_once(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(batch=1), milliseconds=1000.0) as line:
            model = line.stage.model
            calls = [line.call(INFER, asking("a"))]
            await until(lambda: model.replicas[0].running is not None)
            calls += [line.call(INFER, asking("a")) for _ in range(3)]
            await until(lambda: len(model.queue) == 3)
            for call in calls[1:]:
                call.cancel()
            await until(lambda: model.open == 1)
            assert len(model.queue) == 0 and model.queue.work == 0  # though the first one still runs
            assert model.replicas[0].running is not None
            calls[0].cancel()
            await until(lambda: model.open == 0)
            assert model.counts.cancelled == 4 and model.counts.answered == 0 and line.server.room.bytes == 0

    asyncio.run(body())


def test_a_client_whose_connection_breaks_frees_its_places(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(batch=1), milliseconds=1000.0) as line:
            model = line.stage.model
            async with grpc.aio.insecure_channel(line.server.address) as channel:
                calls = [channel.unary_unary(f"/{INFER}")(asking("a").SerializeToString()) for _ in range(3)]
                await until(lambda: model.replicas[0].running is not None and len(model.queue) == 2)
            await until(lambda: model.open == 0)
            assert len(model.queue) == 0 and model.counts.cancelled == len(calls)

    asyncio.run(body())


def test_a_full_queue_refuses_with_the_time_after_which_to_call_again(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(batch=1, queue_seconds=0.1), milliseconds=200.0) as line:
            assert await code_of(line.call(INFER, asking("a"))) == "OK"  # from now on its rate is known
            calls = [line.call(INFER, asking("a")) for _ in range(8)]
            codes = [await code_of(call) for call in calls]
            assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"} and codes.count("OK") >= 2
            trailers = await calls[codes.index("RESOURCE_EXHAUSTED")].trailing_metadata()
            assert reason_of(trailers) == "OVERLOADED" and int(dict(trailers)["grpc-retry-pushback-ms"]) >= 1
            assert line.stage.model.counts.refused["overloaded"] == codes.count("RESOURCE_EXHAUSTED")

    asyncio.run(body())


def test_a_model_that_dies_is_an_internal_error_and_comes_back(called: Called) -> None:
    async def body() -> None:
        async with called(fault="segv", after=1) as line:
            assert await code_of(line.call(INFER, asking("a"))) == "OK"
            assert await code_of(line.call(INFER, asking("a"))) == "INTERNAL"
            assert await code_of(line.call(INFER, asking("a"))) == "UNAVAILABLE"
            async with asyncio.timeout(PATIENCE):
                while await code_of(line.call(INFER, asking("a"))) != "OK":
                    await asyncio.sleep(0.02)

    asyncio.run(body())


def test_what_nobody_foresaw_is_an_internal_error_without_its_words(
    called: Called, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with called() as line:
            monkeypatch.setattr(line.stage.models, "open_for", lambda *given: 1 / 0)
            call = line.call(INFER, asking("a"))
            assert await code_of(call) == "INTERNAL" and "division" not in await call.details()
            assert "ZeroDivisionError" in caplog.text

    asyncio.run(body())


def test_calls_are_recorded_as_requests_are(called: Called, tmp_path: Any) -> None:
    key = make_key(tmp_path / "keys", "ci")
    heard: list[Any] = []

    async def body() -> None:
        async with called(keys=read_keys(tmp_path / "keys"), milliseconds=50.0) as line:
            line.server.recorders = (lambda record: heard.append(record.fields()),)
            known = (("x-api-key", key), ("x-request-id", "r7"))
            assert await code_of(line.call(INFER, asking("a", "b"), metadata=known)) == "OK"
            assert await code_of(line.call(INFER, asking("a"))) == "UNAUTHENTICATED"
            gone = line.call(INFER, asking("a"), metadata=known)
            await until(lambda: line.stage.model.replicas[0].running is not None)
            gone.cancel()
            await until(lambda: len(heard) == 3)

    asyncio.run(body())
    answered, refused, left = heard
    assert {name: answered[name] for name in ("id", "route", "protocol", "key", "model", "inputs", "status")} == {
        "id": "r7", "route": f"/{INFER}", "protocol": "grpc", "key": "ci", "model": "m", "inputs": 2, "status": 200,
    }  # fmt: skip
    assert answered["seconds"] >= answered["compute_seconds"] > 0
    assert (refused["status"], refused["code"]) == (401, "unauthorized") and "key" not in refused
    assert (left["status"], left["code"], left["model"]) == (499, "client_gone", "m")


def test_stopping_finishes_what_runs(called: Called) -> None:
    async def body() -> None:
        async with called(milliseconds=300.0) as line:
            call = line.call(INFER, asking("a"))
            await until(lambda: line.stage.model.replicas[0].running is not None)
            await line.server.stop(PATIENCE)
            assert await code_of(call) == "OK"
            assert await code_of(line.call(INFER, asking("a"))) == "UNAVAILABLE"

    asyncio.run(body())


def test_two_servers_do_not_share_a_port(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            other = GrpcServer((), ("127.0.0.1", line.server.port), Limits())
            with pytest.raises(InputError, match="cannot be listened at") as error:
                await other.start()
            assert "--grpc-port" in error.value.fix

    asyncio.run(body())


def test_addresses_are_written_as_clients_take_them() -> None:
    assert GrpcServer((), ("::1", 8001), Limits()).address == "[::1]:8001"
    assert GrpcServer((), ("127.0.0.1", 8001), Limits()).address == "127.0.0.1:8001"


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc.aio", None)
    with pytest.raises(MissingExtra) as error:
        check_extra()
    assert error.value.fix == "pip install 'lighten[grpc]'"


def test_a_server_speaks_both_and_drains_both(serving: Callable[..., Any]) -> None:
    with (
        serving("--grpc-port", "0", milliseconds=800.0) as running,
        grpc.insecure_channel(running.told["grpc"]) as channel,
        ThreadPoolExecutor(1) as pool,
    ):
        infer = channel.unary_unary(f"/{INFER}", response_deserializer=message("ModelInferResponse").FromString)
        health = channel.unary_unary(
            "/grpc.health.v1.Health/Check", response_deserializer=message("HealthCheckResponse").FromString
        )
        assert health(b"").status == 1
        slow = pool.submit(infer, asking("a").SerializeToString())
        end = time.monotonic() + PATIENCE
        while 'batches_running{model="m",version="1"} 1' not in running.ask("/metrics")[2].decode():
            assert time.monotonic() < end
        running.process.send_signal(signal.SIGTERM)
        while health(b"").status == 1:
            assert time.monotonic() < end
        assert json.loads(running.ask("/health/ready")[2])["state"] == "draining"
        with pytest.raises(grpc.RpcError) as error:
            infer(asking("b").SerializeToString())
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(error.value.trailing_metadata()) == "DRAINING"
        assert slow.result(PATIENCE).outputs[0].name == "label"
        assert running.process.wait(PATIENCE) == 0
