"""A model that writes, as it is served: its chat template, its tokens, and the way of an answer from prompt to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any, cast

from lighten.core.errors import LightenError, TemplateRefusal
from lighten.core.language import END, STOP, Prompt
from lighten.core.language import Written as Token
from lighten.nets.language.chat_template import Renderer, find_template
from lighten.nets.language.schema_check import SchemaChecker
from lighten.serve.admission import Load, refused
from lighten.serve.chain import left
from lighten.serve.guarded_answers import GuardedAnswers, holds
from lighten.serve.limits import Limits
from lighten.serve.metrics import Gauges, Written
from lighten.serve.model import ServedModel
from lighten.serve.preparation import Preparation
from lighten.serve.presence import Presence
from lighten.serve.queue import LIKE
from lighten.serve.rate import Rate
from lighten.serve.refusals import ClientGone, Refusal, expired, too_large
from lighten.serve.replica import OWN_FAULTS, Replica
from lighten.serve.servable import Servable
from lighten.serve.streams import Answers, Errand, Stream, StreamQueue
from lighten.serve.worker import State
from lighten.serve.writer import Step, Writer

REASONS = {END: "stop", STOP: "stop"}
"""What metrics call the end of an answer; any other is for its length."""


class WritingModel(ServedModel):
    """One version of a model that writes. Beside what every model is asked, it continues texts.

    Attributes:
        streams, pace: what waits to be written, and how fast tokens are computed. written: what became of it.
    """

    writes = True

    @staticmethod
    def replicas_on(cores: int) -> int:
        """See :meth:`ServedModel.replicas_on`: one, whose streams share every step and whose weights are read once."""
        return 1

    def __init__(self, source: Servable, limits: Limits, *, replicas: int = 1, threads: int = 1) -> None:
        self.streams, self.pace, self.written = StreamQueue(), Rate(), Written()
        template = find_template(source.artifact)
        self._start: tuple[int, ...] | None = None
        self._renderer = Renderer(template) if template is not None else None
        self._checker = SchemaChecker()
        super().__init__(source, limits, replicas=replicas, threads=threads)
        self.counts.written = self.written
        self._preparation = Preparation(self._reading, limits)

    def _replica(self, threads: int) -> Replica:
        return Writer(
            self.source,
            self.queue,
            self.rate,
            self.limits,
            threads=threads,
            like=LIKE if self.intake.pads else inf,
            streams=self.streams,
            heard=self._hear,
            told=lambda turn: self._soon(self._heard, turn),
            changed=self._settle,
        )

    @property
    def writers(self) -> tuple[Writer, ...]:
        """Its replicas."""
        return cast("tuple[Writer, ...]", self.replicas)

    @property
    def talks(self) -> bool:
        """See :meth:`ServedModel.talks`."""
        return self._renderer is not None

    @property
    def context(self) -> int:
        """See :meth:`ServedModel.context`."""
        return max(writer.context for writer in self.writers)

    def gauges(self) -> Gauges:
        """See :meth:`ServedModel.gauges`."""
        now = super().gauges()
        writing = sum(len(writer.written) for writer in self.writers)
        return replace(
            now,
            streams=writing,
            streams_waiting=len(self.streams),
            tokens_waiting=self.streams.work,
            preparing=self._preparation.requests,
        )

    @asynccontextmanager
    async def preparing(self, size: int, presence: Presence) -> AsyncIterator[float]:
        """While it is found out what a request asks: all that is done before :meth:`write`, and can be refused. Gives
        the time of ``time.monotonic`` until which it may take.

        Args:
            size: characters of what it says. presence: of the client, who ends it by leaving.

        Raises:
            Refusal: nothing more may wait, too much is being prepared already, or it took too long. ClientGone.
        """
        try:
            self.admit()
            async with self._preparation.of(size, presence) as until:
                yield until
        except ClientGone:
            self.counts.cancelled += 1
            raise
        except Refusal as refusal:
            self._count_refusal(refusal)
            raise

    async def rendered(self, messages: Sequence[Mapping[str, str]], until: float = inf) -> str:
        """A conversation as its chat template writes it, up to where the answer begins.

        Args:
            until: when guards have to have let it in, by ``time.monotonic``.

        Raises:
            TemplateRefusal: the template refuses it. Refusal: it is too large, a guard stopped it, or the template
                fails.
        """
        assert self._renderer is not None
        size = sum(len(one["content"]) for one in messages)
        self._check_size(size)
        contents = await self._taken([one["content"] for one in messages], until)
        messages = [{**one, "content": text} for one, text in zip(messages, contents, strict=True)]
        try:
            return await self._preparation.run(size, self._renderer.render, messages)
        except TemplateRefusal:
            raise
        except OWN_FAULTS as error:
            raise self._refusal_of(error) from error

    async def check_schema(self, schema: str) -> None:
        """Refuse a JSON Schema that no answer can be held to.

        Raises:
            InputError: why. Refusal: no schema can be kept here, which is not its fault.
        """
        try:
            await self._preparation.run(len(schema), self._checker.check, schema)
        except OWN_FAULTS as error:
            raise self._refusal_of(error) from error

    def admit(self) -> None:
        """Raises Refusal where nothing more may wait."""
        self._admit_writing(1, 1, self.limits.write_deadline)

    async def tokens_of(self, text: str, *, begin: bool, special: bool) -> tuple[int, ...]:
        """Tokens of a text; see :meth:`LanguageSession.encode`.

        Raises:
            Refusal: it is too large, there is no room for what may come of it, or no process that could say.
        """
        self._check_size(len(text))
        self.admit()
        return cast("tuple[int, ...]", await self._asked(text, begin=begin, special=special))

    async def prompt_of(self, asked: str | tuple[int, ...], until: float = inf) -> tuple[int, ...]:
        """Tokens of a prompt that is to be continued, as guards let it in. until: see :meth:`rendered`.

        Raises:
            Refusal: see :meth:`tokens_of`, or a guard stopped it.
        """
        if self.guards is not None and self.guards.incoming:
            text = asked if isinstance(asked, str) else await self.text_of(asked)
            self._check_size(len(text))
            (taken,) = await self._taken([text], until)
            if taken != text:
                asked = taken
        return asked if isinstance(asked, tuple) else await self.tokens_of(asked, begin=True, special=False)

    async def _taken(self, texts: Sequence[str], until: float) -> Sequence[str]:
        """Texts as guards let them in. Where the client leaves, this is cancelled: see :class:`Preparation`."""
        if self.guards is None:
            return texts
        with self.held():
            deadline = self.limits.deadline
            seconds = min(deadline, left(until, deadline))
            flagged = await self.guards.taken(texts, seconds, Presence())
        self.guards.report(flagged, texts)
        return flagged.values

    async def beginning(self) -> tuple[int, ...]:
        """The token that begins a text; nothing for a model that has none. Raises what :meth:`tokens_of` does."""
        if self._start is None:
            self._start = (await self.tokens_of("", begin=True, special=False))[:1]
        return self._start

    async def text_of(self, tokens: Sequence[int]) -> str:
        """The text of tokens. Raises what :meth:`tokens_of` does."""
        self.admit()
        return cast(str, await self._asked(tokens))

    def write(
        self, prompts: Sequence[Prompt], deadline: float, presence: Presence, inputs: Sequence[Any] = ()
    ) -> Answers | GuardedAnswers:
        """Have prompts continued, all for one request. Whoever asks closes the answers.

        Args:
            deadline: seconds from now. presence: of the client, who frees its places by leaving.
            inputs: what the client sent for each prompt, for people who review it; tokens where nothing is said.

        Raises:
            Refusal: they may not wait. While the answers are read, why there will be no more of them.
        """
        if presence.record is not None:
            presence.record.asks(self.name, self.version, len(prompts))
        if self.guards is not None and holds(self.guards) and any(one.likely is not None for one in prompts):
            seen = "Probabilities of tokens are not told where guards look at the answer."
            raise Refusal(400, "unsupported", seen, fix="leave logprobs out")
        try:
            self._admit_writing(sum(len(one.tokens) + one.most for one in prompts), len(prompts), deadline)
        except Refusal as refusal:
            self._count_refusal(refusal)
            raise
        assert self._loop is not None
        timer: asyncio.TimerHandle | None = None

        def closed(found: Answers) -> None:
            if timer is not None:
                timer.cancel()
            presence.on_leave(None)
            if presence.record is not None:
                found.note(presence.record)
            self._closed(found)

        answers = Answers(prompts, closed)
        self.open += 1
        self.streams.put(answers.streams)
        timer = self._loop.call_later(deadline, self._end, answers, expired(deadline))
        presence.on_leave(lambda: self._end(answers, ClientGone()))
        if self.guards is None or not self.guards.outgoing:
            return answers
        asked = inputs or [{"prompt_tokens": list(one.tokens)} for one in prompts]
        seconds = min(deadline, self.limits.deadline)
        return GuardedAnswers(answers, self.guards, prompts, asked, presence, seconds, monotonic() + deadline)

    def load_of_writing(self) -> Load:
        """How busy it is with writing."""
        able = [writer for writer in self.writers if writer.state is State.READY]
        running = sum(len(writer.written) for writer in able)
        free = sum(writer.slots for writer in able) - running - len(self.streams)
        # The next one that ends has had its part of what is left to them together.
        left = sum(writer.left for writer in able) / running if running and free <= 0 else 0.0
        seconds = self.pace.seconds(self.streams.work + left) / max(1, len(able))
        return Load(self.streams.work, len(self.streams), seconds, len(able))

    def _count_refusal(self, refusal: Refusal) -> None:
        refusal.counted = True
        if refusal.code == "failed":
            self.counts.failed += 1
        else:
            self.counts.refused[refusal.code] += 1

    def _check_size(self, size: int) -> None:
        """Raises Refusal for a text that is too large to be looked at."""
        if size > self.limits.size:
            raise too_large(f"The prompt has {size:,} characters.", f"at most {self.limits.size:,}")

    def _admit_writing(self, work: int, count: int, deadline: float) -> None:
        """Raises Refusal where so many tokens may not wait."""
        refusal = self._refusal(work, count, deadline) if self.ready else self._unavailable()
        if refusal is not None:
            raise refusal

    def _refusal(self, work: int, count: int, deadline: float) -> Refusal | None:
        slots = max((writer.slots for writer in self.writers), default=1)
        bounds = replace(self.limits, batch=max(slots, count), batch_seconds=inf, queue=self.limits.waiting_tokens)
        return refused(self.load_of_writing(), work, deadline, self.pace, bounds)

    async def _asked(self, asked: str | Sequence[int], *, begin: bool = True, special: bool = False) -> object:
        assert self._loop is not None
        errand = Errand(asked, self._loop.create_future(), begin, special)
        self.streams.ask(errand)
        return await errand.done

    def _hear(self, step: Step) -> None:
        """Called by threads."""
        self._soon(self._take_in, step)

    def _soon(self, function: Callable[..., None], *given: Any) -> None:
        """Have the event loop call a function; called by threads."""
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for anything
            self._loop.call_soon_threadsafe(function, *given)

    def _take_in(self, step: Step) -> None:
        """A writer has heard something."""
        if step.work:
            self.pace.learn(step.work, step.seconds)
        for errand, found in step.done:
            if errand.done.done():
                continue
            if isinstance(found, LightenError):
                errand.done.set_exception(self._refusal_of(found))
            else:
                errand.done.set_result(found)
        now = monotonic()
        for stream, one in step.news:
            if isinstance(one, LightenError):
                self._end(stream.answers, self._refusal_of(one))
                continue
            self._count(stream, one, now)
            stream.answers.told(stream, one)

    def _count(self, stream: Stream, one: Token, now: float) -> None:
        """Something came of a stream."""
        counts, new = self.written, one.token is not None and not one.given
        if not stream.last:
            counts.prompted += len(stream.prompt.tokens)
        elif new:
            counts.between.add(now - stream.last)
        counts.tokens += new
        stream.last = now
        if one.ended:
            self._count_whole(stream, one.ended)

    def _count_whole(self, stream: Stream, ended: str) -> None:
        """A stream is over."""
        counts, writing = self.written, stream.last - stream.first
        counts.ended[REASONS.get(ended, "length")] += 1
        counts.first.add(stream.first - stream.since)
        counts.wait.add(stream.began - stream.since)
        counts.reading.add(stream.first - stream.began)
        counts.writing.add(writing)
        counts.prompt.add(len(stream.prompt.tokens))
        counts.answer.add(stream.made)
        if stream.made > 1:
            counts.each.add(writing / (stream.made - 1))

    def _end(self, answers: Answers, error: Exception) -> None:
        """There will be no more of some answers."""
        answers.fail(error)
        self._drop(answers)

    def _drop(self, answers: Answers) -> None:
        for stream in answers.streams:
            self.streams.drop(stream)

    def _closed(self, answers: Answers) -> None:
        """Nobody waits for answers any more: count them, and free their places."""
        self.open -= 1
        whole = answers.over and answers.error is None
        if not whole:
            self.written.ended["abort"] += answers.left
            self._drop(answers)
        counts, took = self.counts, monotonic() - answers.streams[0].since
        error = answers.error
        if whole:
            counts.answered += 1
            counts.inputs += len(answers.streams)
            counts.request += took
            counts.latency.add(took)
        elif isinstance(error, Refusal):
            self._count_refusal(error)
        else:
            counts.cancelled += 1

    def _empty(self) -> None:
        """See :meth:`ServedModel._empty`."""
        super()._empty()
        streams, errands = self.streams.clear()
        for stream in streams:
            stream.answers.fail(self._unavailable())
        for errand in errands:
            if not errand.done.done():
                errand.done.set_exception(self._unavailable())

    async def stop(self, seconds: float) -> None:
        """See :meth:`ServedModel.stop`."""
        await super().stop(seconds)
        for writer in self.writers:
            writer.hang_up()
        for confined in (self._renderer, self._checker):
            if confined is not None:
                confined.close()
