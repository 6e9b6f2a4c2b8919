"""Models are found by name and version, and drain together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]


def test_the_last_version_is_asked_where_none_is_said(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2"), servable_of("other", "1")]
        async with opened(None, *every, load=False) as stage:
            models = stage.models
            assert models.find("m").version == "2" and models.find("m", "1").version == "1"
            assert models.names == ("m", "other") and models.versions("m") == ("1", "2") and len(models) == 3
            with pytest.raises(Refusal) as refusal:
                models.find("nn")
            assert refusal.value.status == 404 and refusal.value.allowed == "m, other"
            with pytest.raises(Refusal) as refusal:
                models.find("m", "3")
            assert refusal.value.status == 404 and refusal.value.allowed == "1, 2"

    asyncio.run(body())


def test_it_is_ready_when_all_are(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("a"), servable_of("b"), load=False) as stage:
            assert not stage.models.ready and stage.models.state == "loading"
            await stage.models.load()
            assert stage.models.ready and stage.models.state == "ready"
            assert [sample[0] for sample in stage.models.samples()] == ["a", "b"]

    asyncio.run(body())


def test_draining_takes_nothing_new_and_finishes_what_runs(opened: Opened) -> None:
    async def body() -> None:
        async with opened(milliseconds=200.0) as stage:
            running = asyncio.ensure_future(stage.model.predict(["x"], 20, Presence()))
            await asyncio.sleep(0.02)
            draining = asyncio.ensure_future(stage.models.drain(20))
            await asyncio.sleep(0)
            assert stage.models.state == "draining" and not stage.models.ready
            with pytest.raises(Refusal) as refusal:
                stage.models.open_for("m")
            assert (refusal.value.status, refusal.value.code) == (503, "draining")
            await draining
            assert running.done() and (await running)[0].label == "odd"

    asyncio.run(body())


def test_draining_ends_with_its_grace(opened: Opened) -> None:
    async def body() -> None:
        async with opened(milliseconds=30_000.0) as stage:
            running = asyncio.ensure_future(stage.model.predict(["x"], 60, Presence()))
            await asyncio.sleep(0.02)
            await stage.models.drain(0.05)
            assert not running.done() and stage.models.open == 1
            await stage.models.stop()
            with pytest.raises(Refusal):
                await running

    asyncio.run(body())
