"""A worker opens, works, and begins anew when what it keeps open dies."""

from __future__ import annotations

import asyncio

import pytest

from lighten.core.errors import BuildFailed, LightenError, SessionCrashed
from lighten.serve import worker
from lighten.serve.worker import Died, State, Worker

PATIENCE = 20.0
"""Seconds that only a test that fails takes."""


class Scripted(Worker):
    """Does what a script says, one entry for each opening and each turn; then it waits for its end."""

    def __init__(self, openings: list[LightenError | None], turns: list[Exception | bool]) -> None:
        self.states: list[State] = []
        self.openings, self.turns, self.closed = openings, turns, 0
        self.done, self.pauses = asyncio.Event(), list[float]()
        super().__init__("scripted", self._changed_state)

    def _changed_state(self) -> None:
        self.states.append(self.state)
        if self.state is State.RESTARTING:
            self.pauses.append(worker.FIRST_PAUSE * 2 ** (self._deaths - 1))

    def open(self) -> None:
        error = self.openings.pop(0) if self.openings else None
        if error is not None:
            raise error

    async def work(self) -> None:
        while self.turns:
            found = self.turns.pop(0)
            if isinstance(found, Exception):
                raise found
            if found:
                self.answered()
        self.done.set()
        await self._stop.wait()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.0)


class Held(Scripted):
    """One that cannot be closed the first time."""

    def close(self) -> None:
        super().close()
        if self.closed == 1:
            raise OSError("still held")


def lived(
    openings: list[LightenError | None], turns: list[Exception | bool], kind: type[Scripted] = Scripted
) -> Scripted:
    """A worker that came to the end of its script, and was stopped."""

    async def life() -> Scripted:
        found = kind(openings, turns)
        found.start()
        async with asyncio.timeout(PATIENCE):
            await found.done.wait()
        found.stop()
        assert await found.ended(PATIENCE)
        return found

    return asyncio.run(life())


def test_it_opens_works_and_closes() -> None:
    found = lived([], [True, False])
    assert found.states == [State.READY, State.STOPPED] and found.closed == 1 and found.failure is None


@pytest.mark.parametrize("fault", [Died(SessionCrashed("gone")), ValueError("unforeseen")])
def test_it_begins_anew_after_a_death(fault: Exception) -> None:
    found = lived([], [True, fault, True])
    assert found.states == [State.READY, State.RESTARTING, State.READY, State.STOPPED]
    assert found.restarts == 1 and found.closed == 2 and isinstance(found.failure, SessionCrashed)


def test_what_cannot_be_opened_even_once_is_not_tried_again() -> None:
    async def life() -> Scripted:
        found = Scripted([BuildFailed("no")], [])
        found.start()
        assert await found.ended(PATIENCE)
        return found

    found = asyncio.run(life())
    assert found.states == [State.FAILED] and isinstance(found.failure, BuildFailed)


def test_what_was_open_once_is_tried_again_and_again() -> None:
    found = lived([None, SessionCrashed("1"), SessionCrashed("2")], [Died(SessionCrashed("0")), True])
    assert found.restarts == 3 and found.state is State.STOPPED
    assert found.states.count(State.READY) == 2


def test_pauses_grow_and_shrink_again_when_something_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.001)
    died = Died(SessionCrashed("gone"))
    assert lived([], [died, died, True, died]).pauses == [0.001, 0.002, 0.001]


def test_a_pause_ends_when_it_is_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(worker, "LONGEST_PAUSE", 1000.0)

    async def life() -> Scripted:
        found = Scripted([], [Died(SessionCrashed("gone"))])
        found.start()
        while found.state is not State.RESTARTING:
            await asyncio.sleep(0.001)
        found.stop()
        assert await found.ended(PATIENCE)
        return found

    assert asyncio.run(life()).states == [State.READY, State.RESTARTING, State.STOPPED]


def test_waiting_for_what_never_began_is_allowed() -> None:
    assert asyncio.run(Scripted([], []).ended())


def test_what_cannot_be_closed_begins_anew_all_the_same() -> None:
    found = lived([], [True, Died(SessionCrashed("gone")), True], Held)
    assert found.states == [State.READY, State.RESTARTING, State.READY, State.STOPPED]
    assert found.closed == 2 and found.failure is not None and found.failure.seen == "gone"
