"""A replica answers what waits, in a process; whatever that does, every piece hears what became of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import pytest

from lighten.core.errors import BuildFailed, LightenError
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.replica import Replica, Turn
from lighten.serve.servable import Servable
from lighten.serve.tickets import Piece, Ticket
from lighten.serve.worker import State
from lighten.testing.looping import Looping, looping

ServableOf = Callable[..., Servable]
PATIENCE = 60.0


class Bench:
    """A replica beside its queue, and all that it tells."""

    def __init__(self, source: Servable, there: Looping) -> None:
        self.queue, self.turns, self.states = WorkQueue(), list[Turn](), list[State]()
        self.there, self._news = there, threading.Condition()
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
        end = monotonic() + PATIENCE
        with self._news:
            while not true():
                assert monotonic() < end
                self._news.wait(0.05)  # not all that can become true is told

    def put(self, *texts: str) -> None:
        """A request for each text, all at once."""

        def made() -> None:
            self.queue.put([Ticket([text], 64, 1e9).pieces[0] for text in texts])
            self.replica.wake()

        self.there.call(made)

    def answers(self) -> list[str]:
        """Label or error of every piece, in the order in which they were told."""
        told = [one for turn in self.turns for one in turn.predictions]
        return [type(one).__name__ if isinstance(one, LightenError) else one[0].label for one in told]

    def by_text(self) -> dict[str, str]:
        """The same, by what was asked."""
        return dict(
            zip([str(piece.items[0]) for turn in self.turns for piece in turn.pieces], self.answers(), strict=True)
        )

    def kill(self) -> None:
        """End its process."""
        os.kill(self.replica.pid, signal.SIGKILL)


@contextmanager
def bench(source: Servable, *first: str) -> Iterator[Bench]:
    """One that is open. first: texts that wait before."""
    with looping() as there:
        found = there.call(lambda: Bench(source, there))
        if first:
            found.put(*first)
        there.call(found.replica.start)
        found.until(lambda: found.states)
        try:
            yield found
        finally:
            there.call(found.replica.stop)
            assert there.run(found.replica.ended(PATIENCE))


def test_what_waits_is_answered_together(servable_of: ServableOf) -> None:
    with bench(servable_of(), "a", "bb", "ccc") as found:
        found.until(lambda: found.turns)
        (turn,) = found.turns
        assert (len(turn.pieces), turn.inputs, found.answers()) == (3, 3, ["odd", "even", "odd"])
        assert turn.work == sum(piece.work for piece in turn.pieces) and turn.ended >= turn.began
    assert found.states == [State.READY, State.STOPPED] and found.replica.pid == 0


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


def test_a_process_that_dies_while_idle_takes_no_request_with_it(servable_of: ServableOf) -> None:
    with bench(servable_of()) as found:

        def killed() -> None:  # on the loop, which hears of it only afterwards
            found.kill()
            assert found.replica._session is not None
            while not found.replica._session.child.gone:
                pass
            found.queue.put([Ticket([text], 64, 1e9).pieces[0] for text in ("a", "bb")])
            found.replica.wake()

        found.there.call(killed)
        found.until(lambda: found.turns)
        assert found.answers() == ["odd", "even"] and found.replica.restarts == 1


def test_an_idle_replica_hears_of_the_end_of_its_process(servable_of: ServableOf) -> None:
    with bench(servable_of()) as found:
        found.kill()
        found.until(lambda: found.states == [State.READY, State.RESTARTING, State.READY])
        assert found.replica.failure is not None and "had nothing to do" in found.replica.failure.seen


def test_a_process_that_hangs_is_ended(servable_of: ServableOf) -> None:
    with bench(servable_of(fault="hang", after=1)) as found:
        found.put("a")
        found.until(lambda: found.turns)
        asking = found.replica._asking
        assert asking is not None
        asking._pace.base = 0.2
        asking._pace.learn(1, 1, 1e-6)
        found.put("b")
        found.until(lambda: found.states == [State.READY, State.RESTARTING, State.READY])
        assert found.answers() == ["odd", "SessionTimeout"]


def test_what_cannot_be_opened_fails(servable_of: ServableOf) -> None:
    with bench(servable_of(fault="refuse", at="open")) as found:
        assert found.states == [State.FAILED] and isinstance(found.replica.failure, BuildFailed)


@pytest.mark.parametrize(
    ("fault", "kind"), [("unread", "DataError"), ("nan", "BuildFailed"), ("raise", "SessionCrashed")]
)
def test_one_that_is_at_fault_costs_no_other_its_answer(servable_of: ServableOf, fault: str, kind: str) -> None:
    with bench(servable_of(fault=fault, only="x"), "a", "b", "x", "d", "e") as found:
        found.until(lambda: len(found.answers()) == 5)
        assert found.by_text() == {"a": "odd", "b": "odd", "x": kind, "d": "odd", "e": "odd"}
        assert found.replica.restarts == 0


def test_a_death_among_parts_leaves_nobody_waiting(servable_of: ServableOf, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(servable_of(fault="unread", only="x", milliseconds=50.0)) as found:
        found.until(lambda: found.replica._asking is not None)
        ask, sizes = found.replica._ask, list[int]()

        def asked(batch: Sequence[Piece]) -> None:
            ask(batch)
            sizes.append(len(batch))
            if sizes == [4, 2]:  # the whole of it cannot be read, at once; half of it is being answered
                found.kill()

        monkeypatch.setattr(found.replica, "_ask", asked)
        found.put("a", "b", "x", "d")
        found.until(lambda: len(found.answers()) == 4)
        told = found.by_text()
        assert told["x"] == "DataError" and told["d"] == "odd" and found.replica.restarts == 1
        assert {told["a"], told["b"]} == {"SessionCrashed"} and found.replica.state is State.READY
