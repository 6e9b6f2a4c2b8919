"""A model as it is served: its replicas, what waits for them, and the way of a request from arrival to answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from time import monotonic
from typing import Any, Protocol

from lighten.core.errors import InputError, LightenError
from lighten.core.item import Item
from lighten.core.language import Prompt
from lighten.core.prediction import Prediction
from lighten.isolate.machine import resident_bytes
from lighten.serve.admission import Load, refused
from lighten.serve.chain import Chain
from lighten.serve.intake import intake_of, unusable_in
from lighten.serve.limits import Limits
from lighten.serve.metrics import Counts, Gauges
from lighten.serve.presence import Presence
from lighten.serve.queue import LIKE, WorkQueue
from lighten.serve.rate import EACH, Rate, waiting_time, work_of
from lighten.serve.refusals import ClientGone, Refusal, expired, failed, unavailable
from lighten.serve.replica import OWN_FAULTS, Replica, Turn
from lighten.serve.servable import Servable, processes_on
from lighten.serve.tickets import Ticket
from lighten.serve.worker import State

log = logging.getLogger("lighten.serve")
AGAIN_SECONDS = 0.2
"""After which a replica that was to end, and has not, is ended once more."""
BEST_FIRST = (State.READY, State.LOADING, State.RESTARTING, State.FAILED, State.STOPPED)


Again = Callable[[Any], Awaitable[Sequence[Prompt]]]
"""``await again(model)``: prompts of another model that writes, for what a client sent."""


class Observer(Protocol):
    """Who hears of answers once a client has them, or is about to. Called on the event loop; raises nothing."""

    def predicted(self, model: ServedModel, values: Sequence[Any], predictions: Sequence[Prediction]) -> None:
        """What a model said of what a client sent, in order."""

    def wrote(self, model: ServedModel, values: Sequence[Any], texts: Sequence[str], again: Again) -> None:
        """How a model went on with what a client sent, by its most likely tokens; and how another one is asked that."""


class ServedModel:
    """One version of a model. Lives on the event loop.

    Args:
        replicas: processes of it. threads: cores that each may use.

    Attributes:
        queue, rate, counts: what waits, how fast it is answered, what became of it.
        open: requests that are on their way. writes: whether it continues texts.
        observer: hears of its answers; None for nobody. guards: look at inputs and answers; None where none do.
    """

    writes = False

    @staticmethod
    def replicas_on(cores: int) -> int:
        """How many processes a model has on so many cores where its user says nothing."""
        return processes_on(cores)

    def __init__(self, source: Servable, limits: Limits, *, replicas: int = 1, threads: int = 1) -> None:
        self.source, self.limits = source, limits
        self.queue, self.rate, self.counts = WorkQueue(), Rate(), Counts()
        self.intake = intake_of(source, limits)
        self.open = 0
        self.observer: Observer | None = None
        self.guards: Chain | None = None
        self.replicas = tuple(self._replica(threads) for _ in range(replicas))
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"read-{source.name}")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled = asyncio.Event()

    def _replica(self, threads: int) -> Replica:
        """One of those that answer."""
        return Replica(
            self.source,
            self.queue,
            self.rate,
            self.limits,
            threads=threads,
            like=LIKE if self.intake.pads else inf,
            told=self._heard,
            changed=self._settle,
        )

    @property
    def name(self) -> str:
        """By which it is asked."""
        return self.source.name

    @property
    def version(self) -> str:
        """By which it is told from others of its name."""
        return self.source.version

    @property
    def engine(self) -> str:
        """The engine that runs it, with its version; empty until it is open."""
        return next((replica.version for replica in self.replicas if replica.version), "")

    @property
    def state(self) -> State:
        """Of the replica that is best off."""
        states = {replica.state for replica in self.replicas}
        return next(state for state in BEST_FIRST if state in states)

    @property
    def ready(self) -> bool:
        """Whether any replica answers."""
        return any(replica.state is State.READY for replica in self.replicas)

    @property
    def talks(self) -> bool:
        """Whether it has a chat template."""
        return False

    @property
    def context(self) -> int:
        """Most tokens of a prompt and its answer; 0 where it does not write, and until it is open."""
        return 0

    def gauges(self) -> Gauges:
        """How it stands with it now."""
        states = Counter(str(replica.state) for replica in self.replicas)
        running = sum(replica.running is not None for replica in self.replicas)
        restarts = sum(replica.restarts for replica in self.replicas)
        seconds = max(replica.load_seconds for replica in self.replicas)
        return Gauges(len(self.queue), self.queue.work, running, states, restarts, open=self.open, load=seconds)

    @property
    def memory(self) -> int:
        """Bytes that its processes hold now; what they share counts for each."""
        return sum(resident_bytes(replica.pid) for replica in self.replicas if replica.pid)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While a request is on its way that takes several steps: the model is not closed in between."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def start(self) -> None:
        """Begin to open it; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        for replica in self.replicas:
            replica.start()

    async def loaded(self) -> None:
        """Wait until every replica is open.

        Raises:
            LightenError: why one of them cannot be opened.
        """
        await self._settled.wait()
        for replica in self.replicas:
            if replica.state is State.FAILED and replica.failure is not None:
                raise replica.failure

    async def predict(self, values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        """What the model says of what a client sent, in order.

        Args:
            deadline: seconds from now. presence: of the client.

        Raises:
            Refusal: why there is no answer. ClientGone: nobody waits for one.
        """
        self.open += 1
        began = monotonic()
        if presence.record is not None:
            presence.record.asks(self.name, self.version, len(values))
        try:
            asked = self._predicted if self.guards is None else self._guarded
            found = await asked(values, deadline, presence)
        except (ClientGone, asyncio.CancelledError):
            self.counts.cancelled += 1
            raise
        except Refusal as refusal:
            if refusal.code == "failed":
                self.counts.failed += 1
            else:
                self.counts.refused[refusal.code] += 1
            refusal.counted = True
            raise
        finally:
            self.open -= 1
        took = monotonic() - began
        self.counts.answered += 1
        self.counts.inputs += len(found)
        self.counts.request += took
        self.counts.latency.add(took)
        if self.observer is not None:
            self.observer.predicted(self, values, found)
        return found

    async def _guarded(self, values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        """Ask it past its guards. What is too much, or would have to wait too long, costs them nothing."""
        assert self.guards is not None
        self._admit(EACH * len(values), deadline)
        if self.intake.quick(values):
            self.intake.forget(self.intake.items(values))
        return await self.guards.answered(self._predicted, self._idle, values, deadline, presence)

    def _idle(self) -> bool:
        """Whether nothing waits."""
        return len(self.queue) == 0

    async def _predicted(self, values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        intake = self.intake
        if intake.quick(values):
            items = intake.items(values)
        else:
            self._admit(EACH * len(values), deadline)  # at least so much it will be, known before any work
            items = await self._read(values)
        try:
            self._admit(work_of(items), deadline)
            ticket = self._ticket(items)
        except BaseException:
            intake.forget(items)
            raise
        assert self._loop is not None
        timer = self._loop.call_later(deadline, self._give_up, ticket, expired(deadline))
        presence.on_leave(lambda: self._give_up(ticket, ClientGone()))
        try:
            return await ticket.answer
        finally:
            timer.cancel()
            presence.on_leave(None)
            if presence.record is not None:
                ticket.note(presence.record)
            if not ticket.over or ticket.answer.cancelled():
                self._give_up(ticket, ClientGone())

    async def _read(self, values: Sequence[Any]) -> list[Item]:
        assert self._loop is not None
        return await self._loop.run_in_executor(self._reading, self.intake.items, values)

    def _ticket(self, items: list[Item]) -> Ticket:
        """Have items wait, cut into pieces that do not hold up others."""
        limits = self.limits
        most = self.rate.work(limits.batch_seconds)
        ticket = Ticket(items, limits.batch, most, freed=lambda: self.intake.forget(items))
        self.queue.put(ticket.pieces)
        self._wake()
        return ticket

    def _wake(self) -> None:
        """Something waits: whoever has nothing to do begins with it, always in the same order."""
        for replica in self.replicas:
            if not len(self.queue):
                return
            replica.wake()

    def load(self) -> Load:
        """How busy it is."""
        now = monotonic()
        running = [(one[0], now - one[1]) for replica in self.replicas if (one := replica.running) is not None]
        able = sum(replica.state is State.READY for replica in self.replicas)
        seconds = waiting_time(self.rate, self.queue.work, running, able)
        return Load(self.queue.work, self.queue.inputs, seconds, able)

    def _admit(self, work: int, deadline: float) -> None:
        """Raises Refusal where a request of so much work may not wait."""
        if not self.ready:
            raise self._unavailable()
        refusal = refused(self.load(), work, deadline, self.rate, self.limits)
        if refusal is not None:
            raise refusal

    def _unavailable(self) -> Refusal:
        now = monotonic()
        resumes = min((r.resumes for r in self.replicas if r.state is State.RESTARTING), default=now)
        return unavailable(f"The model {self.name!r} is {self.state}.", max(1.0, resumes - now), code=str(self.state))

    def _give_up(self, ticket: Ticket, error: Exception) -> None:
        """Nobody waits for a request any more: what of it has not begun gives its place away."""
        ticket.fail(error)
        for piece in ticket.pieces:
            if self.queue.drop(piece):
                ticket.dropped(piece)

    def _heard(self, turn: Turn) -> None:
        """A batch has come back."""
        seconds = turn.ended - turn.began
        counts = self.counts
        counts.batches += 1
        counts.compute += seconds
        counts.batch.add(turn.inputs)
        if not any(isinstance(one, LightenError) for one in turn.predictions):
            self.rate.learn(turn.work, seconds, cold=not turn.warm)
        for piece, found in zip(turn.pieces, turn.predictions, strict=True):
            ticket = piece.ticket
            if not ticket.began:
                ticket.began = turn.began
                counts.queue += turn.began - ticket.since
                counts.wait.add(turn.began - ticket.since)
            ticket.ended = turn.ended
            if isinstance(found, LightenError):
                ticket.dropped(piece)
                self._give_up(ticket, self._refusal_of(found))
            else:
                ticket.answered(piece, found)

    def _refusal_of(self, error: LightenError) -> Refusal:
        if isinstance(error, InputError) and not isinstance(error, OWN_FAULTS):
            return unusable_in(error)
        log.error("model %s version %s: %s", self.name, self.version, error.seen)
        return failed(error)

    def _settle(self) -> None:
        """A replica has changed its state."""
        states = [replica.state for replica in self.replicas]
        for replica in self.replicas:
            if replica.state is State.RESTARTING and replica.failure is not None:
                log.warning("model %s version %s restarts: %s", self.name, self.version, replica.failure.seen)
        if State.LOADING not in states or State.FAILED in states:
            self._settled.set()
        if all(state in (State.FAILED, State.STOPPED) for state in states):
            self._empty()
        self._wake()  # what a process that died has left is for the others

    def _empty(self) -> None:
        """Nothing that waits will be answered."""
        for piece in self.queue.clear():
            piece.ticket.dropped(piece, self._unavailable())

    async def stop(self, seconds: float) -> None:
        """End its replicas; what still waits is refused.

        Args:
            seconds: after which they are ended in the middle of a batch.
        """
        if self.guards is not None:
            await self.guards.stop()
        for replica in self.replicas:
            replica.stop()
        self.queue.close()
        self._empty()
        loop, until = asyncio.get_running_loop(), monotonic() + seconds
        for replica in self.replicas:
            left = max(0.0, until - monotonic())
            while not await replica.ended(left):
                replica.abort()  # again and again: a process that is being started cannot be ended yet
                left = AGAIN_SECONDS
        self._empty()  # what came back from a process that died meanwhile
        self._reading.shutdown(wait=True, cancel_futures=True)
        self.intake.close()
        await loop.run_in_executor(None, self.source.discard)
