"""Engine and Session: what runs a candidate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.step import settings_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Session(ABC):
    """A model that is loaded and answers. A context manager; takes raw inputs, tokenizer included."""

    @abstractmethod
    def run(self, inputs: Sequence[str]) -> NDArray[Any]:
        """Answer all ``inputs`` as fast as the engine can (it may sort and batch them).

        Returns:
            float32 array [n, classes] of logits in the order of ``inputs``.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what the session holds. Closing twice is allowed."""

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Engine(ABC):
    """One runtime: export and run. One file in ``engines/``; its fields are its settings (``core.step.setting``)."""

    consumes: ClassVar[tuple[str, ...]]
    """Formats it can build from."""
    stores: ClassVar[tuple[str, ...]]
    """Formats it can open."""
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

    def settled(self, artifact: Artifact, *, threads: int) -> Engine:
        """This engine with all that it leaves to the machine decided, by measuring ``artifact`` where that tells.

        Raises:
            BuildFailed: the runtime refuses the model.
        """
        return self

    def memory(self, facts: Mapping[str, Any]) -> Mapping[str, int]:
        """Bytes that a session of a model with these facts takes, about, by what they are for; empty where small."""
        return {}
