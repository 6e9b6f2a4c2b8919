"""Streams wait in order, leave at once, and are read by those who asked."""

from __future__ import annotations

import asyncio

import pytest

from lighten.core.language import Prompt, Written
from lighten.serve.bell import Bell
from lighten.serve.refusals import ClientGone
from lighten.serve.streams import Answers, Errand, StreamQueue


def answers(*lengths: int) -> Answers:
    return Answers([Prompt((1,) * length, 10) for length in lengths], lambda _: None)


def test_the_oldest_is_taken_and_work_is_counted_in_tokens() -> None:
    async def body() -> None:
        queue, one = StreamQueue(), answers(5, 7)
        queue.put(one.streams)
        assert (queue.work, len(queue), one.work) == (32, 2, 32)
        assert queue.take() is one.streams[0] and queue.work == 17
        assert queue.drop(one.streams[1]) and not queue.drop(one.streams[1])
        assert queue.work == 0 and queue.take() is None and one.streams[1].gone

    asyncio.run(body())


def test_whoever_takes_is_woken_for_what_concerns_them() -> None:
    async def body() -> None:
        queue, bell = StreamQueue(), Bell()
        rung: list[str] = []
        bell.ring = lambda: rung.append("ring")  # type: ignore[method-assign]
        queue.bells.append(bell)
        one = answers(1)
        queue.put(one.streams)
        queue.ask(Errand("text", asyncio.get_running_loop().create_future()))
        assert len(rung) == 2 and queue.take_errand() is not None and queue.take_errand() is None
        for _ in range(2):
            queue.ask(Errand("text", asyncio.get_running_loop().create_future()))
        queue._errands[0].done.cancel()  # nobody waits for it
        assert queue.take_errand() is not None and queue.take_errand() is None and len(rung) == 4
        rung = rung[:2]
        queue.drop(one.streams[0])  # it waited: nobody needs to know
        assert len(rung) == 2
        queue.drop(one.streams[0])  # it runs, for all the queue knows
        assert len(rung) == 3
        queue.put(one.streams)
        assert queue.clear() == ([one.streams[0]], []) and queue.work == 0
        bell.close()

    asyncio.run(body())


def test_answers_are_read_as_they_come_until_all_are_over() -> None:
    async def body() -> None:
        one = answers(1, 1)
        first, second = one.streams
        one.told(first, Written(1, 5, "a"))
        one.told(second, Written(2, 6, "b", "most"))
        assert await anext(one) == [(0, Written(1, 5, "a")), (1, Written(2, 6, "b", "most"))] and not one.over
        later = asyncio.ensure_future(anext(one))
        await asyncio.sleep(0)
        assert not later.done()
        one.told(first, Written(1, None, "", "end"))
        assert await later == [(0, Written(1, None, "", "end"))] and one.over
        with pytest.raises(StopAsyncIteration):
            await anext(one)

    asyncio.run(body())


def test_an_error_comes_behind_what_was_written() -> None:
    async def body() -> None:
        one = answers(1)
        one.told(one.streams[0], Written(1, 5, "a"))
        one.fail(ClientGone())
        one.fail(ValueError())  # the first one counts
        one.told(one.streams[0], Written(1, 5, "b"))
        assert [written.text for _, written in await anext(one)] == ["a"]
        with pytest.raises(ClientGone):
            await anext(one)

    asyncio.run(body())


def test_closing_is_told_once() -> None:
    async def body() -> None:
        told: list[Answers] = []
        one = Answers([Prompt((1,), 1)], told.append)
        one.close()
        one.close()
        assert told == [one]

    asyncio.run(body())
