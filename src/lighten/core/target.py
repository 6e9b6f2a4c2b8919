"""Target: what other people's servers and loaders open as it is. One file in ``targets/``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.task import Task

RUN = "run.py"
"""The program of a folder that answers with nothing but the runtime; it defines ``answer(value)``."""
BY_RUN = f'import runpy\nanswer = runpy.run_path("{RUN}")["answer"]'
"""How a folder with such a program is asked."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model that is to be handed over.

    Attributes:
        artifact: in a format that the target takes.
        engine: record of the engine that it was measured in, with its settings.
        task: that it was made for. labels: names of its classes, in the order of its outputs.
        name: what servers call it: letters, digits and underscores.
        config: ``config.json`` of the network that it was made from; empty where nobody knows it.
    """

    artifact: Artifact
    engine: Mapping[str, Any]
    task: Task
    labels: tuple[str, ...]
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to open what was written. title: in English and Chinese. code: what is typed. language: of the code."""

    title: tuple[str, str]
    code: str
    language: str = "sh"


class Target(ABC):
    """Something that other people's programs open without lighten. Its name is that of its file.

    A target changes no number: it takes models in the formats that it ``consumes``, or what conversions that keep every
    answer make of them, and refuses others.
    """

    title: ClassVar[tuple[str, str]] = ("", "")
    """What people know it by, in English and Chinese."""
    consumes: ClassVar[tuple[str, ...]] = ()
    """Formats that it takes as they lie; empty for every one."""
    extra: ClassVar[str] = ""
    """Optional dependency group that brings its libraries."""

    def check(self, source: Source) -> str:
        """Why it cannot be made of this model, though its format fits, in one sentence; empty when it can."""
        return ""

    def check_answers(self, source: Source) -> str:
        """What :meth:`check` says of its task and labels alone, which no conversion to a format that fits changes."""
        return ""

    @abstractmethod
    def write(self, source: Source, folder: Path) -> None:
        """Write everything but the page about it into the empty ``folder``.

        Raises:
            ModelError: the model's files cannot be read. MissingExtra: a library is missing.
        """

    @abstractmethod
    def about(self, source: Source) -> tuple[str, str]:
        """What was written, in a sentence or two, in English and Chinese."""

    @abstractmethod
    def ways(self, source: Source) -> Sequence[Way]:
        """How it is opened, the plainest way first."""

    def asking(self, source: Source) -> str:
        """Python that is run in the written folder by a process without lighten, and defines ``answer(value)``.

        The function gives what a prediction gives as JSON (``label`` and ``scores``), or ``answer``, where it writes.
        Empty where only lighten opens the folder; then its files must be the model's, byte for byte.
        """
        return BY_RUN

    def writes(self, source: Source) -> bool:
        """Whether ``answer`` goes on with a text, greedily, instead of answering as the model's task does."""
        return False
