"""Writer: one process of a model that writes; requests join its batch and leave it from one step to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic

from lighten.core.errors import BuildFailed, CandidateFailed, LightenError, SessionCrashed, SessionTimeout
from lighten.core.language import BROKEN, Written
from lighten.core.prediction import Prediction
from lighten.serve.bell import Bell
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.replica import Replica, Turn, parts_of, turn_of
from lighten.serve.servable import Servable
from lighten.serve.streams import Errand, Stream, StreamQueue
from lighten.serve.tickets import Piece
from lighten.serve.worker import Died
from lighten.sessions.process import SessionProcess
from lighten.sessions.writing import Failed, Read, Spelled, Told, Writing

IDLE_SECONDS = 0.5
"""How often one that has nothing to do looks whether its process still lives."""
READ = 200_000
"""Characters that a process is given to read before it tells of them: they hold up what it writes."""


@dataclass(slots=True)
class Step:
    """What a writer heard.

    Attributes:
        news: of streams, in order. done: errands, with what was found.
        work: tokens that were computed meanwhile. seconds: that they took.
    """

    news: list[tuple[Stream, Written | LightenError]] = field(default_factory=list)
    done: list[tuple[Errand, tuple[int, ...] | str | LightenError]] = field(default_factory=list)
    work: int = 0
    seconds: float = 0.0


class Writer(Replica):
    """A replica that also writes: between two steps it hands over who came, and takes back who went away.

    What the model is asked through its task is answered while nobody is written for: where some of that waits, no
    stream begins any more until it has its answer.

    Args:
        streams: shared by the writers of a model. heard: called by the thread with what it heard.
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
        streams: StreamQueue,
        heard: Callable[[Step], object],
        told: Callable[[Turn], object],
        changed: Callable[[], object],
    ) -> None:
        super().__init__(model, queue, rate, limits, threads=threads, like=like, told=told, changed=changed)
        self.written: dict[int, Stream] = {}
        self.slots = self.context = 0
        self._streams, self._heard = streams, heard
        self._errands: dict[int, Errand] = {}
        self._bell = Bell()
        streams.bells.append(self._bell)
        self._writing: Writing | None = None
        self._number, self._since = 0, 0.0

    @property
    def left(self) -> int:
        """Tokens that its streams may still ask for; to be read by any thread."""
        return sum(stream.left for stream in tuple(self.written.values()))

    def open(self) -> None:
        """See :meth:`Replica.open`."""
        super().open()
        assert self._session is not None
        told = self._session.writing
        self.slots, self.context = told.get("streams", 0), told.get("context", 0)
        self._writing = Writing(self._session.child) if told else None

    async def work(self) -> None:
        """See :meth:`Worker.work`. A process that writes is asked by the thread."""
        if self._writing is None:
            await super().work()
        else:
            await self.in_thread(self._work, self._writing)

    def wake(self) -> None:
        """See :meth:`Replica.wake`."""
        super().wake()
        self._bell.ring()

    def _work(self, writing: Writing) -> None:
        """Take turns until it is to end.

        Raises:
            Died: the process has gone.
        """
        while not self.stopping:
            if self._turn(writing):
                self.answered()

    def _turn(self, writing: Writing) -> bool:
        """Hand over what came, and hear of a step. Returns whether anything was answered well.

        Raises:
            Died: the process has gone; its streams have their error.
        """
        assert self._session is not None
        self._bell.hush()
        try:
            self._hand_over(writing)
            if not self.written and not self._errands and len(self._queue):
                work = self._rate.work(self._limits.batch_seconds)
                batch = self._queue.take(self._limits.batch, work, like=self._like)
                if batch:
                    return self._answer(batch, self._session)
            return self._take_in(writing.hear(IDLE_SECONDS, self._bell.fileno()))
        except CandidateFailed as error:
            died = self._session.child.gone or isinstance(error, SessionTimeout)
            if died:
                self.lost(error)
            self._lose_streams(error)
            if died:
                raise Died(error) from error
            return False

    def close(self) -> None:
        """See :meth:`Worker.close`. Whoever is still written for hears that there will be no more."""
        self._lose_streams(SessionCrashed("The process was ended while it wrote."))
        self._writing = None
        super().close()

    def hang_up(self) -> None:
        """It has ended, and nobody wakes it any more. Hanging up twice is allowed."""
        if self._bell in self._streams.bells:
            self._streams.bells.remove(self._bell)
        self._bell.close()

    def _answer(self, batch: Sequence[Piece], session: SessionProcess) -> bool:
        """Answer what was asked through the task. Returns whether any was answered.

        Raises:
            Died: the process has gone; what it has not begun with waits again.
        """
        left, well = [batch], False
        while left:
            part, began = left.pop(), monotonic()
            self.running = sum(piece.work for piece in part), began
            found: Sequence[Prediction] | LightenError
            try:
                found = session.predict([item for piece in part for item in piece.items], self._model.labels)
                well = True
            except Exception as error:  # noqa: BLE001 - whatever it is, who waits for an answer hears of it
                found = error if isinstance(error, LightenError) else SessionCrashed(f"{type(error).__name__}: {error}")
                if not session.child.gone and (parts := parts_of(part, found)):
                    left += reversed(parts)
                    continue
            self.running = None
            death = found if isinstance(found, LightenError) and session.child.gone else None
            if death is not None:
                self.lost(death)
            self._told(turn_of(part, found, began))
            if death is not None:
                self._queue.put_back([piece for one in reversed(left) for piece in one])
                raise Died(death)
        return well

    def _hand_over(self, writing: Writing) -> None:
        """Tell the process who went away and who came."""
        for number, stream in tuple(self.written.items()):
            if stream.gone:
                del self.written[number]
                writing.drop(number)
        size = sum(len(one.asked) for one in self._errands.values())
        while size < READ and (errand := self._streams.take_errand()) is not None:
            size += len(errand.asked)
            if not self.written and not self._errands:
                self._since = monotonic()
            self._number += 1
            self._errands[self._number] = errand
            if isinstance(errand.asked, str):
                writing.read(self._number, errand.asked, begin=errand.begin, special=errand.special)
            else:
                writing.spell(self._number, errand.asked)
        while len(self.written) < self.slots and not len(self._queue):
            coming = self._streams.take()
            if coming is None:
                break
            if not coming.gone:
                self._begin_stream(coming, writing)
        self.running = (self.left, self._since) if self.written else None

    def _begin_stream(self, stream: Stream, writing: Writing) -> None:
        """A stream joins the batch."""
        self._number += 1
        stream.began = monotonic()
        if not self.written and not self._errands:
            self._since = stream.began
        self.written[self._number] = stream
        writing.add(self._number, stream.prompt)

    def _take_in(self, told: Sequence[Told]) -> bool:
        """Tell what was heard. Returns whether anything was written."""
        now, step = monotonic(), Step()
        for one in told:
            if isinstance(one, Failed):
                if (stream := self.written.pop(one.number, None)) is not None:
                    step.news.append((stream, one.error))
                elif (errand := self._errands.pop(one.number, None)) is not None:
                    step.done.append((errand, one.error))
            elif isinstance(one, Read | Spelled):
                errand = self._errands.pop(one.number)
                step.done.append((errand, one.tokens if isinstance(one, Read) else one.text))
            else:
                for written in one:
                    self._note(written, step, now)
        if told:
            step.seconds, self._since = now - self._since, now
            self._heard(step)
        elif (self.written or self._errands) and now - self._since > self._limits.hang:
            assert self._session is not None
            self._session.child.kill()
            raise SessionTimeout(f"The process said nothing for {self._limits.hang:g} s, and was ended.")
        return any(not isinstance(one, LightenError) for _, one in step.news)

    def _note(self, written: Written, step: Step, now: float) -> None:
        stream = self.written.get(written.number)
        if stream is None:
            return  # it was dropped while this step ran
        if not stream.first:
            stream.first = now
            step.work += len(stream.prompt.tokens)
        if written.token is not None and not written.given:
            stream.made += 1
            step.work += 1
        broken = written.ended == BROKEN
        step.news.append((stream, BuildFailed("No text goes on with the answer that keeps its schema.")) if broken
                         else (stream, written))  # fmt: skip
        if written.ended:
            del self.written[written.number]

    def _lose_streams(self, error: LightenError) -> None:
        """Nothing comes of what was handed over."""
        step = Step([(stream, error) for stream in self.written.values()], [(e, error) for e in self._errands.values()])
        self.written.clear()
        self._errands.clear()
        self.running = None
        if step.news or step.done:
            self._heard(step)
