"""Bodies are read within limits, and JSON that could do harm is refused before anything is made of it."""

import asyncio
import json
import resource
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.serve.app import App
from lighten.serve.http import Held, Reply, Request, Route, deeper, json_reply, read_json, write_json
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    body = write_json(value)
    assert read_json(body, 64) == value == json.loads(body)


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(JSON, st.integers(0, 4))
def test_depth_is_that_of_brackets_outside_of_texts(value: Any, most: int) -> None:
    assert deeper(write_json(value), most) == (depth_of(value) > most)


@pytest.mark.parametrize(
    ("body", "most", "deep"),
    [(rb'["\"[[", "\\", []]', 1, True), (rb'["\"[[", "\\", []]', 2, False), (rb'["\\[[[', 1, False),
     (b'["[[[', 1, False), (b'["[[[\\', 1, False), (b'[["', 1, True)],
)  # fmt: skip
def test_escapes_and_open_texts_hide_brackets(body: bytes, most: int, deep: bool) -> None:
    assert deeper(body, most) == deep


def test_a_long_text_takes_no_memory_to_be_looked_through() -> None:
    body = b'["' + b"\\n" * (1 << 20) + b"x" * (1 << 20) + b'"]'
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert not deeper(body, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KiB


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"{", b"\xff", b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1,]", b'{"a":1', b"[" * 100_000, b"'a'",
     b'["' + b"[" * 50, b"1" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        read_json(body, 16)
    assert refusal.value.status == 400 and refusal.value.seen


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
