"""A writer hands over who comes and takes back who goes, and whatever happens everybody hears of it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from time import monotonic
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, LightenError, SessionCrashed, SessionTimeout
from lighten.core.language import Prompt, Written
from lighten.serve import writer as module
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.servable import Servable
from lighten.serve.streams import Answers, Errand, Stream, StreamQueue
from lighten.serve.tickets import Ticket
from lighten.serve.worker import State
from lighten.serve.writer import Step, Writer
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.looping import looping
from lighten.testing.require import require

PATIENCE = 120.0
"""Seconds after which something that is waited for will not come."""


class Clock:
    """A clock that the test turns: ``ahead`` is added to what it is.

    The limit of a process that hangs cannot be made short instead: whatever opens the next process has it, too.
    """

    ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of writers, which look at it often."""
    found = Clock()
    monkeypatch.setattr(module, "monotonic", found)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    return found


class Bench:
    """A writer beside its queues, and all that it tells."""

    def __init__(self, source: Servable, limits: Limits | None = None) -> None:
        self.queue, self.streams = WorkQueue(), StreamQueue()
        self.steps, self.turns, self.states = list[Step](), list[Any](), list[State]()
        self._news = threading.Condition()
        self.writer = Writer(
            source, self.queue, Rate(), limits or Limits(), threads=1, streams=self.streams,
            heard=lambda step: self._told(self.steps, step), told=lambda turn: self._told(self.turns, turn),
            changed=lambda: self._told(self.states, self.writer.state),
        )  # fmt: skip

    def _told(self, held: list[Any], one: Any) -> None:
        with self._news:
            held.append(one)
            self._news.notify_all()

    def until(self, true: Callable[[], object]) -> None:
        end = monotonic() + PATIENCE
        with self._news:
            while not true():  # some of it is told to nobody
                assert monotonic() < end
                self._news.wait(0.05)

    def put(self, *most: int) -> tuple[Stream, ...]:
        """A stream for each number of tokens."""

        async def made() -> tuple[Stream, ...]:
            return Answers([Prompt((97,), one) for one in most], lambda _: None).streams

        streams = asyncio.run(made())
        self.streams.put(streams)
        return streams

    def news(self, stream: Stream) -> list[Written | LightenError]:
        return [one for step in tuple(self.steps) for of, one in step.news if of is stream]

    def said(self, stream: Stream) -> str:
        return "".join(one.text for one in self.news(stream) if isinstance(one, Written))

    def over(self, *streams: Stream) -> bool:
        last = [self.news(stream)[-1:] for stream in streams]
        return all(one and (isinstance(one[0], LightenError) or one[0].ended) for one in last)


@pytest.fixture
def bench(scribe: type, artifact: Artifact) -> Callable[..., Any]:
    @contextmanager
    def opened(limits: Limits | None = None, **settings: Any) -> Iterator[Bench]:
        with looping() as there:
            found = Bench(Servable("m", "1", artifact, scribe(**settings), TextGeneration()), limits)
            there.call(found.writer.start)
            found.until(lambda: found.states)
            try:
                yield found
            finally:
                there.call(found.writer.stop)
                assert there.run(found.writer.ended(PATIENCE))
                found.writer.hang_up()

    return opened


def test_streams_join_while_others_run(bench: Callable[..., Any]) -> None:
    with bench(milliseconds=2.0) as found:
        (long,) = found.put(200)
        found.until(lambda: len(found.news(long)) >= 3)
        short, other = found.put(3, 5)
        found.until(lambda: found.over(short, other))
        assert not found.over(long) and found.said(short) == "bcd" and found.said(other) == "bcdef"
        found.until(lambda: found.over(long))
        assert len(found.said(long)) < 200 and long.made == 200  # é is two tokens
        assert sum(step.work for step in found.steps) == 3 + 208 and found.writer.left == 0


def test_no_more_run_than_there_are_streams(bench: Callable[..., Any]) -> None:
    with bench(streams=2, milliseconds=1.0) as found:
        streams = found.put(20, 20, 20, 20)
        found.until(lambda: found.over(*streams))
        assert all(one.made == 20 for one in streams)
        assert max(len({id(stream) for stream, _ in step.news}) for step in found.steps) <= 4


def test_who_goes_away_gives_the_place_away_within_a_step(bench: Callable[..., Any]) -> None:
    with bench(streams=1, milliseconds=5.0) as found:
        first, second = found.put(4000, 3)
        found.until(lambda: len(found.news(first)) >= 2)
        found.streams.drop(first)
        found.until(lambda: found.over(second))  # the only place was taken by the first one
        assert first.made < 4000 and not found.writer.written


