"""Servable: a model as a server knows it: a name, a version, what is opened, and what is asked of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.engine import Engine
from lighten.core.task import Task
from lighten.isolate.process import ChildProcess
from lighten.sessions.process import SessionProcess


def processes_on(cores: int) -> int:
    """How many processes a model has on so many cores where its user says nothing: one for each, up to four.

    Two of one thread answer a third more requests than one of two, and a single one as soon (MiniLM in int8).
    """
    return max(1, min(cores, 4))


@dataclass(frozen=True)
class Servable:
    """A built artifact that is to be served.

    Attributes:
        name, version: by which it is asked. artifact: built for ``engine``.
        task: what asks it. labels: names of what it chooses from; empty where it chooses nothing.
        options: what is known of the prompt and of the columns that it was made with.
        batch_invariant: whether an input is answered alike, but for rounding, whatever is asked beside it.
        copy: folder of a copy that was made for it alone and goes with it; None where it lies at its user's.
        begun: processes that are opening it already.
    """

    name: str
    version: str
    artifact: Artifact
    engine: Engine
    task: Task
    labels: tuple[str, ...] = ()
    options: DataOptions = field(default_factory=DataOptions)
    batch_invariant: bool = True
    copy: Path | None = None
    begun: list[SessionProcess] = field(default_factory=list, compare=False, repr=False)

    def begin(self, child: ChildProcess, hang: float) -> bool:
        """Have a process open it while the server is still being made. Returns whether it is of the kind that can.

        Args:
            child: that was started. hang: see :meth:`process`.

        Raises:
            SessionCrashed, SessionTimeout: it has gone, or takes nothing.
        """
        made = self._process(child.threads, hang)
        if made.child.kind != child.kind:
            return False
        self.begun.append(made)
        made.begin(child)
        return True

    def process(self, threads: int, hang: float) -> SessionProcess:
        """A process for it, which is to be entered: one that has begun, or a new one.

        Args:
            threads: cores that it may use. hang: seconds after which it is ended where it does not answer.
        """
        while self.begun:
            made = self.begun.pop()
            if (made.threads, made.deadline) == (threads, hang):
                return made
            made.close()
        return self._process(threads, hang)

    def _process(self, threads: int, hang: float) -> SessionProcess:
        return SessionProcess(self.artifact, self.engine, threads=threads, task=self.task, deadline=hang)

    def discard(self) -> None:
        """It is needed no more: what was copied for it is thrown away. Discarding twice is allowed."""
        while self.begun:
            self.begun.pop().close()
        if self.copy is not None:
            shutil.rmtree(self.copy, ignore_errors=True)

    def item_of(self, row: Any) -> Any:
        """What the model is asked of one row.

        Raises:
            InputError: it cannot be asked.
        """
        return self.task.item_of(row, self.options)
