"""Replica: one process of a model, asked batch after batch by the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic

from lighten.core.errors import (
    CandidateFailed,
    InputError,
    LightenError,
    MissingEnvironment,
    MissingExtra,
    ModelError,
    UnsafeFile,
)
from lighten.core.prediction import Prediction
from lighten.isolate.exchange import Reason
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.servable import Servable
from lighten.serve.tickets import Piece
from lighten.serve.worker import Died, Worker
from lighten.sessions.asking import Asking
from lighten.sessions.process import SessionProcess

OWN_FAULTS = (MissingExtra, MissingEnvironment, ModelError, UnsafeFile)
"""Errors that say nothing of an input, though their class is that of what a user gave."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a batch.

    Attributes:
        pieces: of it. predictions: of each piece, or why it has none. began, ended: by ``time.monotonic``.
        warm: whether its process had answered before; the first time makes what the others find.
        work, inputs: of all pieces.
    """

    pieces: Sequence[Piece]
    predictions: Sequence[Sequence[Prediction] | LightenError]
    began: float
    ended: float
    warm: bool = True

    @property
    def work(self) -> int:
        """Of all pieces."""
        return sum(piece.work for piece in self.pieces)

    @property
    def inputs(self) -> int:
        """Of all pieces."""
        return sum(len(piece.items) for piece in self.pieces)


def parts_of(batch: Sequence[Piece], error: LightenError) -> tuple[Sequence[Piece], ...]:
    """Parts of a batch that failed, to be asked by themselves: one input may be at fault, and the others have nothing
    to do with it. None where that is no use."""
    if len(batch) < 2 or isinstance(error, OWN_FAULTS) or not isinstance(error, InputError | CandidateFailed):
        return ()
    half = len(batch) // 2
    return batch[:half], batch[half:]


def turn_of(
    batch: Sequence[Piece], found: Sequence[Prediction] | LightenError, began: float, warm: bool = True
) -> Turn:
    """What became of a batch that is over now.

    Args:
        found: predictions of all its inputs, in order, or why there are none. began: by ``time.monotonic``.
        warm: see :class:`Turn`.
    """
    answers: list[Sequence[Prediction] | LightenError] = []
    at = 0
    for piece in batch:
        answers.append(found if isinstance(found, LightenError) else found[at : at + len(piece.items)])
        at += len(piece.items)
    return Turn(batch, answers, began, monotonic(), warm)


class Replica(Worker):
    """Takes what waits as soon as it has nothing to do: no request waits for others that may come.

    Args:
        queue: shared by the replicas of a model. rate: of the model, learned elsewhere.
        threads: cores that it may use. like: how much alike in size the inputs of a batch are (see ``queue.joined``).
        told: called with every turn. changed: see :class:`Worker`.

    Attributes:
        running: work of the batch that is being answered, and when it began; None between batches.
        load_seconds: that the last opening took. version: of the engine; empty until it is open.
    """

    def __init__(
        self,
        model: Servable,
        queue: WorkQueue,
        rate: Rate,
        limits: Limits,
        *,
        threads: int,
        like: float = inf,
        told: Callable[[Turn], object],
        changed: Callable[[], object],
    ) -> None:
        super().__init__(f"serve-{model.name}", changed)
        self.running: tuple[int, float] | None = None
        self.load_seconds, self.version = 0.0, ""
        self._model, self._queue, self._rate, self._limits = model, queue, rate, limits
        self._threads, self._like, self._told = threads, like, told
        self._session: SessionProcess | None = None
        self._asking: Asking | None = None
        self._over: asyncio.Future[Reason | None] | None = None
        self._batch: Sequence[Piece] = ()
        self._parts: list[Sequence[Piece]] = []
        self._last, self._warm = 0, False
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int:
        """Of its process; 0 where there is none."""
        session = self._session
        return session.child.pid if session is not None else 0

    def open(self) -> None:
        """See :meth:`Worker.open`: start the process and open the artifact, whose files it verifies."""
        began = monotonic()
        made = self._session = self._model.process(self._threads, self._limits.hang)
        made.__enter__()  # others can end it in the middle of this
        self.load_seconds, self.version = monotonic() - began, made.version

    async def work(self) -> None:
        """See :meth:`Worker.work`. A process that dies while it has nothing to do takes no request with it."""
        assert self._session is not None
        self._over, self._last, self._warm = asyncio.get_running_loop().create_future(), 0, False
        asking = self._asking = Asking(self._session, self._model.labels, self._hear, self._lose)
        self.wake()
        try:
            reason = await self._over
        finally:
            self._asking = None
            asking.leave()
        if reason is None:
            return
        error = await self.in_thread(reason)
        self.lost(error)
        self._queue.put_back([piece for part in reversed(self._parts) for piece in part])
        batch, running = self._batch, self.running
        self._batch, self._parts, self.running = (), [], None
        if running is not None:
            self._told(turn_of(batch, error, running[1]))
        raise Died(error)

    def wake(self) -> None:
        """Something waits, or it is to end: begin with that, unless there is something in hand."""
        if self._asking is None or self.running is not None:
            return
        if self._waiting is not None:
            if len(self._queue) < self._last and not self.stopping:
                return
            self._waiting.cancel()
        self._begin()

    def stop(self) -> None:
        """See :meth:`Worker.stop`."""
        super().stop()
        self.wake()

    def close(self) -> None:
        """See :meth:`Worker.close`."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def abort(self) -> None:
        """End the process in the middle of its work; may be called by any thread."""
        session = self._session
        if session is not None:
            session.child.kill()

    def _begin(self) -> None:
        """Ask what waits, or end where it is to end."""
        self._waiting = None
        if self.stopping:
            self._finish(None)
        elif batch := self._queue.take(
            self._limits.batch, self._rate.work(self._limits.batch_seconds), like=self._like
        ):
            self._last = len(batch)
            self._ask(batch)

    def _ask(self, batch: Sequence[Piece]) -> None:
        if self._asking is None:
            self._queue.put_back(batch)
            return
        self._batch, self.running = batch, (sum(piece.work for piece in batch), monotonic())
        if not self._asking.ask([item for piece in batch for item in piece.items]):
            self._batch, self.running = (), None
            self._queue.put_back(batch)  # the process has gone, and did not begin with it

    def _hear(self, found: list[Prediction] | LightenError) -> None:
        """A batch has come back. The next one is on its way before this one's answers are."""
        assert self.running is not None
        batch, (_, began) = self._batch, self.running
        self._batch, self.running = (), None
        warm, self._warm = self._warm, True
        parts = parts_of(batch, found) if isinstance(found, LightenError) else ()
        self._parts += reversed(parts)
        if not isinstance(found, LightenError):
            self.answered()
        if self._parts:
            self._ask(self._parts.pop())
        elif self._last > 1 and len(self._queue) < self._last // 2 and not self.stopping:
            # Under load, those who are answered now ask again within a moment; nobody is waited for otherwise.
            self._waiting = asyncio.get_running_loop().call_later(self._limits.wait, self._begin)
        else:
            self._begin()
        if not parts:
            self._told(turn_of(batch, found, began, warm))

    def _lose(self, reason: Reason) -> None:
        """Its process has ended, or has to be."""
        self._asking = None
        self._finish(reason)

    def _finish(self, reason: Reason | None) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)