def test_errands_are_done_beside_what_runs(bench: Callable[..., Any]) -> None:
    with bench(milliseconds=2.0) as found:
        (long,) = found.put(500)

        async def made(asked: Any) -> Errand:
            return Errand(asked, asyncio.get_running_loop().create_future(), False, False)

        errands = [asyncio.run(made(asked)) for asked in ("ab", (97, 98), ("x",))]
        for errand in errands:
            found.streams.ask(errand)
        found.until(lambda: sum(len(step.done) for step in found.steps) == 3)
        done = {id(errand): value for step in found.steps for errand, value in step.done}
        assert done[id(errands[0])] == (97, 98) and done[id(errands[1])] == "ab"
        assert isinstance(done[id(errands[2])], LightenError)
        found.streams.drop(long)


def test_a_death_is_told_to_all_and_the_next_is_written(bench: Callable[..., Any]) -> None:
    with bench(milliseconds=2.0) as found:
        streams = found.put(4000, 4000)
        found.until(lambda: all(map(found.news, streams)))
        assert found.writer._session is not None
        os.kill(found.writer._session.child.pid, signal.SIGKILL)
        found.until(lambda: found.over(*streams))
        assert all(isinstance(found.news(stream)[-1], SessionCrashed) for stream in streams)
        found.until(lambda: found.states == [State.READY, State.RESTARTING, State.READY])
        (after,) = found.put(2)
        found.until(lambda: found.over(after))
        assert found.said(after) == "bc"


def test_a_death_while_idle_takes_no_stream_with_it(bench: Callable[..., Any]) -> None:
    with bench() as found:
        assert found.writer._session is not None
        os.kill(found.writer._session.child.pid, signal.SIGKILL)
        found.until(lambda: found.states == [State.READY, State.RESTARTING, State.READY])
        (after,) = found.put(2)
        found.until(lambda: found.over(after))
        assert found.said(after) == "bc" and found.writer.restarts == 1


def test_a_step_that_fails_costs_its_streams_only(bench: Callable[..., Any]) -> None:
    with bench(fault="raise", after=4) as found:
        (first,) = found.put(50)
        found.until(lambda: found.over(first))
        assert isinstance(found.news(first)[-1], SessionCrashed) and found.said(first) == "bcde"
        assert found.writer.restarts == 0 and found.writer.state is State.READY


def test_a_process_that_hangs_is_ended(bench: Callable[..., Any], clock: Clock) -> None:
    with bench(fault="hang", after=3) as found:
        (first,) = found.put(50)
        found.until(lambda: len(found.news(first)) == 3)  # it hangs from now on
        clock.ahead = Limits().hang
        found.until(lambda: found.over(first))
        assert isinstance(found.news(first)[-1], SessionTimeout)
        found.until(lambda: found.states[-1] is State.READY and len(found.states) == 3)


def test_a_process_that_hangs_while_errands_alone_wait_is_ended(bench: Callable[..., Any], clock: Clock) -> None:
    with bench(fault="hang", after=3) as found:
        (first,) = found.put(50)
        found.until(lambda: len(found.news(first)) == 3)  # it hangs from now on
        found.streams.drop(first)

        async def made() -> Errand:
            return Errand("ab", asyncio.get_running_loop().create_future(), False, False)

        errand = asyncio.run(made())
        found.streams.ask(errand)
        found.until(lambda: found.writer._errands and not found.writer.written)
        clock.ahead = Limits().hang
        found.until(lambda: any(step.done for step in found.steps))
        ((of, error),) = (one for step in found.steps for one in step.done)
        assert of is errand and isinstance(error, SessionTimeout)
        found.until(lambda: found.states[-1] is State.READY and len(found.states) == 3)


def test_what_is_asked_through_the_task_is_answered_between_streams(bench: Callable[..., Any]) -> None:
    with bench(milliseconds=1.0) as found:
        (first,) = found.put(30)
        found.until(lambda: found.news(first))

        async def made() -> Ticket:
            return Ticket(["abcabc"], 64, 1e9)

        found.queue.put(asyncio.run(made()).pieces)
        second, third = found.put(30, 30)  # they wait for it
        found.until(lambda: found.turns)
        assert found.over(first) and not found.news(second) and found.turns[0].predictions[0][0].measures
        found.until(lambda: found.over(second, third))


def test_an_answer_that_keeps_no_schema_fails_alone(bench: Callable[..., Any]) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    nothing = '{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}'
    with bench(milliseconds=1.0) as found:
        (long,) = found.put(30)

        async def made() -> tuple[Stream, ...]:
            return Answers([Prompt((97,), 5, schema=nothing)], lambda _: None).streams

        broken = asyncio.run(made())
        found.streams.put(broken)
        found.until(lambda: found.over(*broken, long))
        assert isinstance(found.news(broken[0])[-1], BuildFailed) and long.made == 30 and found.writer.restarts == 0


def test_stopping_tells_who_is_still_written_for(bench: Callable[..., Any]) -> None:
    with bench(milliseconds=2.0) as found:
        (first,) = found.put(4000)
        found.until(lambda: found.news(first))
    assert isinstance(found.news(first)[-1], SessionCrashed)
