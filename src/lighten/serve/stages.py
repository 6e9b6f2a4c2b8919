"""Stages: what a guard does to a text that is being written, before it leaves. However the text is cut into pieces, the
same leaves, and nothing that a guard stops: what may become it is held back until that is certain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence

from lighten.core.guard import FLAG, REDACT, ModelGuard
from lighten.serve.rules import Rule

Judge = Callable[[str], Awaitable[bool]]
"""Whether the model of a guard stops a text."""
WINDOW = 3
"""Each part of a text that a model judges is judged together with as many before it as make this many."""


class Stopped(Exception):
    """A guard has stopped a text.

    Args:
        rule: which. before: what may still leave, which comes before what was stopped.
    """

    def __init__(self, rule: Rule, before: str) -> None:
        super().__init__(rule.name)
        self.rule, self.before = rule, before


class Stage(ABC):
    """What one guard does to one text.

    Attributes:
        found: how often it has found something that it does not stop.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule, self.found = rule, 0

    @abstractmethod
    async def push(self, text: str, *, over: bool) -> str:
        """Some more of the text. Returns what may leave since. over: whether nothing follows.

        Raises:
            Stopped: nothing more may leave. Refusal: a model gives no answer.
        """


class Search(Stage):
    """Looks for parts of the text.

    Args:
        strict: whether it stops what it would replace.
    """

    def __init__(self, rule: Rule, *, strict: bool = False) -> None:
        super().__init__(rule)
        assert rule.finder is not None
        action = rule.guard.action
        self._finder, self._passes = rule.finder, action == FLAG
        self._replaces = action == REDACT and not strict
        self._text, self._begin = "", 0

    async def push(self, text: str, *, over: bool) -> str:
        """See :meth:`Stage.push`."""
        self._text += text
        spans, sure = self._finder.scan(self._text, self._begin, over=over)
        parts, place = list[str](), self._begin
        for one in spans:
            parts.append(self._text[place : one.begin])
            if not self._passes and not self._replaces:
                raise Stopped(self.rule, "".join(parts))
            self.found += 1
            parts.append(one.instead)
            place = one.end
        end = max(place, sure)
        parts.append(self._text[place:end])
        kept = self._finder.context(self._text, end)
        self._text, self._begin = self._text[kept:], end - kept
        return text if self._passes else "".join(parts)


class Judged(Stage):
    """Has a model judge the text: each time that it has ``every`` more characters, or the whole at its end."""

    def __init__(self, rule: Rule, judge: Judge) -> None:
        super().__init__(rule)
        assert isinstance(rule.guard, ModelGuard)
        self._judge, self._every = judge, rule.guard.every
        self._text, self._begin = "", 0

    async def push(self, text: str, *, over: bool) -> str:
        """See :meth:`Stage.push`."""
        self._text += text
        parts: list[str] = []
        while self._every and len(self._text) - self._begin >= self._every:
            parts.append(await self._part(self._begin + self._every, "".join(parts)))
            kept = max(0, self._begin - (WINDOW - 1) * self._every)
            self._text, self._begin = self._text[kept:], self._begin - kept
        if over and len(self._text) > self._begin:
            parts.append(await self._part(len(self._text), "".join(parts)))
        return "".join(parts)

    async def _part(self, end: int, before: str) -> str:
        """The text up to ``end``, where it may leave."""
        if await self._judge(self._text[:end]):
            raise Stopped(self.rule, before)
        part, self._begin = self._text[self._begin : end], end
        return part


class Pipeline:
    """What all guards do to one text, one after the other.

    Attributes:
        whole: the text as it was written. over: whether it is.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages, self.whole, self.over = tuple(stages), "", False

    async def push(self, text: str, *, over: bool) -> str:
        """See :meth:`Stage.push`."""
        self.whole += text
        self.over = over
        stop: Stopped | None = None
        for stage in self.stages:
            try:
                text = await stage.push(text, over=over)
            except Stopped as stopped:
                stop, text, over = stopped, stopped.before, True
        if stop is not None:
            raise Stopped(stop.rule, text)
        return text
