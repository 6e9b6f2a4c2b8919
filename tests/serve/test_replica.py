"""A replica answers what waits, in a process; whatever that does, every piece hears what became of it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lighten.core.errors import BuildFailed, DataError, LightenError, SessionCrashed
from lighten.core.prediction import Prediction
from lighten.serve import replica as module
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.replica import Replica, Turn
from lighten.serve.servable import Servable
from lighten.serve.tickets import Piece, Ticket
from lighten.serve.worker import State

ServableOf = Callable[..., Servable]
PATIENCE = 30.0


class Bench:
    """A replica beside its queue, and all that it tells."""

    def __init__(self, source: Servable) -> None:
        self.queue, self.turns, self.states = WorkQueue(), list[Turn](), list[State]()
        self._news = threading.Condition()
        self.replica = Replica(source, self.queue, Rate(), Limits(), threads=1, told=self._told, changed=self._changed)

    def _told(self, turn: Turn) -> None:
        with self._news:
            self.turns.append(turn)
            self._news.notify_all()

    def _changed(self) -> None:
        with self._news:
            self.states.append(self.replica.state)
            self._news.notify_all()

    def until(self, true: Callable[[], object]) -> None:
        with self._news:
            assert self._news.wait_for(true, PATIENCE)

    def put(self, *texts: str) -> None:
        """A request for each text, all at once."""

        async def made() -> list[Piece]:
            return [Ticket([text], 64, 1e9).pieces[0] for text in texts]

        self.queue.put(asyncio.run(made()))

    def answers(self) -> list[str]:
        """Label or error of every piece, in the order in which they were told."""
        told = [one for turn in self.turns for one in turn.predictions]
        return [type(one).__name__ if isinstance(one, LightenError) else one[0].label for one in told]


@contextmanager
def bench(source: Servable) -> Iterator[Bench]:
    found = Bench(source)
    found.replica.start()
    try:
        yield found
    finally:
        found.replica.stop()
        found.queue.close()
        assert found.replica.join(PATIENCE)


def test_what_waits_is_answered_together(servable_of: ServableOf) -> None:
    found = Bench(servable_of())
    found.put("a", "bb", "ccc")
    found.replica.start()
    found.until(lambda: found.turns)
    (turn,) = found.turns
    assert (len(turn.pieces), turn.inputs, found.answers()) == (3, 3, ["odd", "even", "odd"])
    assert turn.work == sum(piece.work for piece in turn.pieces) and turn.ended >= turn.began
    found.replica.stop()
    found.queue.close()
    assert found.replica.join(PATIENCE) and found.states == [State.READY, State.STOPPED]


@pytest.mark.parametrize("fault", ["segv", "exit"])
def test_a_death_is_told_and_the_next_request_is_answered(servable_of: ServableOf, fault: str) -> None:
    with bench(servable_of(fault=fault, after=1)) as found:
        for text in ("a", "b"):
            found.put(text)
            found.until(lambda: len(found.turns) >= 1)
            if text == "a":
                found.until(lambda: found.answers() == ["odd"])
        found.until(lambda: found.answers() == ["odd", "SessionCrashed"])
        found.until(lambda: found.states[-1] is State.READY and len(found.states) == 3)
        found.put("ccc")  # the new process answers one request well
        found.until(lambda: found.answers()[-1] == "odd")
        assert found.replica.restarts == 1


@pytest.mark.parametrize(("fault", "kind"), [("raise", "SessionCrashed"), ("nan", "BuildFailed")])
def test_an_error_in_a_process_that_lives_on_costs_its_requests_only(
    servable_of: ServableOf, fault: str, kind: str
) -> None:
    with bench(servable_of(fault=fault, after=1)) as found:
        found.put("a")
        found.until(lambda: found.answers() == ["odd"])
        found.put("b")
        found.until(lambda: found.answers() == ["odd", kind])
        assert found.replica.restarts == 0 and found.replica.state is State.READY


def test_a_process_that_dies_while_idle_takes_no_request_with_it(
    servable_of: ServableOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", PATIENCE)  # it does not look by itself
    with bench(servable_of()) as found:
        found.until(lambda: found.states)
        assert found.replica._session is not None
        os.kill(found.replica._session.child.pid, signal.SIGKILL)
        while not found.replica._session.child.gone:
            pass
        found.put("a", "bb")
        found.until(lambda: found.turns)
        assert found.answers() == ["odd", "even"] and found.replica.restarts == 1


def test_an_idle_replica_looks_after_its_process(servable_of: ServableOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    with bench(servable_of()) as found:
        found.until(lambda: found.states)
        assert found.replica._session is not None
        os.kill(found.replica._session.child.pid, signal.SIGKILL)
        found.until(lambda: found.states == [State.READY, State.RESTARTING, State.READY])


def test_what_cannot_be_opened_fails(servable_of: ServableOf) -> None:
    with bench(servable_of(fault="refuse", at="open")) as found:
        found.until(lambda: found.states)
        assert found.states == [State.FAILED] and isinstance(found.replica.failure, BuildFailed)


class Picky:
    """A session that cannot read texts that hold an x, and dies of such as hold a y."""

    class child:
        gone = False
        failure = None

    def predict(self, inputs: list[str], labels: object) -> list[Prediction]:
        if any("y" in text for text in inputs):
            self.child.gone = True
            raise SessionCrashed("dead")
        if any("x" in text for text in inputs):
            raise DataError("an x")
        return [Prediction("good") for _ in inputs]

    def close(self) -> None:
        self.child.gone = False


def test_one_that_cannot_be_read_costs_no_other_its_answer(servable_of: ServableOf) -> None:
    found = Bench(servable_of())
    found.replica._session = Picky()  # type: ignore[assignment]
    found.put("a", "b", "x", "d", "e")
    assert found.replica.turn()
    told = {piece.items[0]: one for t in found.turns for piece, one in zip(t.pieces, t.predictions, strict=True)}
    assert isinstance(told.pop("x"), DataError) and set(told) == {"a", "b", "d", "e"}
    assert not any(isinstance(one, LightenError) for one in told.values())


def test_a_fault_of_one_input_in_a_process_that_lives_on_costs_no_other_its_answer(servable_of: ServableOf) -> None:
    found = Bench(servable_of())
    session = Picky()
    found.replica._session = session  # type: ignore[assignment]

    def predict(inputs: list[str], labels: object) -> list[Prediction]:
        if "x" in inputs:
            raise BuildFailed("NaN")
        return [Prediction("good") for _ in inputs]

    session.predict = predict  # type: ignore[method-assign]
    found.put("a", "x", "b", "c")
    assert found.replica.turn()
    assert sorted(found.answers()) == ["BuildFailed", "good", "good", "good"]


def test_a_death_among_halves_leaves_nobody_waiting(servable_of: ServableOf) -> None:
    found = Bench(servable_of())
    found.replica._session = Picky()  # type: ignore[assignment]
    found.put("x", "a", "b", "c")
    session = found.replica._session
    calls = iter([DataError("an x"), SessionCrashed("dead")])

    def predict(inputs: list[str], labels: object) -> list[Prediction]:
        error = next(calls)
        session.child.gone = isinstance(error, SessionCrashed)
        raise error

    session.predict = predict  # type: ignore[assignment,union-attr]
    with pytest.raises(module.Died):
        found.replica.turn()
    assert found.answers() == ["SessionCrashed"] * 2 and len(found.queue) == 2
