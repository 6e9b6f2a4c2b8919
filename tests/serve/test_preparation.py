"""What comes before waiting is bounded, counted and given up as waiting is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import Any

import pytest

from lighten.serve.limits import Limits
from lighten.serve.preparation import FEW, Preparation
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal

Body = Callable[[Preparation], Awaitable[None]]


def within(limits: Limits, body: Body) -> None:
    async def run() -> None:
        with ThreadPoolExecutor(1) as thread:
            await asyncio.wait_for(body(Preparation(thread, limits)), 30)

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_a_job_is_done_by_the_thread_and_its_pace_is_learned() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def body(preparation: Preparation) -> None:
        async with preparation.of(10, Presence()):
            assert await preparation.run(3, "".join, ["a", "b"]) == "ab"
            assert (preparation.requests, preparation.size) == (1, 10)
            with pytest.raises(ValueError, match="no"):
                await preparation.run(3, fail)
        assert (preparation.requests, preparation.size) == (0, 0)
        await until(lambda: preparation.rate.known)

    within(Limits(), body)


def test_more_than_the_thread_can_do_soon_is_refused_and_nothing_is_lost() -> None:
    async def body(preparation: Preparation) -> None:
        await preparation.run(0, sleep, 0.01)
        await until(lambda: preparation.rate.known)
        blocked = Event()
        jobs = [asyncio.ensure_future(preparation.run(0, blocked.wait)) for _ in range(2 * FEW)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refusal:
            await preparation.run(0, blocked.wait)
        assert (refusal.value.status, refusal.value.code) == (429, "overloaded")
        blocked.set()
        assert await asyncio.gather(*jobs) == [True] * 2 * FEW
        assert await preparation.run(0, blocked.wait)

    within(Limits(queue_seconds=0.001), body)


def test_all_that_is_read_together_is_bounded() -> None:
    async def body(preparation: Preparation) -> None:
        async with preparation.of(90, Presence()):
            with pytest.raises(Refusal) as refusal:
                async with preparation.of(20, Presence()):
                    raise AssertionError
            assert refusal.value.status == 429
            async with preparation.of(10, Presence()):
                pass
        async with preparation.of(200, Presence()):
            assert preparation.size == 200  # one alone may be as large as its own limits allow

    within(Limits(queue=100), body)


@pytest.mark.parametrize("before", [False, True])
def test_who_goes_away_is_not_prepared_for(before: bool) -> None:
    async def body(preparation: Preparation) -> None:
        blocked, client, done = Event(), Presence(), list[Any]()

        async def prepare() -> None:
            async with preparation.of(1, client):
                await preparation.run(1, done.append, 1)

        running = asyncio.ensure_future(preparation.run(0, blocked.wait))
        if before:
            client.leave()
        waiting = asyncio.ensure_future(prepare())
        await asyncio.sleep(0)
        client.leave()
        with pytest.raises(ClientGone):
            await waiting
        blocked.set()
        assert await running and not done and preparation.requests == 0

    within(Limits(), body)


def test_a_deadline_ends_it() -> None:
    async def body(preparation: Preparation) -> None:
        with pytest.raises(Refusal) as refusal:
            async with preparation.of(1, Presence()):
                await asyncio.Event().wait()
        assert refusal.value.status == 504 and preparation.requests == 0

    within(Limits(deadline=0.05), body)


def test_a_request_that_is_cancelled_by_others_is_no_client_who_left() -> None:
    async def body(preparation: Preparation) -> None:
        async def prepare() -> None:
            async with preparation.of(1, Presence()):
                await asyncio.Event().wait()

        waiting = asyncio.ensure_future(prepare())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    within(Limits(), body)


def test_what_waits_when_the_thread_is_ended_is_refused() -> None:
    async def run() -> None:
        thread, blocked = ThreadPoolExecutor(1), Event()
        preparation = Preparation(thread, Limits())
        running = asyncio.ensure_future(preparation.run(0, blocked.wait))
        waiting = asyncio.ensure_future(preparation.run(0, blocked.wait))
        await asyncio.sleep(0)
        thread.shutdown(wait=False, cancel_futures=True)
        blocked.set()
        with pytest.raises(Refusal) as refusal:
            await waiting
        assert refusal.value.status == 503 and await running

    asyncio.run(run())
