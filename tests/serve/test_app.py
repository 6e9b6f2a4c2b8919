"""Routes, keys, and what becomes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve.app import App, Routes, secret_of
from lighten.serve.http import Reply, Request, Route, json_reply
from lighten.serve.keys import make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone
from lighten.testing.asgi import Answer, ask

Opened = Callable[..., Any]


def route(path: str, method: str = "GET", error: Exception | None = None, **more: Any) -> Route:
    async def answer(request: Request) -> Reply:
        if error is not None:
            raise error
        return json_reply(dict(request.params))

    return Route(method, path, answer, "", {}, **more)


def asked(app: App, path: str, **given: Any) -> Answer:
    return asyncio.run(ask(app, path, **given))


def test_fixed_paths_come_before_open_ones_and_parts_are_told() -> None:
    app = App([route("/a/{name}"), route("/a/b"), route("/a/{name}/c/{more}")], Limits())
    assert asked(app, "/a/b").json == {} and asked(app, "/a/x").json == {"name": "x"}
    assert asked(app, "/a/x/c/y").json == {"name": "x", "more": "y"}
    for path in ("/a/", "/a", "/", "", "/a/b/", "/a//c/y", "/a/x/c"):
        assert asked(app, path).status == 404, path


def test_a_server_for_this_machine_answers_no_other_site() -> None:
    here, everywhere = (App([route("/a")], Limits(), local=local) for local in (True, False))
    for host, status in (("localhost:8000", 200), ("evil.example", 421)):
        found = asked(here, "/a", headers={"host": host})
        assert found.status == status
        assert asked(everywhere, "/a", headers={"host": host}).status == 200
    assert found.json["error"]["code"] == "other_host" and here.strays == {"other_host": 1}


def test_another_method_is_told_which_are_taken() -> None:
    app = App([route("/a/{name}"), route("/a/{name}", "POST")], Limits())
    found = asked(app, "/a/x", method="DELETE")
    assert found.status == 405 and found.json["error"]["allowed"] == "GET, POST"
    assert asked(app, "/a/x", method="HEAD").status == 200
    assert app.strays == {"wrong_method": 1} and Routes(app.routes.every).paths() == ["/a/{name}"]


def test_a_path_that_is_not_there_says_so_in_the_words_of_its_protocol(opened: Opened, tmp_path: Any) -> None:
    make_key(tmp_path / "keys", "ci")

    async def body() -> None:
        async with opened() as stage:
            assert "no path" in (await ask(stage.app, "/v2/models/m/stats")).json["error"]
            assert (await ask(stage.app, "/v1/nowhere")).json["error"]["type"] == "invalid_request_error"
            for path in ("/nowhere", "//", "", "v2"):
                assert (await ask(stage.app, path)).json["error"]["code"] == "not_found", path
        async with opened(keys=read_keys(tmp_path / "keys")) as stage:
            assert "needs a key" in (await ask(stage.app, "/v2/models/m")).json["error"]

    asyncio.run(body())


def test_an_unforeseen_error_tells_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    app = App([route("/a", error=ValueError("secret"))], Limits())
    found = asked(app, "/a")
    assert found.status == 500 and "secret" not in found.body.decode()
    assert "secret" in caplog.text


def test_who_is_gone_gets_no_answer() -> None:
    assert asked(App([route("/a", error=ClientGone())], Limits()), "/a").status == 0


def test_what_is_no_request_is_left_alone() -> None:
    said: list[Any] = []

    async def heard(*given: Any) -> None:
        said.append(given)

    asyncio.run(App([], Limits())({"type": "websocket"}, heard, heard))
    assert not said


def test_without_a_known_key_nothing_but_health_is_answered(opened: Opened, tmp_path: Any) -> None:
    async def body() -> None:
        key = make_key(tmp_path / "keys", "ci")
        async with opened(keys=read_keys(tmp_path / "keys")) as stage:
            for given in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": ""}, {"Authorization": key}):
                for path in (
                    "/metrics",
                    "/v2",
                    "/v2/models/m",
                    "/openapi.json",
                    "/nowhere",
                    "//health/live",
                    "/health",
                ):
                    found = await ask(stage.app, path, headers=given)
                    assert found.status == 401 and found.headers["www-authenticate"] == "Bearer", path
                found = await ask(stage.app, "/predict/m", {"inputs": ["a"]}, headers=given)
                assert found.status == 401
                assert (await ask(stage.app, "/health/live", method="DELETE", headers=given)).status == 401
            for given in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}, {"authorization": f"bearer {key}"}):
                assert (await ask(stage.app, "/predict/m", {"inputs": ["a"]}, headers=given)).status == 200
            assert (await ask(stage.app, "/health/ready")).status == 200
            assert stage.app.strays["unauthorized"] > 0 and stage.model.counts.answered == 3

    asyncio.run(body())


def test_a_client_that_goes_away_leaves_no_place_behind(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), milliseconds=50.0) as stage:
            clients = [Presence() for _ in range(20)]
            asking = [
                asyncio.ensure_future(ask(stage.app, "/predict/m", {"inputs": ["a"]}, presence=one)) for one in clients
            ]
            await asyncio.sleep(0.02)
            for client in clients:
                client.leave()
            assert [one.status for one in await asyncio.gather(*asking)] == [0] * 20
            assert stage.model.open == 0 and len(stage.model.queue) == 0 and stage.app.room.bytes == 0

    asyncio.run(body())


def test_every_refusal_is_counted_once_by_the_model_or_as_a_stray(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            for path, sent in (
                ("/predict/other", {"inputs": ["a"]}),
                ("/predict/m", b"{"),
                ("/predict/m", {"inputs": [7]}),
                ("/v1/completions", {"model": "m", "prompt": "a"}),
            ):
                assert (await ask(stage.app, path, sent)).status >= 400
            assert stage.app.strays == {"not_found": 2, "unreadable": 1}
            assert stage.model.counts.refused == {"unusable": 1}

    asyncio.run(body())


def test_secrets_are_found_in_both_headers() -> None:
    assert secret_of({b"authorization": b"Bearer  abc "}) == b"abc"
    assert secret_of({b"x-api-key": b"abc"}) == b"abc"
    assert secret_of({b"authorization": b"Basic abc"}) is None and secret_of({}) is None
