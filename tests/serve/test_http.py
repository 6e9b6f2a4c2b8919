"""Bodies are read within limits, and replies are JSON."""

import asyncio
import json
from typing import Any

import pytest

from lighten.serve.app import App
from lighten.serve.http import MANY, Held, Reply, Request, Route, json_reply, long_json_reply, write_json
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal
from lighten.testing.asgi import Answer, ask

LIMITS = Limits(body=100, held=150, slow=0.2)


def echo(limits: Limits = LIMITS) -> App:
    """An application that tells how long a body was."""

    async def answer(request: Request) -> Reply:
        return json_reply(len(await request.body()))

    return App([Route("POST", "/", answer, "", {})], limits)


def asked(app: App, body: bytes = b"", **given: Any) -> Answer:
    return asyncio.run(ask(app, "/", body, **given))


def test_bodies_are_read_whole_and_in_parts() -> None:
    app = echo()
    assert asked(app, b"x" * 100).json == 100 and asked(app, parts=[b"x" * 40, b"y" * 60]).json == 100
    assert app.room.bytes == 0


def test_a_body_is_too_large_before_it_is_read_and_while_it_is() -> None:
    app = echo()
    for found in (
        asked(app, b"x" * 101),
        asked(app, parts=[b"x" * 60, b"y" * 60, b""]),
        asked(app, b"", headers={"Content-Length": "9" * 30}),
    ):
        assert found.status == 413 and found.headers["connection"] == "close"
    assert app.room.bytes == 0


def test_all_bodies_together_are_bounded() -> None:
    app = echo()
    app.room.take(80)
    found = asked(app, b"x" * 90)
    assert found.status == 503 and found.json["error"]["code"] == "no_room" and app.room.bytes == 80


def test_slow_senders_and_codings_are_refused() -> None:
    assert asked(echo(), parts=[b"x", b""]).status == 408
    assert asked(echo(), b"x", headers={"Content-Encoding": "gzip"}).status == 415
    assert asked(echo(), b"x", headers={"Content-Encoding": "identity"}).json == 1


def test_room_is_counted() -> None:
    room = Held(10)
    room.take(10)
    with pytest.raises(Refusal):
        room.take(1)
    room.give_back(10)
    assert room.bytes == 0


def test_half_characters_do_not_break_a_reply() -> None:
    assert write_json({"a": "\ud800"}) == b'{"a":"?"}'


def test_a_query_is_what_is_known_and_nothing_else() -> None:
    async def answer(request: Request) -> Reply:
        return json_reply(request.query("a", "b"))

    app = App([Route("GET", "/", answer, "", {})], LIMITS)
    assert asyncio.run(ask(app, "/?a=x%20y&b=")).json == {"a": "x y", "b": ""}
    assert asyncio.run(ask(app, "/")).json == {}
    for query, seen in (("c=1", "has 'c'"), ("a=1&a=2", "'a' twice"), ("a&" * 9, "too many"), ("%ff=1", "has")):
        found = asyncio.run(ask(app, f"/?{query}"))
        assert found.status == 422 and seen in found.json["error"]["message"]


def test_long_replies_are_the_same_as_short_ones() -> None:
    value = {"a": [0.1, "\ud800", None, {"b": [1, "ü"]}], "c": True}
    short, long = (asyncio.run(long_json_reply(value, count)) for count in (1, MANY + 1))
    assert short == long and json.loads(short.body)["a"][3] == {"b": [1, "ü"]}
    with pytest.raises(ValueError):
        asyncio.run(long_json_reply([float("nan")], MANY + 1))
