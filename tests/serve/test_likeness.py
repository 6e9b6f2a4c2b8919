"""Versions of a name that answer for each other take the same requests, whenever they are opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve.models import Change
from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.serve.traffic import Share, Traffic
from lighten.tasks.image_classification import ImageClassification

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_version_that_became_another_kind_is_not_opened_while_it_has_a_part(
    opened: Opened, servable_of: ServableOf, version: str
) -> None:
    pytest.importorskip("PIL", reason="pip install 'lighten[vision]'")

    async def body() -> None:
        def other(name: str, version: str) -> Servable:
            return servable_of(name, version, task=ImageClassification())

        every = [servable_of("m", one) for one in "1234"]
        traffic = {"m": Traffic("1", Share("2", 0.5), Share("3", 0.5))}
        async with opened(None, *every, traffic=traffic, opener=other) as stage:
            models, before = stage.models, stage.models.find("m", version)
            with pytest.raises(Refusal) as refusal:
                await models.load_version("m", version)
            assert refusal.value.status == 409 and "does not take the requests any more" in refusal.value.seen
            assert "another version take its part" in refusal.value.fix
            assert models.state_of("m", version) == ("ready", refusal.value.seen)
            assert models.find("m", version) is before and before.ready
            assert (await before.predict(["a"], 20, Presence()))[0].label == "odd"

    asyncio.run(body())


def test_what_has_no_part_may_become_another_kind_and_gets_none_then(opened: Opened, servable_of: ServableOf) -> None:
    pytest.importorskip("PIL", reason="pip install 'lighten[vision]'")

    async def body() -> None:
        def other(name: str, version: str) -> Servable:
            return servable_of(name, version, task=ImageClassification())

        async with opened(None, servable_of("m", "1"), servable_of("m", "2"), opener=other) as stage:
            models = stage.models
            await models.load_version("m", "1")
            assert models.find("m", "1").source.task.kind == "image"
            for change in (Change(serve="1"), Change(canary=Share("1", 0.5)), Change(shadow=Share("1", 0.5))):
                with pytest.raises(Refusal, match="do not take the same requests") as refusal:
                    await models.change("m", change)
                assert refusal.value.status == 409
            assert models.find("m").version == "2" and models.traffic["m"].roles("1") == []
            assert (await models.open_for("m").predict(["a"], 20, Presence()))[0].label == "odd"

    asyncio.run(body())


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_part_whose_version_was_closed_is_taken_by_its_like_alone(
    opened: Opened, servable_of: ServableOf, version: str
) -> None:
    pytest.importorskip("PIL", reason="pip install 'lighten[vision]'")

    async def body() -> None:
        def other(name: str, version: str) -> Servable:
            return servable_of(name, version, task=ImageClassification())

        open_now = servable_of("m", "2" if version == "1" else "1")
        traffic = {"m": Traffic("1", Share("2", 0.5))}
        async with opened(None, open_now, traffic=traffic, unloaded=[("m", version)], opener=other) as stage:
            with pytest.raises(Refusal, match="do not take the same requests"):
                await stage.models.load_version("m", version)
            assert stage.models.state_of("m", version)[0] == "unloaded" and len(stage.models) == 1

    asyncio.run(body())
