"""Session: a built candidate that is loaded and answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lighten.core.item import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Session(ABC):
    """A model that is loaded and answers. A context manager; takes items, reader included."""

    @abstractmethod
    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """Answer all ``inputs`` as fast as the engine can (it may sort and batch them).

        Returns:
            float32 array [n, columns] in the order of ``inputs``: logits of classes, numbers of a vector.
        """

    def sizes(self, inputs: Sequence[Item]) -> list[int]:
        """How much of each input is read, such as its tokens; 0 of a session that does not count."""
        return [0] * len(inputs)

    @abstractmethod
    def close(self) -> None:
        """Free what the session holds. Closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
