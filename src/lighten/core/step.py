"""Step: one change of a model. A frozen dataclass whose fields are its settings."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lighten.core.rows import Rows
from lighten.core.task import Task


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known about one setting of a step or engine.

    Attributes:
        name, type, default: of the dataclass field.
        doc: one sentence.
        unit: such as ``"rows"`` or ``"fraction"``; empty when it has none.
        low, high: bounds, both allowed; None when open.
        choices: allowed values; empty when any value within the bounds is.
        search: values that the search tries, in order of promise; empty when it leaves the default.
        saves: values that lessen a quantity, by its name, the least change first; tried where a candidate misses a
            ceiling on that quantity, and only then.
    """

    name: str
    type: type
    default: Any
    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    search: tuple[Any, ...] = ()
    saves: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict, hash=False)

    def problem(self, value: Any) -> str:
        """Why ``value`` is not allowed, in one sentence, or an empty string."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = isinstance(value, self.type) or (self.type is float and number)
        if not fits or (isinstance(value, bool) and self.type is not bool):
            return f"{self.name} is {value!r}; allowed: {self.type.__name__}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{self.name} is {value!r}; allowed: a finite number"
        if self.choices and value not in self.choices:
            return f"{self.name} is {value!r}; allowed: {', '.join(map(repr, self.choices))}"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            unit = f" {self.unit}" if self.unit else ""
            low, high = self.low, self.high
            bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
            return f"{self.name} is {value!r}; allowed: {bounds}{unit}"
        return ""


def setting(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[Any] = (),
    search: Sequence[Any] = (),
    saves: Mapping[str, Sequence[Any]] | None = None,
) -> Any:
    """A dataclass field that carries its own documentation, bounds and search range (see :class:`Setting`)."""
    kept: dict[str, Any] = {"doc": doc, "unit": unit, "low": low, "high": high}
    kept |= {"choices": tuple(choices), "search": tuple(search)}
    kept["saves"] = {quantity: tuple(values) for quantity, values in (saves or {}).items()}
    return dataclasses.field(default=default, metadata=kept)


def settings_of(cls: type) -> tuple[Setting, ...]:
    """The settings of a step or engine class, in the order they are declared."""
    found = []
    for field in dataclasses.fields(cls):
        if "doc" in field.metadata:
            found.append(Setting(field.name, type(field.default), field.default, **field.metadata))
    return tuple(found)


def values_of(instance: Any) -> dict[str, Any]:
    """The settings of an instance by name, as plain JSON values."""
    return {s.name: getattr(instance, s.name) for s in settings_of(type(instance))}


class Watch(Protocol):
    """Where a step reports how far it is, and where it learns that it should stop."""

    def progress(self, done: float, total: float, message: str = "") -> None:
        """``done`` of ``total`` units of work are behind us."""

    def score(self, fraction: float, value: float) -> None:
        """Quality on ``tune`` after ``fraction`` of the training.

        Raises:
            StoppedEarly: racing shows that this candidate cannot win.
        """

    def seconds_left(self) -> float:
        """Seconds until the run's deadline; infinite when it has none."""


class Silent:
    """A watch that reports nowhere and never stops."""

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Ignore."""

    def score(self, fraction: float, value: float) -> None:
        """Ignore."""

    def seconds_left(self) -> float:
        """No deadline."""
        return math.inf


class Teacher(Protocol):
    """The original, asked for its outputs on rows it is to teach."""

    def logits(self, rows: Rows) -> Any:
        """Outputs of the original on ``rows``: float32 array [n, classes]. Computed once per rows, then remembered."""

    def states(self, rows: Rows) -> Any:
        """What the original's layers put out on ``rows``, a ``States``, for those who learn from that."""

    def network(self) -> Any:
        """The original as a float network in memory, opened anew: who asks may change it."""


@dataclass(frozen=True)
class Needs:
    """What a step declared that it needs, handed to it; what it did not declare is None.

    Attributes:
        task: what "good" means.
        train, tune: rows to learn from; rows for calibration and early stopping.
        teacher: the original.
        seed: for every random choice.
        threads: cores it may use.
        watch: progress and stopping.
    """

    task: Task
    seed: int = 0
    threads: int = 1
    train: Rows | None = None
    tune: Rows | None = None
    teacher: Teacher | None = None
    watch: Watch = dataclasses.field(default_factory=Silent)


@dataclass(frozen=True)
class Step(ABC):
    """One change of a model: model and declared needs in, model out. Knows no path, no engine, no other step.

    A step is one file; its folder (``train``, ``prune``, ``distill``, ``quantize``, ``export``) says what kind of
    change it is. Its fields are made with :func:`setting`. Its constructor only stores; ``Recipe.plan`` checks.
    """

    consumes: ClassVar[tuple[str, ...]]
    """Formats it takes."""
    produces: ClassVar[str] = ""
    """Format it makes; empty when the format stays."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """Which of ``train``, ``tune``, ``teacher`` it needs."""
    lossy: ClassVar[bool] = True
    """Whether answers may change."""
    wants_recovery: ClassVar[bool] = False
    """Whether the model should be trained again after it before it is judged."""
    recovers: ClassVar[tuple[str, ...]] = ()
    """Formats of models that this step trains back after reshaping, where its kind does not say so already."""
    trains_heads: ClassVar[bool] = False
    """Whether it trains a network whose head is new from labelled rows alone: what the search begins with where a model
    has none."""
    supersedes: ClassVar[tuple[str, ...]] = ()
    """Steps, such as ``distill.logits``, that the search leaves out where this one can be applied."""
    stock: ClassVar[bool] = False
    """Whether people make it today without lighten, in all its settings: each of them is tried on the original."""
    title: ClassVar[tuple[str, str]] = ("", "")
    """What it does, in English and Chinese, as part of a sentence; its settings stand in braces (``{keep}``; of a share
    ``{spare:%}``). Where it is empty, the first line of the docstring is said."""
    extra: ClassVar[str] = ""
    """Optional dependency group that brings its libraries."""
    environment: ClassVar[tuple[str, ...]] = ()
    """As ``Engine.environment``: a step with the same list shares the environment of that engine."""

    @abstractmethod
    def run(self, model: Any, needs: Needs) -> Any:
        """Return the changed model; ``model`` may be changed in place.

        Args:
            model: opened by ``nets`` for the format it consumes (a ``Network`` or an ``OnnxModel``).
        """

    def check(self, facts: Mapping[str, Any]) -> str:
        """Why this step cannot be applied to a model with these facts (layers, family, ...); empty when it can.

        Among the facts is, for language models, what they are asked (see ``Task.facts``).
        """
        return ""

    def reshapes(self, facts: Mapping[str, Any]) -> bool:
        """Whether a model with these facts should be trained again after this step before it is judged."""
        return self.wants_recovery

    def seconds(self, characters: int) -> float:
        """About how long it learns from so much text on two cores, where that bounds what is tried; else 0."""
        return 0.0

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """Estimated share of the arithmetic that is left after this step, above 0; only orders what is tried first.

        For language models, whose speed is that of reading their weights, the share of the bytes.
        """
        return 1.0


def after(step: Step, format: str) -> str:
    """Format of the model after ``step`` was applied to a model of ``format``."""
    return step.produces or format
