"""Who answers is shown and changed over HTTP, in our words and in those of the Open Inference Protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.serve.keys import make_key, read_keys
from lighten.serve.models import Change
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.serve.traffic import Share
from lighten.serve.versions import change_in
from lighten.store.decode import decode
from lighten.testing.asgi import ask
from lighten.verbs.versions import Versions

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]
REPOSITORY = "/v2/repository/models/m"


def test_versions_are_told_as_their_schema_says(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2")]
        async with opened(None, *every, unloaded=[("m", "3")]) as stage:
            await ask(stage.app, "/predict/m", {"inputs": ["a"]})
            told = (await ask(stage.app, "/versions")).json
            problems: list[str] = []
            found = decode(told, Versions, "versions", problems)
            assert found is not None and not problems
            (model,) = found.models
            assert (model.serve, model.previous, model.canary, model.disagreement) == ("2", "", None, None)
            assert [(one.version, one.state, one.roles) for one in model.versions] == [
                ("1", "ready", ()), ("2", "ready", ("serves",)), ("3", "unloaded", ()),
            ]  # fmt: skip
            first, second, third = model.versions
            assert (first.answered, second.answered, second.labels) == (0, 1, ("even", "odd"))
            assert first.memory > 1_000_000 and third.memory == 0
            again = decode({"models": [(await ask(stage.app, "/versions/m")).json]}, Versions, "versions", problems)
            assert again is not None and not problems
            assert [replace(one, memory=0) for one in again.models[0].versions] == [
                replace(one, memory=0)
                for one in model.versions  # what a process holds is another number now
            ]
            metrics = (await ask(stage.app, "/metrics")).body.decode()
            assert 'lighten_version_share{model="m",version="2",role="serves"} 1' in metrics
            assert 'lighten_model_memory_bytes{model="m",version="1"}' in metrics

    asyncio.run(body())


def test_versions_change_by_one_request(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), servable_of("m", "2")) as stage:
            asked = {"serve": "1", "shadow": {"version": "2", "share": 1}}
            told = (await ask(stage.app, "/versions/m", asked)).json
            assert (told["serve"], told["previous"], told["shadow"]) == ("1", "2", {"version": "2", "share": 1.0})
            assert told["disagreement"]["upper"] == 1.0
            assert (await ask(stage.app, "/predict/m", {"inputs": ["a"]})).json["version"] == "1"
            told = (await ask(stage.app, "/versions/m", {"rollback": True})).json
            assert (told["serve"], told["previous"], told["shadow"]) == ("2", "1", None)
            found = await ask(stage.app, "/versions/x", {"rollback": True})
            assert found.status == 404 and found.json["error"]["allowed"] == "m"

    asyncio.run(body())


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"serve": "2"}, Change("2")),
        ({"canary": None}, Change(canary=Share("", 0.0))),
        ({"serve": "1", "canary": {"version": "2", "share": 0.5}}, Change("1", Share("2", 0.5))),
        ({"rollback": True}, None),
    ],
)
def test_a_change_is_read(body: Any, change: Change | None) -> None:
    assert change_in(body) == change


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"serv": "2"}, {"serve": 2}, {"serve": ""}, {"serve": None}, {"rollback": False},
        {"rollback": True, "serve": "1"}, {"canary": "2"}, {"canary": {"version": "2"}},
        {"canary": {"version": "2", "share": 0}}, {"shadow": {"version": "2", "share": 1.5}},
        {"shadow": {"version": "2", "share": True}}, {"shadow": {"version": 2, "share": 0.5}},
        {"shadow": {"version": "2", "share": 1e999}}, {"shadow": {"version": "2", "share": 0.5, "more": 1}},
    ],
)  # fmt: skip
def test_another_shape_is_refused(body: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        change_in(body)
    assert refusal.value.status in (404, 422) and refusal.value.allowed


def test_models_are_loaded_and_unloaded_as_triton_does_it(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2")]
        async with opened(None, *every, opener=servable_of) as stage:
            index = "/v2/repository/index"
            assert "model_repository" in (await ask(stage.app, "/v2")).json["extensions"]
            assert (await ask(stage.app, f"{REPOSITORY}/unload", {})).status == 200
            listed = (await ask(stage.app, index, {})).json
            assert [(one["state"], one["reason"]) for one in listed] == [("UNAVAILABLE", "unloaded")] * 2
            assert (await ask(stage.app, "/predict/m", {"inputs": ["a"]})).status == 503
            assert (await ask(stage.app, "/v2/models/m/ready")).status == 503
            assert (await ask(stage.app, f"{REPOSITORY}/load", b"", method="POST")).status == 200
            assert [one["state"] for one in (await ask(stage.app, index, {})).json] == ["UNAVAILABLE", "READY"]
            assert (await ask(stage.app, "/predict/m", {"inputs": ["a"]})).json["version"] == "2"
            asked = {"parameters": {"version": "1"}}
            assert (await ask(stage.app, f"{REPOSITORY}/load", asked)).json == {}
            assert [one["state"] for one in (await ask(stage.app, index, {"ready": True})).json] == ["READY"] * 2

    asyncio.run(body())


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"parameters": {"config": "{}"}}, "'config'"),
        ({"parameters": {"file:1/model.onnx": "AAAA"}}, "'file:1/model.onnx'"),
        ({"parameters": {"version": 1}}, "version is a number"),
        ({"parameters": {"version": "../../etc"}}, "'../../etc'"),
        ({"parameters": {"unload_dependents": -23}}, "unload_dependents is a number"),
        ({"parameters": []}, "body is an object"),
        ([], "body is a list"),
    ],
)
def test_nothing_but_what_was_named_at_the_start_is_loaded(
    opened: Opened, servable_of: ServableOf, body: Any, seen: str
) -> None:
    async def ask_it() -> None:
        def never(name: str, version: str) -> Servable:
            raise AssertionError(name)

        async with opened(None, servable_of("m", "1"), opener=never, load=False) as stage:
            found = await ask(stage.app, f"{REPOSITORY}/load", body)
            assert found.status in (404, 422) and seen in found.json["error"]
            assert (await ask(stage.app, "/v2/repository/models/etc%2Fpasswd/load", {})).status == 404

    asyncio.run(ask_it())


def test_with_keys_an_operators_is_needed(opened: Opened, servable_of: ServableOf, tmp_path: Path) -> None:
    secrets = {name: make_key(tmp_path / "keys", name) for name in ("ci", "anna")}

    async def body() -> None:
        keys = read_keys(tmp_path / "keys")
        every = [servable_of("m", "1"), servable_of("m", "2")]
        async with opened(None, *every, keys=keys, operators=["anna"], load=True) as stage:
            for name, status in (("ci", 403), ("anna", 200)):
                headers = {"authorization": f"Bearer {secrets[name]}"}
                assert (await ask(stage.app, "/versions", headers=headers)).status == 200
                found = await ask(stage.app, "/versions/m", {"serve": "1"}, headers=headers)
                assert found.status == status
            assert (await ask(stage.app, f"{REPOSITORY}/unload", {})).status == 401
            assert stage.app.strays["no_operator"] == 1

    asyncio.run(body())


def test_pages_of_other_sites_change_nothing(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            headers = {"origin": "http://evil.example", "host": "localhost:8000"}
            for path in ("/versions/m", f"{REPOSITORY}/load", f"{REPOSITORY}/unload"):
                assert (await ask(stage.app, path, {"serve": "1"}, headers=headers)).status == 403

    asyncio.run(body())
