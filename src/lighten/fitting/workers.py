"""Workers: the processes of one training on this machine. Where one dies, all end, with the reason of the one."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from lighten.core.errors import LightenError, OutOfMemory, PeerLost, SessionCrashed
from lighten.fitting.launch import Launch
from lighten.isolate.process import ChildProcess
from lighten.pipeline.workshop import A_DAY

FIT = "lighten.fitting.child:fit"
PATIENCE = 100 * A_DAY
"""Seconds that a process may be at work on one thing, such as a training; what hangs is ended by the user."""
GRACE = 3.0
"""Seconds in which a worker that lost another one waits for the reason of that."""


class Workers:
    """Processes that train one network together; the first one tells how far they are. Ended by :meth:`close`.

    Args:
        launch: which of them are started here. threads: of each.
    """

    def __init__(self, launch: Launch, threads: int) -> None:
        self._launch = launch
        self._children = {rank: ChildProcess(threads=threads, patient=True) for rank in launch.own}
        self._failures: list[tuple[int, LightenError]] = []
        self._ending = threading.Event()
        self._place = tempfile.TemporaryDirectory(prefix="lighten-")

    def fit(self, arguments: Mapping[str, Any], on_event: Callable[[Mapping[str, Any]], object]) -> Mapping[str, Any]:
        """Train together as a ``child.Job`` says. Gives what became of it.

        Raises:
            LightenError: what went wrong in one of them. Where one died and the others say that they lost it, its own
                reason is raised.
        """
        first, *rest = self._children
        for child in self._children.values():
            child.start()
        with ThreadPoolExecutor(max(len(rest), 1)) as pool:
            others = [pool.submit(self._work, rank, arguments) for rank in rest]
            try:
                found = self._ask(first, arguments, on_event)
                wait(others, GRACE)
                return found
            except LightenError as error:
                self._failed(first, error)
                wait(others, GRACE)
            finally:
                self._end()
        raise self._reason()

    def close(self) -> None:
        """End all of them; closing twice is allowed."""
        for child in self._children.values():
            child.close()
        self._place.cleanup()

    def _ask(
        self, rank: int, arguments: Mapping[str, Any], on_event: Callable[[Mapping[str, Any]], object] | None
    ) -> Mapping[str, Any]:
        launch = self._launch
        address = "env://" if launch.outside else f"file://{Path(self._place.name) / 'meeting'}"
        meeting = {"rank": rank, "size": launch.size, "here": launch.here, "address": address}
        reply = self._children[rank].ask(
            "call", PATIENCE, on_event=on_event, function=FIT, arguments={**arguments, "meeting": meeting}
        )
        found: Mapping[str, Any] = reply["value"]
        return found

    def _work(self, rank: int, arguments: Mapping[str, Any]) -> None:
        """Let one of the others work; where it fails for a reason of its own, nobody need wait for it."""
        try:
            self._ask(rank, arguments, None)
        except LightenError as error:
            self._failed(rank, error)
            if not isinstance(error, PeerLost):
                self._end()

    def _failed(self, rank: int, error: LightenError) -> None:
        if not self._ending.is_set():  # else we ended it
            self._failures.append((rank, error))

    def _end(self) -> None:
        self._ending.set()
        for child in self._children.values():
            child.kill()

    def _reason(self) -> LightenError:
        """Why it ended: what happened to one, before what others saw of it."""
        rank, error = min(self._failures, key=lambda one: (isinstance(one[1], PeerLost), one[0]))
        if self._launch.size == 1 or not isinstance(error, (SessionCrashed, OutOfMemory, PeerLost)):
            return error
        seen = f"Worker {rank} of {self._launch.size} (from 0) failed, and ended the training. {error.seen}"
        return type(error)(seen, allowed=error.allowed, fix=error.fix)
