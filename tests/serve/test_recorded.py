"""Every request is told of once, with what it was, what became of it and how long that took; not with what it said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.serve.keys import make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.record import GONE, Record
from lighten.serve.recorded import Recorded
from lighten.testing.asgi import Answer, ask

Opened = Callable[..., Any]
SECRET = "nobody-may-read-this"


def test_a_request_is_told_of_with_its_model_and_its_times(opened: Opened) -> None:
    async def body() -> tuple[Answer, list[Record]]:
        heard: list[Record] = []
        async with opened(milliseconds=5.0) as stage:
            app = Recorded(stage.app, [heard.append])
            return await ask(app, "/predict/m", {"inputs": ["a", "bb"]}, headers={"x-request-id": "mine-1"}), heard

    answer, (record,) = asyncio.run(body())
    assert answer.status == 200 and answer.headers["x-request-id"] == "mine-1"
    assert (record.id, record.method, record.route, record.protocol) == ("mine-1", "POST", "/predict/{name}", "predict")
    assert (record.model, record.version, record.inputs, record.status, record.code) == ("m", "1", 2, 200, "")
    assert record.work > 2
    assert record.arrived <= record.queued <= record.began < record.answered <= record.ended


def test_nothing_that_was_said_is_noted_whatever_becomes_of_it(opened: Opened) -> None:
    async def body() -> list[Record]:
        heard: list[Record] = []
        async with opened() as stage:
            app = Recorded(stage.app, [heard.append])
            for path, sent in (
                ("/predict/m", {"inputs": [SECRET]}),
                ("/predict/m", {"inputs": [SECRET, 7]}),
                ("/predict/m", {SECRET: [SECRET]}),
                ("/predict/m", SECRET.encode()),
                (f"/predict/{SECRET}", {"inputs": ["a"]}),
                (f"/{SECRET}", {"inputs": ["a"]}),
                (
                    "/v2/models/m/infer",
                    {"inputs": [{"name": "input", "datatype": "BYTES", "shape": [1], "data": [SECRET]}]},
                ),
                ("/v1/completions", {"model": SECRET, "prompt": SECRET}),
            ):
                await ask(app, path, sent, headers={"x-other": SECRET})
        return heard

    heard = asyncio.run(body())
    assert len(heard) == 8 and SECRET not in json.dumps([one.fields() for one in heard])
    assert [one.status for one in heard] == [200, 422, 422, 400, 404, 404, 200, 404]
    assert [one.code for one in heard[1:4]] == ["unusable", "unusable", "unreadable"]
    assert [one.protocol for one in heard] == ["predict"] * 5 + ["", "v2", "openai"]


def test_refusals_by_the_model_name_it_and_the_key(opened: Opened, tmp_path: Path) -> None:
    async def body() -> list[Record]:
        heard: list[Record] = []
        key = make_key(tmp_path / "keys", "gateway")
        async with opened(Limits(deadline=0.05), keys=read_keys(tmp_path / "keys"), milliseconds=500.0) as stage:
            app = Recorded(stage.app, [heard.append])
            await ask(app, "/predict/m", {"inputs": ["a"]}, headers={"x-api-key": key})
            await ask(app, "/predict/m", {"inputs": ["a"]}, headers={"x-api-key": "wrong"})
        return heard

    expired, locked = asyncio.run(body())
    assert (expired.status, expired.code, expired.model, expired.caller) == (504, "expired", "m", "gateway")
    assert expired.fields()["queue_seconds"] >= 0
    assert (locked.status, locked.code, locked.model, locked.caller) == (401, "unauthorized", "", "")


def test_an_unforeseen_error_and_a_client_that_goes_away_are_told_of(opened: Opened) -> None:
    async def body() -> list[Record]:
        heard: list[Record] = []

        async def broken(*given: Any) -> None:
            raise ValueError

        with pytest.raises(ValueError):
            await ask(Recorded(broken, [heard.append]), "/x")
        async with opened(milliseconds=200.0) as stage:
            client = Presence()
            asking = asyncio.ensure_future(
                ask(Recorded(stage.app, [heard.append]), "/predict/m", {"inputs": ["a"]}, presence=client)
            )
            while not stage.model.open:
                await asyncio.sleep(0)
            client.leave()
            assert (await asking).status == 0
            asking = asyncio.ensure_future(ask(Recorded(stage.app, [heard.append]), "/predict/m", {"inputs": ["a"]}))
            while not stage.model.open:
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert stage.model.open == 0 and stage.model.counts.cancelled == 2
        return heard

    heard = asyncio.run(body())
    assert [(one.status, one.code) for one in heard] == [(500, "unexpected"), *[(GONE, "client_gone")] * 2]


def test_answers_that_are_written_are_told_of_in_tokens(writing: Callable[..., Any]) -> None:
    async def body() -> tuple[list[Record], int]:
        heard: list[Record] = []
        async with writing() as desk:
            app = Recorded(desk.app, [heard.append])
            asked = {"model": "m", "prompt": "ab", "max_tokens": 5, "n": 2, "stream": True}
            answer = await ask(app, "/v1/completions", asked)
            await ask(app, "/v1/completions", {**asked, "max_tokens": 10**6})
            return heard, answer.status

    (record, refused), status = asyncio.run(body())
    assert status == 200 and (record.inputs, record.tokens) == (2, 10) and record.prompted >= 4
    assert record.queued <= record.began <= record.first <= record.answered <= record.ended
    assert (refused.status, refused.code) == (400, "context_length_exceeded")


def test_what_is_no_request_is_handed_on() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*given: Any) -> None:
        raise AssertionError

    asyncio.run(Recorded(app, [nothing])({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]
