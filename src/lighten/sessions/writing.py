"""Prompts that a process continues together: they join its batch and leave it while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lighten.core.errors import LightenError
from lighten.core.language import Prompt, Written
from lighten.isolate.conversation import Conversation
from lighten.isolate.process import ChildProcess
from lighten.isolate.writing import error_of, prompt_record, written_from


@dataclass(frozen=True, slots=True)
class Read:
    """Tokens of a text that was asked for by ``number``."""

    number: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spelled:
    """The text of tokens that was asked for by ``number``."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked by ``number`` cannot be done; a sequence of this number is over."""

    number: int
    error: LightenError


Told = Sequence[Written] | Read | Spelled | Failed
"""What a process tells: of a step, in one message, what each sequence came on by."""


class Writing:
    """The parent's side of ``isolate.writing``, for one thread. Numbers are whoever's who asks.

    Args:
        child: started, its session open and one that continues texts.
    """

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self._talk: Conversation | None = None

    def add(self, number: int, prompt: Prompt) -> None:
        """Have a prompt continued; it joins in the next step. Raises what :meth:`hear` does."""
        self._open().tell(add=number, prompt=prompt_record(prompt))

    def drop(self, number: int) -> None:
        """Go on with it no more, from the next step on. Raises what :meth:`hear` does."""
        self._open().tell(drop=number)

    def read(self, number: int, text: str, *, begin: bool, special: bool) -> None:
        """Ask for the tokens of a text; see :meth:`LanguageSession.encode`. Raises what :meth:`hear` does."""
        self._open().tell(read=number, text=text, begin=begin, special=special)

    def spell(self, number: int, tokens: Sequence[int]) -> None:
        """Ask for the text of tokens. Raises what :meth:`hear` does."""
        self._open().tell(spell=number, tokens=list(tokens))

    def hear(self, timeout: float, bell: int = -1) -> list[Told]:
        """What was told since, waited for where it is nothing.

        Args:
            timeout: seconds. bell: file descriptor; that it can be read ends the waiting.

        Raises:
            SessionCrashed, OutOfMemory: the process has gone. LightenError: a step failed, and whatever was continued
                is over; the process lives on.
        """
        talk = self._open()
        try:
            talk.hear(timeout, bell)
        except LightenError:
            self._talk = None
            raise
        found = list(told(talk.events))
        talk.events.clear()
        return found

    def _open(self) -> Conversation:
        if self._talk is None:
            self._talk = self._child.converse("write")
        return self._talk


def told(events: Sequence[Mapping[str, Any]] | Any) -> Iterator[Told]:
    """What events say."""
    for event in events:
        if "step" in event:
            yield [written_from(record) for record in event["step"]]
        elif "read" in event:
            yield Read(event["read"], tuple(event["tokens"]))
        elif "spelled" in event:
            yield Spelled(event["spelled"], event["text"])
        elif "failed" in event:
            yield Failed(event["failed"], error_of(event["error"]))
