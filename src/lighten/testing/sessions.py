"""Sessions without a model, for tests of speed meters."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.item import Item
from lighten.core.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RecordingSession(Session):
    """Answers zeros and remembers what it was asked.

    Args:
        burn: CPU-seconds that each call takes, on two threads together.
    """

    def __init__(self, burn: float = 0.0) -> None:
        self.asked: list[tuple[Item, ...]] = []
        self.burn = burn

    def run(self, inputs: Sequence[Item]) -> NDArray[Any]:
        """float32 [n, 2] zeros."""
        self.asked.append(tuple(inputs))
        if self.burn:
            workers = [threading.Thread(target=self._spin) for _ in range(2)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        return np.zeros((len(inputs), 2), dtype=np.float32)

    def _spin(self) -> None:
        until = time.thread_time() + self.burn / 2
        while time.thread_time() < until:
            pass

    def close(self) -> None:
        """Nothing is held."""
