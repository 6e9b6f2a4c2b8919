"""Child processes without processes: inside, what one would do is done in this one, which has imported everything.

Messages and answers are packed and unpacked as on the way to a child and back, so what does not survive that fails
here too. What a process of its own is for (a crash, a hang, memory, its variables) is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from lighten.fitting import child as training
from lighten.isolate import child, wire
from lighten.isolate.child import Child, answer
from lighten.isolate.process import ChildProcess
from lighten.measure.rates import Rate


class _Parent:
    """Stands for the way to the parent: what is emitted reaches who listens, at once."""

    def __init__(self, on_event: Callable[[Mapping[str, Any]], object] | None) -> None:
        self._on_event = on_event

    def sendall(self, data: bytes) -> None:
        """Tell who listens."""
        if self._on_event is not None:
            self._on_event(wire.unpack(data)["event"])


def _start(self: ChildProcess) -> None:
    vars(self)["here"] = Child()


def _ask(
    self: ChildProcess,
    operation: str,
    deadline: float,
    *,
    on_event: Callable[[Mapping[str, Any]], object] | None = None,
    **message: Any,
) -> dict[str, Any]:
    with patch.object(child, "_parent", _Parent(on_event)):
        told = wire.pack(answer(vars(self)["here"], wire.unpack(wire.pack({"op": operation, **message}))))
    line, _, behind = told.partition(b"\n")
    reply = wire.unpack(line)
    if "error" in reply:
        raise wire.unpack_error(reply["error"])
    if wire.ARRAYS in reply:
        reply[wire.ARRAYS] = wire.unpack_arrays(reply[wire.ARRAYS], bytearray(behind))
    return reply


def _close(self: ChildProcess) -> None:
    if (opened := vars(self).pop("here", None)) is not None:
        opened.close()


@contextmanager
def children_here() -> Iterator[None]:
    """Inside, no child process is started."""
    with patch.multiple(ChildProcess, start=_start, ask=_ask, close=_close, kill=_close):
        yield


@contextmanager
def trainings_here() -> Iterator[None]:
    """As :func:`children_here`, and how fast this machine multiplies matrices is not measured."""
    with children_here(), patch.object(training, "product_rate", lambda *_: Rate(100.0)):
        yield
