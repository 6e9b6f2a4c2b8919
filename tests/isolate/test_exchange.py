"""A child process asked by an event loop: nothing waits for it, and whatever it does, who asked hears of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lighten.core.errors import LightenError, OutOfMemory, SessionCrashed, SessionTimeout, StepFailed
from lighten.isolate.exchange import Exchange, Reason
from lighten.isolate.process import ChildProcess

PATIENCE = 60.0
"""Seconds that only a test that fails takes."""


class Asked:
    """An exchange with a process, and what came of it."""

    def __init__(self, child: ChildProcess) -> None:
        self.child, self.told, self.reasons = child, asyncio.Queue[Any](), asyncio.Queue[Reason]()
        self.exchange = Exchange(child, self.told.put_nowait, self.reasons.put_nowait)

    def call(self, function: str, patience: float = PATIENCE, **arguments: Any) -> bool:
        return self.exchange.ask("call", patience, function=function, arguments=arguments)

    async def answer(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            found = await self.told.get()
        return found if isinstance(found, LightenError) else found["value"]

    async def reason(self) -> LightenError:
        async with asyncio.timeout(PATIENCE):
            reason = await self.reasons.get()
        return await asyncio.to_thread(reason)


@asynccontextmanager
async def asked(**settings: Any) -> AsyncIterator[Asked]:
    child = ChildProcess(threads=1, **settings)
    child.start()
    found = Asked(child)
    try:
        yield found
    finally:
        found.exchange.leave()
        await asyncio.to_thread(child.close)


def run(body: Any) -> None:
    async def opened() -> None:
        async with asked() as found:
            await body(found)

    asyncio.run(opened())


def test_one_question_after_the_other_is_answered() -> None:
    async def body(found: Asked) -> None:
        for name in ("a.b", "c"):
            assert found.call("posixpath:splitext", p=name)
            assert await found.answer() == [name.partition(".")[0], "." * ("." in name) + name.partition(".")[2]]

    run(body)


def test_messages_larger_than_a_socket_holds_do_not_make_the_loop_wait() -> None:
    async def body(found: Asked) -> None:
        text, turns = "é" * 3_000_000, 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        assert found.call("posixpath:basename", p=text)
        assert found.exchange._unsent and turns == 0  # what is left is sent when there is room
        assert await found.answer() == text and turns > 10
        counting.cancel()

    run(body)


def test_what_is_raised_inside_is_an_answer() -> None:
    async def body(found: Asked) -> None:
        assert found.call("posixpath:basename", p=3)
        assert isinstance(await found.answer(), StepFailed)
        assert found.call("posixpath:basename", p="a/b") and await found.answer() == "b"

    run(body)


def test_what_is_told_meanwhile_is_no_answer() -> None:
    async def body(found: Asked) -> None:
        assert found.call("lighten.isolate.child:emit", event={"percent": 3}) and await found.answer() is None

    run(body)


def test_a_death_in_the_middle_has_its_reason() -> None:
    async def body(found: Asked) -> None:
        assert found.call("os:_exit", status=3)
        error = await found.reason()
        assert isinstance(error, SessionCrashed) and "exit code 3 while it was at work" in error.seen
        assert found.told.empty() and found.child.failure is error and found.child.pid == 0

    run(body)


def test_a_death_without_a_question_is_heard_of_and_nothing_can_be_asked() -> None:
    async def body(found: Asked) -> None:
        os.kill(found.child.pid, signal.SIGKILL)
        while not found.child.gone:
            pass
        assert not found.call("posixpath:basename", p="a")
        error = await found.reason()
        assert isinstance(error, SessionCrashed) and "SIGKILL" in error.seen and "nothing to do" in error.seen

    run(body)


def test_one_that_takes_too_long_is_ended() -> None:
    async def body(found: Asked) -> None:
        pid = found.child.pid
        assert found.call("lighten.testing.fake:misbehave", patience=0.2, fault="hang")
        error = await found.reason()
        assert isinstance(error, SessionTimeout) and "within 0.2 s" in error.seen
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    run(body)


def test_one_that_holds_too_much_memory_is_ended() -> None:
    async def opened() -> None:
        async with asked(memory=200_000_000) as found:
            assert found.call("lighten.testing.fake:misbehave", fault="leak")
            error = await found.reason()
            assert isinstance(error, OutOfMemory) and "more than its 200 MB" in error.seen

    asyncio.run(opened())


def test_who_has_left_hears_nothing() -> None:
    async def body(found: Asked) -> None:
        assert found.call("posixpath:basename", p="a")
        found.exchange.leave()
        found.exchange.leave()
        await asyncio.to_thread(found.child.close)
        await asyncio.sleep(0)
        assert found.told.empty() and found.reasons.empty()

    run(body)
