"""Presence: whether a client is still there, told by its connection without a task that listens for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lighten.serve.record import Record

EXTENSION = "lighten.presence"
"""Key of ``scope["extensions"]`` under which a connection gives it to the application."""


class Presence:
    """A client who waits for one answer.

    Attributes:
        gone: whether it has closed its connection. record: what is noted of its request; None where nothing is.
    """

    __slots__ = ("_beside", "_called", "gone", "record")

    def __init__(self) -> None:
        self.gone = False
        self.record: Record | None = None
        self._called: Callable[[], object] | None = None
        self._beside: tuple[Callable[[], object], ...] = ()

    def on_leave(self, called: Callable[[], object] | None) -> None:
        """What is called when the client goes away, at once where it has gone; None for nothing any more."""
        self._called = called
        if self.gone and called is not None:
            called()

    @contextmanager
    def told(self, called: Callable[[], object]) -> Iterator[None]:
        """While somebody else is to hear of it, too: what :meth:`on_leave` was given stays."""
        self._beside = (*self._beside, called)
        try:
            if self.gone:
                called()
            yield
        finally:
            self._beside = tuple(one for one in self._beside if one is not called)

    def leave(self) -> None:
        """The client has gone."""
        self.gone = True
        for called in (self._called, *self._beside):
            if called is not None:
                called()
