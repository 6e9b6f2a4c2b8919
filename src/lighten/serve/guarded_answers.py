"""Answers that guards look at while they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lighten.core.guard import FLAG, OUTPUT, ModelGuard
from lighten.core.language import Prompt, Written
from lighten.serve.cases import VersionAnswer
from lighten.serve.chain import Chain, Flagged, judges_later, left
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal, guarded
from lighten.serve.rules import Rule
from lighten.serve.stages import Judge, Judged, Pipeline, Search, Stage, Stopped
from lighten.serve.streams import Answers


class GuardedAnswers:
    """What :class:`Answers` are, as far as guards let them out. Exhausted when all are over; raises why where one of
    them is stopped, and then all are.

    Args:
        answers: as they are written, each to one of the prompts. inputs: what the client asked, for each of them.
        presence: of the client. seconds: until a model that judges texts has to have answered.
        until: when all of it has to be over, by ``time.monotonic``.
    """

    def __init__(
        self,
        answers: Answers,
        chain: Chain,
        prompts: Sequence[Prompt],
        inputs: Sequence[Any],
        presence: Presence,
        seconds: float,
        until: float,
    ) -> None:
        self._answers, self._chain, self._inputs = answers, chain, inputs
        self._presence, self._seconds, self._until = presence, seconds, until
        self._pipes = [Pipeline(self._stages(prompt)) for prompt in prompts]
        self._refusal: Refusal | None = None

    @property
    def over(self) -> bool:
        """See :attr:`Answers.over`."""
        return self._answers.over

    def close(self) -> None:
        """See :meth:`Answers.close`."""
        self._answers.close()

    def __aiter__(self) -> GuardedAnswers:
        return self

    async def __anext__(self) -> list[tuple[int, Written]]:
        if self._refusal is not None:
            self._answers.stop(self._refusal)
            raise self._refusal
        found: list[tuple[int, Written]] = []
        for place, one in await self._answers.__anext__():
            pipe = self._pipes[place]
            try:
                found.append((place, replace(one, text=await pipe.push(one.text, over=bool(one.ended)))))
            except Stopped as stop:
                self._stopped(stop.rule, place)
                found.append((place, replace(one, text=stop.before, ended="")))
                return found
            except Refusal as refusal:
                self._refusal = refusal
                return found or await self.__anext__()
            except ClientGone as gone:
                self._answers.stop(gone)
                raise
            if pipe.over:
                self._over(place)
        return found

    def _stages(self, prompt: Prompt) -> list[Stage]:
        """An answer that has to keep a schema cannot be changed: what would be replaced in it is stopped."""
        found: list[Stage] = []
        for rule in self._chain.outgoing:
            if rule.finder is not None:
                found.append(Search(rule, strict=bool(prompt.schema)))
            elif isinstance(rule.guard, ModelGuard) and not judges_later(rule):
                found.append(Judged(rule, self._judge(rule)))
        return found

    def _judge(self, rule: Rule) -> Judge:
        async def judge(text: str) -> bool:
            seconds = min(self._seconds, left(self._until, self._seconds))
            return (await self._chain.judged(rule, [text], seconds, self._presence))[0]

        return judge

    def _stopped(self, rule: Rule, place: int) -> None:
        self._chain.count(rule)
        self._chain.stopped(rule, OUTPUT, self._inputs[place], [self._answer(place)])
        self._refusal = guarded(OUTPUT)

    def _over(self, place: int) -> None:
        """An answer is whole: say what was found in it and did not stop it."""
        flagged = Flagged(list(self._inputs))
        for stage in self._pipes[place].stages:
            if stage.found:
                self._chain.count(stage.rule)
                if stage.rule.guard.action == FLAG:
                    flagged.add(place, stage.rule)
        for rule in self._chain.outgoing:
            if judges_later(rule):
                flagged.unjudged.append((rule, [(place, self._pipes[place].whole)]))
        self._chain.report(flagged, self._inputs, [[self._answer(n)] for n in range(len(self._pipes))])

    def _answer(self, place: int) -> VersionAnswer:
        return VersionAnswer(self._chain.version, self._pipes[place].whole)


def holds(chain: Chain) -> bool:
    """Whether guards may hold back what is written, or change it."""
    return any(rule.guard.action != FLAG for rule in chain.outgoing)
