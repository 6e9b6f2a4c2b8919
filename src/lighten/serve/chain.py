"""Chain: the guards of one model. What goes in is looked at in their order, then the model is asked, then its answer is
looked at; what one of them has replaced, the next one sees replaced."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Protocol

from lighten.core.guard import (
    FLAG,
    INPUT,
    OUTPUT,
    REDACT,
    REFUSE,
    REPLACE,
    AnswerGuard,
    Finder,
    ModelGuard,
    ProbeGuard,
    replaced,
)
from lighten.core.prediction import Prediction
from lighten.serve.cases import VersionAnswer
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal, expired, guarded, unjudged
from lighten.serve.rules import Rule

Ask = Callable[[Sequence[Any], float, Presence], Awaitable[list[Prediction]]]
"""Asks a model: inputs, seconds, who waits."""
LARGE = 4_000
"""Characters above which a text is looked at by another thread, so that the event loop goes on."""
PROBES = 4
"""Requests that may be asked again at a time; others are skipped."""
SKIPPED = "skip"
"""What is counted where something was to be asked that nobody waits for, and there was no room."""
LATER_SECONDS = 10.0
"""Until it is given up."""
GUARD, SUSPICIOUS = "guard", "suspicious"
"""Kinds of cases."""


class Cases(Protocol):
    """Takes cases for people to judge."""

    def add(self, model: str, kind: str, input: Any, answers: Sequence[VersionAnswer] = (), note: str = "") -> None:
        """See ``review.Review.add``."""


Texts = Sequence[tuple[int, str]]
"""Texts of a request, each with the place of the input that it is of."""


@dataclass
class Flagged:
    """What guards let in.

    Attributes:
        values: inputs, as the model is asked them. rules: those that flagged an input, by its place.
        unjudged: texts that a model is to judge, and nobody waits for.
    """

    values: list[Any]
    rules: dict[int, list[Rule]] = field(default_factory=dict)
    unjudged: list[tuple[Rule, Texts]] = field(default_factory=list)

    def add(self, place: int, rule: Rule) -> None:
        """One of them is flagged, by one rule once."""
        known = self.rules.setdefault(place, [])
        if rule not in known:
            known.append(rule)


class Chain:
    """The guards of one version of a model. Lives on the event loop.

    Args:
        model, version: of it. rules: those that are for it.
        ask: asks the model of a rule, by the rule's name. cases: takes what is stopped; None where nothing does.

    Attributes:
        counts: what was done, by the name of the rule and the action.
    """

    def __init__(
        self,
        model: str,
        version: str,
        rules: Sequence[Rule],
        *,
        ask: Mapping[str, Ask] | None = None,
        cases: Cases | None = None,
    ) -> None:
        self.model, self.version, self.rules = model, version, tuple(rules)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._ask, self._cases = ask or {}, cases
        self._tasks: set[asyncio.Task[None]] = set()
        self._probing = 0
        self.incoming = [rule for rule in rules if rule.on(INPUT) and not isinstance(rule.guard, ProbeGuard)]
        self.outgoing = [rule for rule in rules if rule.on(OUTPUT)]
        self._probes = [(rule, rule.guard) for rule in rules if isinstance(rule.guard, ProbeGuard)]

    async def answered(
        self, ask: Ask, idle: Callable[[], bool], values: Sequence[Any], deadline: float, presence: Presence
    ) -> list[Prediction]:
        """Ask the model, unless a guard stops what goes in or comes out.

        Args:
            ask: the model. idle: whether nothing waits for it.

        Raises:
            Refusal: a guard stopped it, or there is no answer. ClientGone: nobody waits for one.
        """
        until = monotonic() + deadline
        flagged = await self.taken(values, deadline, presence)
        found = await ask(flagged.values, left(until, deadline), presence)
        told = await self._let_out(values, found, flagged, left(until, deadline), presence)
        self.report(flagged, values, [self._answer(one) for one in found])
        self._probe(ask, idle, flagged.values, found)
        return told

    async def taken(self, values: Sequence[Any], deadline: float, presence: Presence) -> Flagged:
        """Inputs as the model is to be asked them.

        Raises:
            Refusal: a guard stopped one. ClientGone: nobody waits any more.
        """
        flagged, until = Flagged(list(values)), monotonic() + deadline
        slots = [(place, key) for place, value in enumerate(values) for key in texts_of(value)]
        texts = [texts_of(values[place])[key] for place, key in slots]
        changed: dict[int, dict[str, str]] = {}
        for rule in self.incoming:
            if judges_later(rule):
                flagged.unjudged.append((rule, [(place, text) for (place, _), text in zip(slots, texts, strict=True)]))
                continue
            for number, after in await self._looked(rule, texts, left(until, deadline), presence):
                place, key = slots[number]
                if rule.guard.action == FLAG:
                    flagged.add(place, rule)
                    self.count(rule)
                elif rule.guard.action == REDACT:
                    texts[number] = changed.setdefault(place, {})[key] = after
                    self.count(rule)
                else:
                    self.count(rule)
                    self.stopped(rule, INPUT, values[place], ())
                    raise guarded(INPUT)
        for place, cells in changed.items():
            flagged.values[place] = with_texts(values[place], cells)
        return flagged

    def report(self, flagged: Flagged, values: Sequence[Any], answers: Sequence[Sequence[VersionAnswer]] = ()) -> None:
        """Inputs were answered: those that were flagged go to people, and what is to be judged is judged.

        Args:
            values: inputs as the client sent them. answers: to each; empty where there is none yet.
        """
        for place, rules in flagged.rules.items():
            self.suspect(values[place], answers[place] if answers else (), noted(rules))
        for rule, texts in flagged.unjudged:
            self.later(self._judged_later(rule, texts, values, answers))

    def stopped(self, rule: Rule, side: str, value: Any, answers: Sequence[VersionAnswer]) -> None:
        """A guard has stopped something: people are to see it."""
        self._add(GUARD, value, answers, f"the guard {rule.name} stopped the {side}")

    def suspect(self, value: Any, answers: Sequence[VersionAnswer], note: str) -> None:
        """An input was answered, and people are to look at it. note: why, in words that name no version."""
        self._add(SUSPICIOUS, value, answers, note)

    def count(self, rule: Rule, action: str = "") -> None:
        """A rule has done something. action: where it is not the rule's own."""
        self.counts[rule.name, action or rule.guard.action] += 1

    async def judged(self, rule: Rule, texts: Sequence[str], deadline: float, presence: Presence) -> list[bool]:
        """Whether the model of a rule stops each text; it is not asked of blanks.

        Raises:
            Refusal: it gives no answer. ClientGone: nobody waits any more.
        """
        assert isinstance(rule.guard, ModelGuard)
        asked = [text for text in texts if text.strip()]
        client = Presence()  # what is noted of the request is not noted of what a guard asks
        try:
            with presence.told(client.leave):
                told = iter(await self._ask[rule.name](asked, deadline, client) if asked else ())
        except Refusal as refusal:
            raise unjudged(refusal) from refusal
        return [bool(text.strip()) and rule.guard.stops(next(told)) for text in texts]

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """What nobody waits for is not done any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _looked(
        self, rule: Rule, texts: Sequence[str], deadline: float, presence: Presence
    ) -> list[tuple[int, str]]:
        """Places of the texts in which a rule finds something, each with the text as it would replace it."""
        if isinstance(rule.guard, ModelGuard):
            stops = await self.judged(rule, texts, deadline, presence)
            return [(number, text) for number, (text, stop) in enumerate(zip(texts, stops, strict=True)) if stop]
        assert rule.finder is not None
        if sum(map(len, texts)) > LARGE:
            return await asyncio.to_thread(_found, rule.finder, texts)
        return _found(rule.finder, texts)

    async def _let_out(
        self, values: Sequence[Any], found: Sequence[Prediction], flagged: Flagged, deadline: float, presence: Presence
    ) -> list[Prediction]:
        told, until = list(found), monotonic() + deadline
        for rule in self.outgoing:
            if judges_later(rule):
                texts = [(place, told[place].label) for place in _worded(told)]
                flagged.unjudged.append((rule, texts))
                continue
            for place, after in await self._judged_answers(rule, told, left(until, deadline), presence):
                self.count(rule)
                if rule.guard.action == FLAG:
                    flagged.add(place, rule)
                    continue
                if rule.guard.action in (REFUSE, REPLACE):
                    self.stopped(rule, OUTPUT, values[place], self._answer(found[place]))
                if rule.guard.action == REFUSE:
                    raise guarded(OUTPUT)
                told[place] = replace(told[place], label=after)
        return told

    async def _judged_answers(
        self, rule: Rule, told: Sequence[Prediction], deadline: float, presence: Presence
    ) -> list[tuple[int, str]]:
        """Places of the answers that a rule stops, each with what would stand there instead."""
        if isinstance(rule.guard, AnswerGuard):
            guard = rule.guard
            return [(n, guard.instead) for n, one in enumerate(told) if one.scores and guard.stops(one)]
        places = _worded(told)
        found = await self._looked(rule, [told[n].label for n in places], deadline, presence)
        return [(places[number], after) for number, after in found]

    async def _judged_later(
        self, rule: Rule, texts: Texts, values: Sequence[Any], answers: Sequence[Sequence[VersionAnswer]]
    ) -> None:
        try:
            stops = await self.judged(rule, [text for _, text in texts], LATER_SECONDS, Presence())
        except (Refusal, ClientGone):
            self.count(rule, SKIPPED)
            return
        for place in dict.fromkeys(place for (place, _), stop in zip(texts, stops, strict=True) if stop):
            self.count(rule)
            self.suspect(values[place], answers[place] if answers else (), noted([rule]))

    def _probe(self, ask: Ask, idle: Callable[[], bool], values: Sequence[Any], found: Sequence[Prediction]) -> None:
        """Have a share of what was answered asked again, where nothing else waits."""
        for rule, guard in self._probes:
            if random.random() >= guard.share:
                continue
            if self._probing >= PROBES or not idle():
                self.count(rule, SKIPPED)
                continue
            self._probing += 1
            self.later(self._asked_again(rule, guard, ask, list(values), list(found)))

    async def _asked_again(
        self, rule: Rule, guard: ProbeGuard, ask: Ask, values: list[Any], found: list[Prediction]
    ) -> None:
        try:
            again = [
                (place, way, text)
                for place, value in enumerate(values)
                if isinstance(value, str)
                for way, text in guard.variants(value).items()
            ]
            answers = await ask([text for _, _, text in again], LATER_SECONDS, Presence()) if again else []
            for (place, way, _), answer in zip(again, answers, strict=True):
                if answer.label != found[place].label:
                    self.count(rule)
                    both = [*self._answer(found[place]), *self._answer(answer, f" ({way})")]
                    self.suspect(values[place], both, f"the guard {rule.name}: the answer changes with {way}")
        except (Refusal, ClientGone):
            self.count(rule, SKIPPED)
        finally:
            self._probing -= 1

    def _answer(self, one: Prediction, beside: str = "") -> list[VersionAnswer]:
        return [VersionAnswer(self.version + beside, one.label, one.scores.get(one.label))]

    def _add(self, kind: str, value: Any, answers: Sequence[VersionAnswer], note: str) -> None:
        if self._cases is None:
            return
        self._cases.add(self.model, kind, value, answers, note)


def judges_later(rule: Rule) -> bool:
    """Whether what a model says of a text changes nothing of the answer."""
    return isinstance(rule.guard, ModelGuard) and rule.guard.action == FLAG


def _worded(told: Sequence[Prediction]) -> list[int]:
    """Places of answers in words."""
    return [place for place, one in enumerate(told) if not (one.scores or one.measures or len(one.vector))]


def left(until: float, deadline: float) -> float:
    """Seconds that are left of a deadline.

    Raises:
        Refusal: none is.
    """
    seconds = until - monotonic()
    if seconds <= 0:
        raise expired(deadline)
    return seconds


def texts_of(value: Any) -> Mapping[str, str]:
    """The texts of an input by their columns, or one under an empty name. What is none is left to who reads it."""
    if isinstance(value, str):
        return {"": value}
    if isinstance(value, bytes):
        return {"": value.decode("utf-8", "replace")}
    if isinstance(value, Mapping):
        cells = {str(name): cell for name, cell in value.items()}
        kinds = str | int | float
        return {
            name: str(cell) for name, cell in cells.items() if isinstance(cell, kinds) and not isinstance(cell, bool)
        }
    return {}


def with_texts(value: Any, changed: Mapping[str, str]) -> Any:
    """An input with other texts in it."""
    return {**value, **changed} if isinstance(value, Mapping) else changed[""]


def _found(finder: Finder, texts: Sequence[str]) -> list[tuple[int, str]]:
    found = ((number, text, finder.spans(text)) for number, text in enumerate(texts))
    return [(number, replaced(text, spans)) for number, text, spans in found if spans]


def noted(rules: Sequence[Rule]) -> str:
    """Why a case is here, in words."""
    return f"flagged by the guard {', '.join(rule.name for rule in rules)}"
