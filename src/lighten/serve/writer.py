"""Writer: one process of a model that writes; requests join its batch and leave it from one step to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic

from lighten.core.errors import BuildFailed, CandidateFailed, LightenError, SessionCrashed, SessionTimeout
from lighten.core.language import BROKEN, Written
from lighten.serve.bell import Bell
from lighten.serve.limits import Limits
from lighten.serve.queue import WorkQueue
from lighten.serve.rate import Rate
from lighten.serve.replica import IDLE_SECONDS, Replica, Turn
from lighten.serve.servable import Servable
from lighten.serve.streams import Errand, Stream, StreamQueue
from lighten.serve.worker import Died
from lighten.sessions.writing import Failed, Read, Spelled, Told, Writing

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

    def turn(self) -> bool:
        """See :meth:`Worker.turn`: hand over what came, and hear of a step.

        Raises:
            Died: the process has gone; its streams have their error.
        """
        if self._writing is None:
            return super().turn()
        assert self._session is not None
        self._bell.hush()
        try:
            self._hand_over(self._writing)
            if not self.written and not self._errands and len(self._queue):
                work = self._rate.work(self._limits.batch_seconds)
                batch = self._queue.take(self._limits.batch, work, 0.0, like=self._like)
                if batch:
                    return self._answer(batch)
            return self._take_in(self._writing.hear(IDLE_SECONDS, self._bell.fileno()))
        except CandidateFailed as error:
            self._lose(error)
            if self._session.child.gone or isinstance(error, SessionTimeout):
                raise Died(error) from error
            return False

    def stop(self) -> None:
        """See :meth:`Worker.stop`."""
        super().stop()
        self._bell.ring()

    def close(self) -> None:
        """See :meth:`Worker.close`. Whoever is still written for hears that there will be no more."""
        self._lose(SessionCrashed("The process was ended while it wrote."))
        self._writing = None
        super().close()

    def hang_up(self) -> None:
        """It has ended, and nobody wakes it any more. Hanging up twice is allowed."""
        if self._bell in self._streams.bells:
            self._streams.bells.remove(self._bell)
        self._bell.close()

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
                self._begin(coming, writing)
        self.running = (self.left, self._since) if self.written else None

    def _begin(self, stream: Stream, writing: Writing) -> None:
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

    def _lose(self, error: LightenError) -> None:
        """Nothing comes of what was handed over."""
        step = Step([(stream, error) for stream in self.written.values()], [(e, error) for e in self._errands.values()])
        self.written.clear()
        self._errands.clear()
        self.running = None
        if step.news or step.done:
            self._heard(step)
