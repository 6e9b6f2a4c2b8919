"""The way of a request from arrival to answer, and all that can come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import BuildFailed
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal
from lighten.serve.servable import Servable
from lighten.serve.worker import State

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]
SLOW = {"milliseconds": 200.0}
"""What each input takes, long enough that others come meanwhile."""


async def code_of(asked: Any) -> tuple[int, str]:
    """Status and code of what is refused; 200 of what is answered."""
    try:
        await asked
    except Refusal as refusal:
        return refusal.status, refusal.code
    return 200, ""


def test_answers_come_in_order_from_all_replicas(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=2), replicas=2) as stage:
            texts = ["x" * length for length in range(9)]
            found = await stage.model.predict(texts, 10, Presence())
            assert [one.label for one in found] == ["even", "odd"] * 4 + ["even"]
            counts = stage.model.counts
            assert counts.answered == 1 and counts.inputs == 9 and counts.batches >= 5
            assert stage.model.queue.work == 0 and stage.model.open == 0 and stage.model.rate.known

    asyncio.run(body())


def test_requests_that_wait_are_joined(opened: Opened) -> None:
    async def body() -> None:
        async with opened(milliseconds=30.0) as stage:
            asked = [stage.model.predict(["x"], 20, Presence()) for _ in range(12)]
            await asyncio.gather(*asked)
            assert stage.model.counts.batches < 12 and stage.model.counts.answered == 12

    asyncio.run(body())


def test_nothing_is_taken_before_it_is_open(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            for replica in stage.model.replicas:
                replica.start = lambda: None
            assert stage.model.state is State.LOADING and not stage.model.ready
            assert await code_of(stage.model.predict(["x"], 5, Presence())) == (503, "loading")

    asyncio.run(body())


def test_a_model_that_cannot_be_opened_says_why(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False, fault="refuse", at="open") as stage:
            with pytest.raises(BuildFailed, match="refuses this model"):
                await stage.models.load()
            assert await code_of(stage.model.predict(["x"], 5, Presence())) == (503, "failed")

    asyncio.run(body())


def test_a_deadline_ends_what_waits_and_what_runs(opened: Opened) -> None:
    async def body() -> None:
        async with opened(**SLOW) as stage:
            both = [stage.model.predict(["x"], 0.05, Presence()) for _ in range(2)]
            assert [await code_of(one) for one in both] == [(504, "expired")] * 2
            assert stage.model.queue.work == 0 and stage.model.counts.refused["expired"] == 2
            assert await code_of(stage.model.predict(["x"], 20, Presence())) == (200, "")

    asyncio.run(body())


def test_who_goes_away_frees_the_place_at_once(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), **SLOW) as stage:
            model, clients = stage.model, [Presence() for _ in range(5)]
            asked = [asyncio.ensure_future(model.predict(["x"], 20, one)) for one in clients]
            while model.replicas[0].running is None:
                await asyncio.sleep(0.005)
            assert len(model.queue) == 4
            for client in clients[1:]:
                client.leave()
            assert len(model.queue) == 0 and model.queue.work == 0
            clients[0].leave()  # this one runs: its result is dropped
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, ClientGone) for one in found) and model.counts.cancelled == 5
            assert await code_of(model.predict(["x"], 20, Presence())) == (200, "") and model.open == 0

    asyncio.run(body())


def test_a_cancelled_task_frees_its_place_too(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), **SLOW) as stage:
            asked = [asyncio.ensure_future(stage.model.predict(["x"], 20, Presence())) for _ in range(3)]
            await asyncio.sleep(0.05)
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            assert len(stage.model.queue) == 0 and stage.model.open == 0

    asyncio.run(body())


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(opened: Opened) -> None:
    async def body() -> None:
        limits = Limits(batch=1, queue_seconds=0.1)
        async with opened(limits, **SLOW) as stage:
            await stage.model.predict(["x"], 20, Presence())  # from now on its rate is known
            asked = [asyncio.ensure_future(code_of(stage.model.predict(["x"], 20, Presence()))) for _ in range(8)]
            found = await asyncio.gather(*asked)
            refused = [one for one in found if one != (200, "")]
            assert refused and set(refused) == {(429, "overloaded")}
            assert found.count((200, "")) >= 2 and stage.model.counts.refused["overloaded"] == len(refused)

    asyncio.run(body())


def test_a_death_answers_what_ran_with_an_error_and_the_rest_well(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), fault="segv", after=2, milliseconds=20.0) as stage:
            asked = [code_of(stage.model.predict(["x"], 20, Presence())) for _ in range(6)]
            found = await asyncio.gather(*asked)
            assert sorted(found) == [(200, "")] * 4 + [(500, "failed")] * 2
            assert stage.model.counts.failed == 2 and sum(one.restarts for one in stage.model.replicas) >= 1

    asyncio.run(body())


def test_who_hears_of_a_death_is_not_told_that_it_is_ready(opened: Opened) -> None:
    async def body() -> None:
        async with opened(fault="segv", after=0) as stage:
            assert await code_of(stage.model.predict(["x"], 20, Presence())) == (500, "failed")
            assert not stage.model.ready and stage.model.state is State.RESTARTING
            assert await code_of(stage.model.predict(["x"], 20, Presence())) == (503, "restarting")

    asyncio.run(body())


def test_the_rest_of_a_request_that_failed_is_not_worked_on(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), fault="raise") as stage:
            many = 200  # far more than are answered until the event loop has its next turn
            assert await code_of(stage.model.predict(["x"] * many, 20, Presence())) == (500, "failed")
            assert len(stage.model.queue) == 0 and stage.model.counts.batches < many

    asyncio.run(body())


def test_what_was_copied_for_it_goes_with_it(opened: Opened, servable_of: ServableOf, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "weights").write_bytes(b"x")

    async def body() -> None:
        async with opened(None, replace(servable_of(), copy=tmp_path / "copy")):
            assert (tmp_path / "copy" / "weights").exists()

    asyncio.run(body())
    assert not (tmp_path / "copy").exists()


def test_stopping_answers_everybody(opened: Opened) -> None:
    async def body() -> None:
        async with opened(Limits(batch=1), milliseconds=30_000.0) as stage:
            asked = [asyncio.ensure_future(code_of(stage.model.predict(["x"], 60, Presence()))) for _ in range(3)]
            while stage.model.replicas[0].running is None:
                await asyncio.sleep(0.005)
            await stage.models.stop()
            found = await asyncio.gather(*asked)
            assert sorted(status for status, _ in found) == [500, 503, 503]
            assert stage.model.state is State.STOPPED and stage.model.gauges().states == {"stopped": 1}

    asyncio.run(body())
