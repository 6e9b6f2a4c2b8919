"""Replica: one process of a model, asked batch after batch by a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic, sleep

from lighten.core.errors import (
    CandidateFailed,
    InputError,
    LightenError,
    MissingEnvironment,
    MissingExtra,
    ModelError,
    SessionCrashed,
    UnsafeFile,
)
from lighten.core.prediction import Prediction
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.servable import Servable
from lighten.serve.tickets import Piece
from lighten.serve.worker import Died, Worker
from lighten.sessions.process import SessionProcess

IDLE_SECONDS = 0.5
"""How often an idle replica looks whether its process still lives."""
OWN_FAULTS = (MissingExtra, MissingEnvironment, ModelError, UnsafeFile)
"""Errors that say nothing of an input, though their class is that of what a user gave."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a batch.

    Attributes:
        pieces: of it. predictions: of each piece, or why it has none. began, ended: by ``time.monotonic``.
        work, inputs: of all pieces.
    """

    pieces: Sequence[Piece]
    predictions: Sequence[Sequence[Prediction] | LightenError]
    began: float
    ended: float

    @property
    def work(self) -> int:
        """Of all pieces."""
        return sum(piece.work for piece in self.pieces)

    @property
    def inputs(self) -> int:
        """Of all pieces."""
        return sum(len(piece.items) for piece in self.pieces)


class Replica(Worker):
    """Takes what waits as soon as it has nothing to do: no request waits for others that may come.

    Args:
        queue: shared by the replicas of a model. rate: of the model, learned elsewhere.
        threads: cores that it may use. like: how much alike in size the inputs of a batch are (see ``queue.joined``).
        told: called by the thread with every turn. changed: see :class:`Worker`.

    Attributes:
        running: work of the batch that is being answered, and when it began; None between batches.
        load_seconds: that the last opening took.
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
        self.load_seconds = 0.0
        self._model, self._queue, self._rate, self._limits = model, queue, rate, limits
        self._threads, self._like, self._told = threads, like, told
        self._session: SessionProcess | None = None
        self._last, self._ended = 0, 0.0

    @property
    def pid(self) -> int:
        """Of its process; 0 where there is none."""
        session = self._session
        return session.child.pid if session is not None else 0

    def open(self) -> None:
        """See :meth:`Worker.open`: start the process and open the artifact, whose files it verifies."""
        model, began = self._model, monotonic()
        made = SessionProcess(
            model.artifact,
            model.engine,
            threads=self._threads,
            task=model.task,
            deadline=self._limits.hang,
            patient=False,  # who serves has the cores: threads that wait busily write 4 to 7 % more tokens
        )
        self._session = made  # from now on it can be ended by others, in the middle of loading
        made.__enter__()
        self.load_seconds = monotonic() - began

    def turn(self) -> bool:
        """See :meth:`Worker.turn`. A process that died while it was idle takes no request with it."""
        assert self._session is not None
        self._let_others_come()
        limits = self._limits
        work = self._rate.work(limits.batch_seconds)
        batch = self._queue.take(limits.batch, work, IDLE_SECONDS, like=self._like)
        if self._session.child.gone:
            self._queue.put_back(batch)
            raise Died(self._session.child.failure or SessionCrashed("The process ended while it was idle."))
        if not batch:
            return False
        self._last = len(batch)
        return self._answer(batch)

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

    def _let_others_come(self) -> None:
        """Under load, those who were just answered ask again within a moment; nobody is waited for otherwise."""
        limits = self._limits
        if self._last > 1 and len(self._queue) < self._last // 2 and monotonic() - self._ended < limits.wait:
            sleep(limits.wait)

    def _answer(self, batch: Sequence[Piece]) -> bool:
        """Answer pieces together. Returns whether any was answered.

        Raises:
            Died: the process has gone; its pieces have their error.
        """
        assert self._session is not None
        began = monotonic()
        self.running = sum(piece.work for piece in batch), began
        try:
            items = [item for piece in batch for item in piece.items]
            found = self._session.predict(items, self._model.labels)
        except OWN_FAULTS as error:
            return self._fail(batch, error, began)
        except (InputError, CandidateFailed) as error:
            if len(batch) > 1 and not self._session.child.gone:
                return self._by_halves(batch)
            return self._fail(batch, error, began)
        except Exception as error:
            unforeseen = SessionCrashed(f"{type(error).__name__}: {error}")
            self._tell(batch, [unforeseen] * len(batch), began)
            raise Died(unforeseen) from error
        answers, at = [], 0
        for piece in batch:
            answers.append(found[at : at + len(piece.items)])
            at += len(piece.items)
        self._tell(batch, answers, began)
        return True

    def _by_halves(self, batch: Sequence[Piece]) -> bool:
        """One of them cannot be answered, and the others have nothing to do with it."""
        half = len(batch) // 2
        try:
            first = self._answer(batch[:half])
        except Died:
            self._queue.put_back(batch[half:])
            raise
        return self._answer(batch[half:]) or first

    def _fail(self, batch: Sequence[Piece], error: LightenError, began: float) -> bool:
        assert self._session is not None
        self._tell(batch, [error] * len(batch), began)
        if self._session.child.gone:
            raise Died(error)
        return False

    def _tell(
        self, batch: Sequence[Piece], answers: Sequence[Sequence[Prediction] | LightenError], began: float
    ) -> None:
        self._ended, self.running = monotonic(), None
        self._told(Turn(batch, answers, began, self._ended))
