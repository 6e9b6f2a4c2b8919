"""Messages that are on their way: few at a time, and whoever sends slowly holds nobody up."""

from __future__ import annotations

import asyncio

import pytest

from lighten.serve import grpc_arrivals
from lighten.serve.grpc_arrivals import Arrivals
from lighten.serve.refusals import Refusal


async def arriving(arrivals: Arrivals, there: asyncio.Event) -> str:
    """A message that is there when it is told to be: the code of its refusal, or that it came."""
    try:
        async with arrivals.place():
            await there.wait()
    except Refusal as refusal:
        return refusal.code
    return "came"


def test_messages_that_come_quickly_wait_for_one_another() -> None:
    async def body() -> None:
        arrivals, most = Arrivals(3, 30), 0

        async def one() -> str:
            nonlocal most
            async with arrivals.place():
                most = max(most, len(arrivals))
                await asyncio.sleep(0)
            return "came"

        assert await asyncio.gather(*(one() for _ in range(50))) == ["came"] * 50
        assert most == 3 and len(arrivals) == 0

    asyncio.run(body())


def test_who_takes_long_has_time_where_there_is_room() -> None:
    async def body() -> None:
        arrivals, there = Arrivals(2, 0.1), asyncio.Event()
        assert await arriving(arrivals, there) == "too_slow"
        task = asyncio.ensure_future(arriving(arrivals, there))
        await asyncio.sleep(0)
        there.set()
        assert await task == "came" and len(arrivals) == 0

    asyncio.run(body())


def test_the_one_that_has_been_coming_longest_gives_its_place_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_arrivals, "QUICK", 0.05)

    async def body() -> None:
        arrivals, never, now = Arrivals(2, 30), asyncio.Event(), asyncio.Event()
        now.set()
        slow = [asyncio.ensure_future(arriving(arrivals, never)) for _ in range(2)]
        await asyncio.sleep(0)
        found = await asyncio.gather(*(arriving(arrivals, now) for _ in range(20)))
        assert found == ["came"] * 20
        assert [one.done() for one in slow] == [True, False] and slow[0].result() == "no_room"
        slow[1].cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert len(arrivals) == 0

    asyncio.run(body())


def test_whoever_sends_slowly_in_turn_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_arrivals, "QUICK", 0.05)

    async def body() -> None:
        arrivals, never, now = Arrivals(1, 30), asyncio.Event(), asyncio.Event()
        now.set()
        slow = []
        for _ in range(2):  # the second one waits, too, and takes the place of the first
            slow.append(asyncio.ensure_future(arriving(arrivals, never)))
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            assert await arriving(arrivals, now) == "came"
        assert slow[0].result() == "no_room"
        slow[1].cancel()  # where it took the place that the first one left, or waits for one still
        await asyncio.gather(*slow, return_exceptions=True)
        assert len(arrivals) == 0

    asyncio.run(body())


def test_who_waits_in_vain_is_told_so() -> None:
    async def body() -> None:
        arrivals, there = Arrivals(1, 30), asyncio.Event()
        first = asyncio.ensure_future(arriving(arrivals, there))
        await asyncio.sleep(0)
        arrivals.slow = 0.01  # shorter than the first one is left in peace
        assert await arriving(arrivals, there) == "no_room"
        there.set()
        assert await first == "came" and len(arrivals) == 0

    asyncio.run(body())


def test_who_goes_away_while_waiting_leaves_nothing_behind() -> None:
    async def body() -> None:
        arrivals, there = Arrivals(1, 30), asyncio.Event()
        first = asyncio.ensure_future(arriving(arrivals, there))
        waiting = [asyncio.ensure_future(arriving(arrivals, there)) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        there.set()
        assert await first == "came" and await waiting[1] == await waiting[2] == "came"
        assert len(arrivals) == 0 and not arrivals._waiting

    asyncio.run(body())
