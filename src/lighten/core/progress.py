"""How far long work is, told to whoever waits for it, also where it comes on the way to something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[float, float, str], None]
"""Told how far the work is: done, total (0 where nobody knows how much it is), message."""

Remark = Callable[[str], None]
"""Told what a user should know, a sentence each."""

_waiting: ContextVar[Progress | None] = ContextVar("waiting", default=None)
_heeding: ContextVar[Remark | None] = ContextVar("heeding", default=None)


@contextmanager
def reported_to(progress: Progress | None) -> Iterator[None]:
    """Let ``progress`` be told of what is done inside on the way, such as the fetching of a sample.

    Args:
        progress: None for who was told before.
    """
    token = _waiting.set(progress or _waiting.get())
    try:
        yield
    finally:
        _waiting.reset(token)


def as_clock(seconds: float) -> str:
    """A stretch of time as a clock shows it; less than none is none.

    >>> as_clock(75), as_clock(3675), as_clock(-1)
    ('1:15', '1:01:15', '0:00')
    """
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours}:{left:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def report(done: float, total: float, message: str) -> None:
    """Tell whoever waits how far the work is; nobody outside :func:`reported_to`."""
    told = _waiting.get()
    if told is not None:
        told(done, total, message)


@contextmanager
def remarks_to(heard: Remark) -> Iterator[None]:
    """Let ``heard`` be told of what is noticed inside on the way, such as which column of a file was taken."""
    token = _heeding.set(heard)
    try:
        yield
    finally:
        _heeding.reset(token)


def remark(text: str) -> None:
    """Tell whoever listens what was noticed; nobody outside :func:`remarks_to`."""
    heard = _heeding.get()
    if heard is not None:
        heard(text)
