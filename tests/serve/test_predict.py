"""``POST /predict/NAME`` answers what it is asked, and says what is wrong with what it cannot answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve.limits import Limits
from lighten.serve.predict import asked, deadline_of
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.testing.asgi import ask

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]


def test_inputs_are_answered_in_order_with_scores(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            found = await ask(stage.app, "/predict/m", {"inputs": ["a", "bb", "日本語"]})
            assert found.status == 200 and found.headers["content-type"] == "application/json"
            assert (found.json["model"], found.json["version"]) == ("m", "1")
            told = found.json["predictions"]
            assert [one["label"] for one in told] == ["odd", "even", "odd"]
            assert sum(told[0]["scores"].values()) == pytest.approx(1) and set(told[0]["scores"]) == {"even", "odd"}

    asyncio.run(body())


def test_a_body_of_bytes_is_one_input(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            kind = {"Content-Type": "application/octet-stream"}
            found = await ask(stage.app, "/predict/m", b"abc", headers=kind)
            assert [one["label"] for one in found.json["predictions"]] == ["odd"]
            assert (await ask(stage.app, "/predict/m", b"\xff", headers=kind)).status == 422

    asyncio.run(body())


def test_a_version_is_asked_by_its_name(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), servable_of("m", "2")) as stage:
            for version, other in (("1", "1"), ("2", "2"), (None, "2")):
                asking = {"inputs": ["a"], **({"version": version} if version else {})}
                assert (await ask(stage.app, "/predict/m", asking)).json["version"] == other
            found = await ask(stage.app, "/predict/m", {"inputs": ["a"], "version": "3"})
            assert found.status == 404 and found.json["error"]["allowed"] == "1, 2"

    asyncio.run(body())


def test_an_unknown_model_is_named_before_its_body_is_read(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            found = await ask(stage.app, "/predict/mm", b"no json")
            assert found.status == 404 and found.json["error"] == {
                "code": "not_found", "message": "There is no model 'mm'.", "allowed": "m", "fix": "did you mean 'm'?",
            }  # fmt: skip

    asyncio.run(body())


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ([], "The body is a list"),
        ("x", "The body is a text"),
        (None, "The body is null"),
        ({}, "has no inputs"),
        ({"input": ["a"]}, "has 'input'"),
        ({"inputs": "a"}, "are a text"),
        ({"inputs": ["a"], "version": 1}, "version is a number"),
        ({"inputs": ["a"], "timeout": "1"}, "timeout is '1'"),
        ({"inputs": ["a"], "timeout": 0}, "timeout is 0"),
        ({"inputs": ["a"], "timeout": True}, "timeout is True"),
        ({"inputs": ["a"], "timeout": 1e999}, "timeout is inf"),
    ],
)
def test_other_shapes_are_refused_with_what_is_taken(body: Any, seen: str) -> None:
    with pytest.raises(Refusal) as refusal:
        asked(body, Limits())
    assert refusal.value.status == 422 and seen in refusal.value.seen


def test_a_deadline_is_never_longer_than_the_servers() -> None:
    limits = Limits(deadline=5.0)
    assert (deadline_of(2, limits), deadline_of(9.5, limits), deadline_of(10**400, limits)) == (2.0, 5.0, 5.0)


def test_a_request_gives_itself_less_time(opened: Opened) -> None:
    async def body() -> None:
        async with opened(milliseconds=300.0) as stage:
            found = await ask(stage.app, "/predict/m", {"inputs": ["a"], "timeout": 0.05})
            assert found.status == 504 and found.json["error"]["code"] == "expired"

    asyncio.run(body())
