"""Engine: what builds a candidate and opens it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.session import Session
from lighten.core.step import settings_of


@dataclass(frozen=True)
class Engine(ABC):
    """One runtime: export and run. One file in ``engines/``; its fields are its settings (``core.step.setting``)."""

    consumes: ClassVar[tuple[str, ...]]
    """Formats it can build from."""
    stores: ClassVar[tuple[str, ...]]
    """Formats it can open."""
    title: ClassVar[tuple[str, str]] = ("", "")
    """What people know it by, in English and Chinese. Where it is empty, the first line of the docstring is said."""
    extra: ClassVar[str] = ""
    """Optional dependency group that brings its libraries."""
    environment: ClassVar[tuple[str, ...]] = ()
    """What an environment of its own has installed, each ``name==version``, where its libraries clash with lighten's
    (see ``isolate.environments``); empty for an engine that runs in lighten's."""
    device: ClassVar[str] = "cpu"

    @abstractmethod
    def version(self) -> str:
        """Name and version of the runtime.

        Raises:
            MissingExtra: its library is not installed.
        """

    @abstractmethod
    def build(self, artifact: Artifact, folder: Path) -> str:
        """Write into the empty ``folder`` what :meth:`open` needs and return its format (one of ``stores``).

        Raises:
            BuildFailed: the runtime refuses the model.
        """

    @abstractmethod
    def open(self, artifact: Artifact, *, threads: int) -> Session:
        """Load a built artifact. ``threads`` cores may be used, and no more."""

    def ways(self) -> list[Engine]:
        """This engine, then every combination of the search ranges of its settings; its other settings stay."""
        ranged = [s for s in settings_of(type(self)) if s.search]
        every = product(*(s.search for s in ranged))
        found: list[Engine] = [self]
        for values in every:
            changed = replace(self, **dict(zip([s.name for s in ranged], values, strict=True)))
            found += [changed] if changed not in found else []
        return found

    def sparing(self, quantities: Collection[str]) -> list[Engine]:
        """This engine with settings that declare that they lessen some of ``quantities`` (``Setting.saves``).

        Returns:
            With all of them at their least change, with all at their most, then with each value alone; without the
            engine itself.
        """
        saving: dict[str, list[Any]] = {}
        for one in settings_of(type(self)):
            values = [v for quantity in one.saves if quantity in quantities for v in one.saves[quantity]]
            if kept := [v for v in dict.fromkeys(values) if v != getattr(self, one.name)]:
                saving[one.name] = kept
        together = [{name: values[end] for name, values in saving.items()} for end in (0, -1)]
        alone = [{name: value} for name, values in saving.items() for value in values]
        found: list[Engine] = []
        for changes in (*together, *alone):
            changed = replace(self, **changes)
            found += [changed] if changed not in (self, *found) else []
        return found

    def settle(self, artifact: Artifact, *, threads: int) -> Engine:
        """This engine with all that it leaves to the machine decided, by measuring ``artifact`` where that tells.

        Raises:
            BuildFailed: the runtime refuses the model.
        """
        return self

    def apart(self) -> Engine:
        """This engine with every input computed by itself; as it is where none of its formats' models needs that to
        answer an input alike whatever is beside it (see ``Format.batch_invariant``)."""
        return self

    def memory(self, facts: Mapping[str, Any]) -> Mapping[str, int]:
        """Bytes that a session of a model with these facts takes, about, by what they are for; empty where small."""
        return {}
