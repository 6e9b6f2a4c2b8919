"""Guard: what is looked for in what goes into a model and comes out of it, and what is done about it. One file in
``guards/``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lighten.core.errors import InputError, UnknownName
from lighten.core.prediction import Prediction
from lighten.core.step import setting

INPUT, OUTPUT, LOGS, REVIEW = "input", "output", "logs", "review"
"""Where a guard can stand: before the model, behind it, before the server's log, before the review queue."""
REFUSE, FLAG, REDACT, REPLACE = "refuse", "flag", "redact", "replace"
"""What can be done: no answer; an answer and a case for review; the text is taken out; another label is answered."""


class GuardError(InputError):
    """A guard cannot be made as its rules ask.

    Args:
        value: the text in the rules that is wrong; empty where it is no one text.
    """

    def __init__(self, seen: str, *, allowed: str = "", fix: str = "", value: str = "") -> None:
        super().__init__(seen, allowed=allowed, fix=fix)
        self.value = value


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a text that was found: its first character, the one behind its last, and what may stand there instead."""

    begin: int
    end: int
    instead: str


class Finder(ABC):
    """What finds parts of texts, also in a text that is still coming.

    However a text is cut into pieces, the same is found: a part is told once it is certain whatever follows.
    """

    @abstractmethod
    def scan(self, text: str, begin: int, *, over: bool) -> tuple[list[Span], int]:
        """What is found in a text, and up to where that is certain.

        Args:
            begin: before it nothing is looked for; it is only what the rest follows.
            over: whether nothing comes behind the text.

        Returns:
            Parts in order, none of them empty, none overlapping another; and the place before which no further part can
            begin, whatever comes. Every part begins before it.
        """

    def context(self, text: str, place: int) -> int:
        """From where on a text has to be known for what is looked for from ``place`` on."""
        return max(0, place - 1)

    def spans(self, text: str) -> list[Span]:
        """What is found in a whole text."""
        return self.scan(text, 0, over=True)[0]


def replaced(text: str, spans: Iterable[Span]) -> str:
    """A text with what was found replaced.

    >>> replaced("ask ann@example.org", [Span(4, 19, "[email]")])
    'ask [email]'
    """
    parts, place = [], 0
    for one in spans:
        parts += [text[place : one.begin], one.instead]
        place = one.end
    return "".join((*parts, text[place:]))


@dataclass(frozen=True)
class Guard:
    """One rule of a server. A frozen dataclass whose fields are its settings; its name is that of its file.

    A subclass is one of the four kinds below. It knows no server and no request.
    """

    sides: ClassVar[tuple[str, ...]] = ()
    """Where it can stand."""
    actions: ClassVar[tuple[str, ...]] = ()
    """What it can do."""

    action: str = setting("", "What is done: refuse, flag, redact or replace, as far as it can do it.")
    on: tuple[str, ...] = setting((), "Where it stands: input, output, logs, review, as far as it can.")
    models: tuple[str, ...] = setting((), "Names of the models that it is for; all that it fits when empty.")

    def check(self) -> None:
        """Refuse settings that do not fit together.

        Raises:
            GuardError: why. UnknownName: a side or an action that it does not have.
        """
        if self.action not in self.actions:
            raise UnknownName("action of this guard", self.action, self.actions)
        if not self.on:
            raise GuardError("It says nowhere where it stands.", allowed=f"on = {list(self.sides)}, or some of them")
        for side in self.on:
            if side not in self.sides:
                raise UnknownName("side of this guard", str(side), self.sides)
        kept = [side for side in self.on if side in (LOGS, REVIEW)]
        if kept and self.action != REDACT:
            raise GuardError(f"In {kept[0]} nothing can be refused.", allowed=f'action = "{REDACT}"')


@dataclass(frozen=True)
class TextGuard(Guard, ABC):
    """Looks for parts of texts: of inputs, of what models write, of the log, of cases."""

    sides: ClassVar[tuple[str, ...]] = (INPUT, OUTPUT, LOGS, REVIEW)
    actions: ClassVar[tuple[str, ...]] = (REFUSE, FLAG, REDACT)

    @abstractmethod
    def finder(self, folder: Path) -> Finder:
        """What looks for it.

        Args:
            folder: of the rules; files are named from there.

        Raises:
            GuardError: a file or a pattern that cannot be used. MissingExtra: its library is not installed.
        """


@dataclass(frozen=True)
class ModelGuard(Guard, ABC):
    """Has another model judge texts."""

    sides: ClassVar[tuple[str, ...]] = (INPUT, OUTPUT)
    actions: ClassVar[tuple[str, ...]] = (REFUSE, FLAG)

    model: str = setting("", "Path of a classifier: a winner, a run folder or an artifact.")
    every: int = setting(
        0, "Judge what a model writes each time that it has so many more characters; 0 for the whole.", low=0
    )

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.model:
            raise GuardError("It names no model.", fix='model = "runs/toxic/winner"')

    @abstractmethod
    def check_labels(self, labels: Sequence[str]) -> None:
        """Refuse settings that do not fit the labels of the model that it asks.

        Raises:
            UnknownName: a label that is none of them.
        """

    @abstractmethod
    def stops(self, prediction: Prediction) -> bool:
        """Whether a text is stopped of which the model says this."""


@dataclass(frozen=True)
class AnswerGuard(Guard, ABC):
    """Judges the answers of models that choose."""

    sides: ClassVar[tuple[str, ...]] = (OUTPUT,)
    actions: ClassVar[tuple[str, ...]] = (REFUSE, FLAG, REPLACE)

    on: tuple[str, ...] = setting((OUTPUT,), "Where it stands: output.")

    @property
    @abstractmethod
    def instead(self) -> str:
        """The label that is answered where it replaces one."""

    @abstractmethod
    def check_labels(self, labels: Sequence[str]) -> None:
        """Refuse settings that do not fit the labels of the model that answers.

        Raises:
            UnknownName: a label that is none of them.
        """

    @abstractmethod
    def stops(self, prediction: Prediction) -> bool:
        """Whether an answer is stopped."""


@dataclass(frozen=True)
class ProbeGuard(Guard, ABC):
    """Asks a model again, a share of what it was asked, in words that should change nothing."""

    sides: ClassVar[tuple[str, ...]] = (INPUT,)
    actions: ClassVar[tuple[str, ...]] = (FLAG,)

    action: str = setting(FLAG, "What is done: flag.")
    on: tuple[str, ...] = setting((INPUT,), "Where it stands: input.")
    share: float = setting(0.01, "Share of the requests that is asked again.", unit="fraction", low=0.0, high=1.0)

    @abstractmethod
    def variants(self, text: str) -> Mapping[str, str]:
        """Texts that should be answered as ``text`` is, none of them ``text``, by what was changed."""
