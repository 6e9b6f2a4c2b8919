"""Models are found by name and version, and drain together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError, UnsafeFile
from lighten.serve.models import Change, Models
from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.serve.traffic import Share, Traffic
from lighten.tasks.image_classification import ImageClassification

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


@pytest.mark.parametrize("role", ["canary", "shadow"])
def test_versions_that_take_different_requests_do_not_answer_for_each_other(
    opened: Opened, servable_of: ServableOf, role: str
) -> None:
    pytest.importorskip("PIL", reason="pip install 'lighten[vision]'")

    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2", task=ImageClassification())]
        async with opened(None, *every, load=False, traffic={"m": Traffic("1")}) as stage:
            assert len(stage.models) == 2  # beside each other they may be
        with pytest.raises(InputError, match="'m' do not take the same requests"):
            async with opened(None, *every, load=False, traffic={"m": Traffic("1", **{role: Share("2", 0.5)})}):
                pass

    asyncio.run(body())


def test_it_is_ready_when_all_are(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("a"), servable_of("b"), load=False) as stage:
            assert not stage.models.ready and stage.models.state == "loading"
            await stage.models.load()
            assert stage.models.ready and stage.models.state == "ready"
            assert [sample[0] for sample in stage.models.samples()] == ["a", "b"]

    asyncio.run(body())


def test_a_version_that_does_not_serve_may_die(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1", fault="kill"), servable_of("m", "2", fault="kill")]
        async with opened(None, *every, load=False) as stage:
            assert stage.models.state == "loading"
            await stage.models.load()
            for version, ready in (("1", True), ("2", False)):
                with pytest.raises(Refusal):
                    await labels(stage.models, version=version)
                await until(lambda version=version: not stage.models.find("m", version).ready)
                assert stage.models.ready is ready

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


def labels(models: Models, name: str = "m", version: str = "") -> Any:
    return models.open_for(name, version).predict(["a"], 20, Presence())


def test_a_canary_answers_its_share_and_only_while_it_can(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2")]
        traffic = {"m": Traffic("1", Share("2", 0.5), seed=1)}
        async with opened(None, *every, traffic=traffic, load=False) as stage:
            models = stage.models
            assert {models.open_for("m").version for _ in range(40)} == {"1"}  # nothing is open yet
            await models.load()
            drawn = [models.open_for("m").version for _ in range(40)]
            assert 8 < drawn.count("2") < 32
            assert {models.open_for("m", "1").version for _ in range(20)} == {"1"}
            assert models.find("m").version == "1"

    asyncio.run(body())


def test_versions_are_switched_and_rolled_back_at_once(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", version) for version in "123"]
        async with opened(None, *every) as stage:
            models = stage.models
            assert models.find("m").version == "3"
            with pytest.raises(Refusal, match="has served"):
                await models.roll_back("m")
            await models.change("m", Change(serve="1", canary=Share("2", 0.5), shadow=Share("3", 1.0)))
            assert models.traffic["m"].roles("3") == ["shadow", "previous"]
            await models.change("m", Change(shadow=Share("", 0.0)))
            assert models.traffic["m"].shadow is None and models.traffic["m"].canary == Share("2", 0.5)
            await models.roll_back("m")
            assert (models.find("m").version, models.traffic["m"].previous) == ("3", "1")
            assert len(models) == 3

    asyncio.run(body())


@pytest.mark.parametrize(
    ("change", "status", "seen"),
    [
        (Change(serve="4"), 404, "no version of 'm' named '4'"),
        (Change(canary=Share("4", 0.1)), 404, "named '4'"),
        (Change(canary=Share("2", 0.1)), 409, "serves already"),
        (Change(serve="1", shadow=Share("1", 0.1)), 409, "serves already"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(
    opened: Opened, servable_of: ServableOf, change: Change, status: int, seen: str
) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), servable_of("m", "2")) as stage:
            with pytest.raises(Refusal) as refusal:
                await stage.models.change("m", change)
            assert refusal.value.status == status and seen in refusal.value.seen
            assert stage.models.find("m").version == "2" and stage.models.traffic["m"].canary is None

    asyncio.run(body())


def test_a_version_that_is_not_open_is_opened_before_it_serves(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), unloaded=[("m", "2")], opener=servable_of) as stage:
            models = stage.models
            assert models.versions("m") == ("1", "2") and models.state_of("m", "2") == ("unloaded", "")
            with pytest.raises(Refusal) as refusal:
                models.open_for("m", "2")
            assert (refusal.value.status, refusal.value.code) == (503, "unloaded")
            await models.change("m", Change(serve="2"))
            assert models.find("m").version == "2" and models.find("m").ready and len(models) == 2

    asyncio.run(body())


def test_what_cannot_be_opened_is_refused_and_the_old_one_answers(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        def broken(name: str, version: str) -> Servable:
            if version == "2":
                raise UnsafeFile("weights.bin is not what was sealed.", fix="make it anew")
            return servable_of(name, version, fault="raise", at="open")

        async with opened(None, servable_of("m", "1"), servable_of("m", "2"), opener=broken) as stage:
            models, before = stage.models, sorted(children())
            for version, told in (("2", "not what was sealed"), ("1", "")):
                with pytest.raises(Refusal) as refusal:
                    await models.load_version("m", version)
                assert (refusal.value.status, refusal.value.code) == (409, "not_loaded") and told in refusal.value.seen
                assert models.state_of("m", version)[1] == refusal.value.seen
                assert (await labels(models, version=version))[0].label == "odd"
            await until(lambda: sorted(children()) == before)  # nothing of what failed is left

    asyncio.run(body())


def test_a_version_is_opened_anew_while_it_answers(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1", milliseconds=100.0), opener=servable_of) as stage:
            models, before = stage.models, stage.model
            running = asyncio.ensure_future(labels(models))
            await asyncio.sleep(0)
            await models.load_version("m", "1")
            assert models.find("m") is not before and models.find("m").ready
            assert (await running)[0].label == "odd" and (await labels(models))[0].label == "odd"
            await until(lambda: before.state == "stopped")
            assert models.open == 0 and len(models) == 1

    asyncio.run(body())


def test_a_version_is_closed_once_it_has_answered(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1", milliseconds=100.0), servable_of("m", "2")]
        async with opened(None, *every, opener=servable_of) as stage:
            models, first = stage.models, stage.model
            with pytest.raises(Refusal) as refusal:
                await models.unload_version("m", "2")
            assert refusal.value.status == 409 and "serves" in refusal.value.seen
            running = asyncio.ensure_future(labels(models, version="1"))
            await asyncio.sleep(0)
            closing = asyncio.ensure_future(models.unload_version("m", "1"))
            await asyncio.sleep(0)
            assert models.state_of("m", "1")[0] == "unloading" and models.open == 1
            with pytest.raises(Refusal):
                models.open_for("m", "1")
            await closing
            assert running.done() and first.state == "stopped" and models.state_of("m", "1")[0] == "unloaded"
            await models.unload_version("m")
            assert len(models) == 0 and models.ready and models.names == ("m",)
            await models.load_version("m", "1")
            assert (await labels(models, version="1"))[0].label == "odd"

    asyncio.run(body())


def test_a_version_that_restarts_is_not_switched_to(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [servable_of("m", "1", fault="kill"), servable_of("m", "2")]
        async with opened(None, *every) as stage:
            with pytest.raises(Refusal):
                await labels(stage.models, version="1")
            await until(lambda: not stage.model.ready)
            with pytest.raises(Refusal) as refusal:
                await stage.models.change("m", Change(serve="1"))
            assert refusal.value.status == 409 and stage.models.find("m").version == "2"

    asyncio.run(body())


def test_while_it_drains_nothing_is_opened(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), opener=servable_of) as stage:
            stage.models.draining = True
            with pytest.raises(Refusal) as refusal:
                await stage.models.load_version("m", "1")
            assert refusal.value.code == "draining"
        async with opened(None, servable_of("m", "1")) as stage:
            with pytest.raises(Refusal, match="after its start"):
                await stage.models.load_version("m", "1")

    asyncio.run(body())


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not met():
            await asyncio.sleep(0.01)


def children() -> list[int]:
    """Processes of sessions that live."""
    listed = Path("/proc/self/task").glob("*/children")
    return [int(pid) for one in listed for pid in one.read_text().split()]
