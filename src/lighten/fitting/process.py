"""Process: one training in a process of its own, or several, told and heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.data_options import columns_in
from lighten.core.errors import OutOfMemory
from lighten.core.recipe import task_record_of
from lighten.core.task import Task
from lighten.fitting.child import CHECKPOINTS
from lighten.fitting.launch import Launch
from lighten.fitting.options import FitOptions
from lighten.fitting.workers import Workers
from lighten.nets.training.checkpoint import count_death
from lighten.search.listener import Listener


@dataclass(frozen=True)
class Training:
    """A training that is to be made in a process of its own, or whose settings are to be searched in one.

    Attributes:
        options: of the run. base: what is trained. task: of the run. parts: file of the rows.
        lesson: file of what a teacher says of the rows; None without. taught_by: folders of the teachers.
        folder: where checkpoints, curve and model go. seconds: that it may take; None where passes alone bound it.
        settings: ``Hyperparameters``; None for those that the options give.
        columns: of the data by role; the text of a prompt is what the prompt shows.
    """

    options: FitOptions
    base: Artifact
    task: Task
    parts: Path
    folder: Path
    seconds: float | None = None
    lesson: Path | None = None
    taught_by: tuple[Path, ...] = ()
    settings: Mapping[str, Any] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, threads: int) -> dict[str, Any]:
        """What the process is told, as plain values. threads: that it may use."""
        return {
            "base": str(self.base.path.resolve()),
            "parts": str(self.parts.resolve()),
            "task": task_record_of(self.task),
            "settings": self.options.settings if self.settings is None else dict(self.settings),
            "seconds": self.seconds,
            "seed": self.options.seed,
            "threads": threads,
            "folder": str(self.folder.resolve()),
            "lesson": str(self.lesson.resolve()) if self.lesson is not None else "",
        }


def hearing(listener: Listener) -> Callable[[Mapping[str, Any]], None]:
    """Tells a listener what a process says while it works."""

    def event(told: Mapping[str, Any]) -> None:
        if "note" in told:
            listener.note(told["note"])
        elif "done" in told:
            listener.progress(told["done"], told["total"], told["message"])

    return event


def trained_in_process(
    training: Training, threads: int, listener: Listener, *, over: bool = False
) -> Mapping[str, Any]:
    """Train, or go on from what is there, and give what became of it.

    Args:
        threads: of all workers on this machine. over: see ``child.Job``.

    Raises:
        CandidateFailed, InputError: what went wrong there.
    """
    options = training.options
    launch = Launch.found(options.workers, options.threads)
    each, prompted = threads // launch.here, options.of_data.prompt is not None
    arguments = {
        **training.arguments(each),
        "model": options.model,
        "taught_by": [str(path.resolve()) for path in training.taught_by],
        "over": over,
        "columns": {
            role: name for role, name in columns_in(training.columns).items() if role != "text" or not prompted
        },
    }
    workers = Workers(launch, each)
    try:
        return workers.fit(arguments, hearing(listener))
    except OutOfMemory:
        count_death(training.folder / CHECKPOINTS)
        raise
    finally:
        workers.close()
