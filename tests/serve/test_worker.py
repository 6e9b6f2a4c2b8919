"""A worker opens, works, and begins anew when what it keeps open dies."""

from __future__ import annotations

import threading
from collections.abc import Callable

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
        self.done = threading.Event()
        super().__init__("scripted", lambda: self.states.append(self.state))

    def open(self) -> None:
        error = self.openings.pop(0) if self.openings else None
        if error is not None:
            raise error

    def turn(self) -> bool:
        if not self.turns:
            self.done.set()
            self._stopping.wait(PATIENCE)
            return False
        found = self.turns.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.0)


def lived(openings: list[LightenError | None], turns: list[Exception | bool]) -> Scripted:
    """A worker that came to the end of its script, and was stopped."""
    found = Scripted(openings, turns)
    found.start()
    assert found.done.wait(PATIENCE)
    found.stop()
    assert found.join(PATIENCE)
    return found


def test_it_opens_works_and_closes() -> None:
    found = lived([], [True, False])
    assert found.states == [State.READY, State.STOPPED] and found.closed == 1 and found.failure is None


@pytest.mark.parametrize("fault", [Died(SessionCrashed("gone")), ValueError("unforeseen")])
def test_it_begins_anew_after_a_death(fault: Exception) -> None:
    found = lived([], [True, fault, True])
    assert found.states == [State.READY, State.RESTARTING, State.READY, State.STOPPED]
    assert found.restarts == 1 and found.closed == 2 and isinstance(found.failure, SessionCrashed)


def test_what_cannot_be_opened_even_once_is_not_tried_again() -> None:
    found = Scripted([BuildFailed("no")], [])
    found.start()
    assert found.join(PATIENCE) and found.states == [State.FAILED]
    assert isinstance(found.failure, BuildFailed)


def test_what_was_open_once_is_tried_again_and_again() -> None:
    found = lived([None, SessionCrashed("1"), SessionCrashed("2")], [Died(SessionCrashed("0")), True])
    assert found.restarts == 3 and found.state is State.STOPPED
    assert found.states.count(State.READY) == 2


def test_pauses_grow_and_shrink_again_when_something_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.25)
    pauses: list[float] = []

    class Hasty(Scripted):
        def start(self) -> None:
            wait: Callable[[float | None], bool] = self._stopping.wait

            def noted(timeout: float | None = None) -> bool:
                if timeout != PATIENCE and timeout is not None:
                    pauses.append(timeout)
                    return False
                return wait(timeout)

            self._stopping.wait = noted  # type: ignore[method-assign]
            super().start()

    died = Died(SessionCrashed("gone"))
    found = Hasty([], [died, died, True, died])
    found.start()
    assert found.done.wait(PATIENCE)
    found.stop()
    assert found.join(PATIENCE) and pauses == [0.25, 0.5, 0.25]


def test_joining_what_never_began_is_allowed() -> None:
    assert Scripted([], []).join()
