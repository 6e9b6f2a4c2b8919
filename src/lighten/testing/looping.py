"""An event loop in a thread of its own, for tests that wait for what happens on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds that only a test that fails takes."""


class Looping:
    """What :func:`looping` gives."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def call(self, function: Callable[[], T]) -> T:
        """What a function returns that is called on the loop."""

        async def called() -> T:
            return function()

        return self.run(called())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns that runs on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)


@contextmanager
def looping() -> Iterator[Looping]:
    """``with looping() as there``: what ``there.call(function)`` calls is on a loop that runs until the block ends."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield Looping(loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(PATIENCE)
