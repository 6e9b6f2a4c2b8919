"""Streams: answers on their way, token by token, and those who wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from lighten.core.language import Prompt, Written
from lighten.serve.record import Record
from lighten.serve.refusals import Refusal

if TYPE_CHECKING:
    from lighten.serve.bell import Bell


@dataclass(eq=False, slots=True)
class Stream:
    """One sequence. A request has several where it asks for several answers.

    Attributes:
        place: which one of its request it is.
        gone: whether nobody waits for it any more; set by the event loop, read by threads.
        since, began, first, last: when it came, was handed to the model, had its first token, and was heard of last: by
            ``time.monotonic``, 0 before.
        made: tokens so far.
    """

    prompt: Prompt = field(repr=False)
    place: int
    answers: Answers = field(repr=False)
    gone: bool = False
    since: float = field(default_factory=monotonic)
    began: float = 0.0
    first: float = 0.0
    last: float = 0.0
    made: int = 0

    @property
    def work(self) -> int:
        """Tokens of the prompt, and of the answer at most."""
        return len(self.prompt.tokens) + self.prompt.most

    @property
    def left(self) -> int:
        """Tokens of it that are still to be computed, at most."""
        return self.prompt.most - self.made + (0 if self.first else len(self.prompt.tokens))


@dataclass(eq=False, slots=True)
class Errand:
    """A text whose tokens are wanted, or tokens whose text is.

    Attributes:
        asked: either. begin, special: see :meth:`LanguageSession.encode`.
        done: gets what was found, or why it was not; on the event loop.
    """

    asked: str | Sequence[int] = field(repr=False)
    done: asyncio.Future[tuple[int, ...] | str]
    begin: bool = True
    special: bool = False


class Answers:
    """What came of the streams of one request, as an asynchronous iterator of lists of (place, what was written).

    It belongs to the event loop. Exhausted when all of them are over; raises why where there will be no answer.

    Args:
        prompts: one for each stream. closed: called once, when nobody waits for it any more.
    """

    def __init__(self, prompts: Sequence[Prompt], closed: Callable[[Answers], object]) -> None:
        self.streams = tuple(Stream(prompt, place, self) for place, prompt in enumerate(prompts))
        self.error: Exception | None = None
        self._left = len(self.streams)
        self._news: list[tuple[int, Written]] = []
        self._changed = asyncio.Event()
        self._closed: Callable[[Answers], object] | None = closed

    @property
    def work(self) -> int:
        """Of all streams."""
        return sum(stream.work for stream in self.streams)

    @property
    def left(self) -> int:
        """Streams that are not over."""
        return self._left

    @property
    def over(self) -> bool:
        """Whether nothing comes any more."""
        return self._left == 0 or self.error is not None

    def told(self, stream: Stream, one: Written) -> None:
        """Something came."""
        if self.over:
            return
        self._news.append((stream.place, one))
        self._left -= bool(one.ended)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """There will be no more of it."""
        if not self.over:
            self.error = error
            self._changed.set()

    def stop(self, error: Exception) -> None:
        """What came of it is not to be answered, though all of it may have come."""
        self.error = error
        self._changed.set()

    def note(self, record: Record) -> None:
        """Note how long they waited and were written."""
        streams = self.streams
        record.work, record.queued = self.work, streams[0].since
        record.began = min((stream.began for stream in streams if stream.began), default=0.0)
        record.first = min((stream.first for stream in streams if stream.first), default=0.0)
        record.answered = max(stream.last for stream in streams)
        record.prompted = sum(len(stream.prompt.tokens) for stream in streams if stream.first)
        record.tokens = sum(stream.made for stream in streams)
        if isinstance(self.error, Refusal):
            record.code = self.error.code

    def close(self) -> None:
        """Nobody waits any more: what still runs is dropped. Closing twice is allowed."""
        closed, self._closed = self._closed, None
        if closed is not None:
            closed(self)

    def __aiter__(self) -> Answers:
        return self

    async def __anext__(self) -> list[tuple[int, Written]]:
        while not self._news:
            if self.error is not None:
                raise self.error
            if self._left == 0:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        found, self._news = self._news, []
        return found


class StreamQueue:
    """Streams and errands that wait, in the order in which they came. The event loop puts them, threads take them.

    Attributes:
        work: tokens of all streams that wait; to be read without a lock.
        bells: of the threads that take from it.
    """

    def __init__(self) -> None:
        self.work = 0
        self.bells: list[Bell] = []
        self._waiting: dict[Stream, None] = {}
        self._errands: deque[Errand] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, streams: Sequence[Stream]) -> None:
        """They wait from now on."""
        with self._lock:
            for stream in streams:
                self._waiting[stream] = None
                self.work += stream.work
        self.ring()

    def ask(self, errand: Errand) -> None:
        """It waits from now on, and is done before any stream begins."""
        with self._lock:
            self._errands.append(errand)
        self.ring()

    def drop(self, stream: Stream) -> bool:
        """Nobody waits for a stream: it gives its place away, at once where it waits, else with the step in hand.

        Returns:
            Whether it still waited.
        """
        stream.gone = True
        with self._lock:
            waited = stream in self._waiting
            if waited:
                del self._waiting[stream]
                self.work -= stream.work
        if not waited:
            self.ring()
        return waited

    def take(self) -> Stream | None:
        """The oldest one; None where none waits."""
        with self._lock:
            stream = next(iter(self._waiting), None)
            if stream is not None:
                del self._waiting[stream]
                self.work -= stream.work
            return stream

    def take_errand(self) -> Errand | None:
        """The oldest one that somebody waits for; None where none waits."""
        with self._lock:
            while self._errands:
                errand = self._errands.popleft()
                if not errand.done.done():
                    return errand
            return None

    def clear(self) -> tuple[list[Stream], list[Errand]]:
        """Take back everything that waits."""
        with self._lock:
            found = list(self._waiting), list(self._errands)
            self._waiting.clear()
            self._errands.clear()
            self.work = 0
            return found

    def ring(self) -> None:
        """Wake all who take from it."""
        for bell in self.bells:
            bell.ring()
