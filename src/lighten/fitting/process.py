"""Process: one training in a process of its own, or several, told and heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.recipe import task_record_of
from lighten.core.task import Task
from lighten.fitting.launch import Launch
from lighten.fitting.options import FitOptions
from lighten.fitting.workers import Workers
from lighten.search.listener import Listener


@dataclass(frozen=True)
class Training:
    """What ``fitting.child:fit`` is called with.

    Attributes:
        options: of the run. base: what is trained. task: of the run. parts: file of the rows.
        lesson: file of what a teacher says of the rows; None without. taught_by: folders of the teachers.
        folder: where checkpoints, curve and model go. seconds: that it may take; None where passes alone bound it.
    """

    options: FitOptions
    base: Artifact
    task: Task
    parts: Path
    folder: Path
    seconds: float | None = None
    lesson: Path | None = None
    taught_by: tuple[Path, ...] = ()


def trained_in_process(
    training: Training, threads: int, listener: Listener, *, over: bool = False
) -> Mapping[str, Any]:
    """Train, or go on from what is there, and give what became of it.

    Args:
        threads: of all workers on this machine. over: see ``child.fit``.

    Raises:
        CandidateFailed, InputError: what went wrong there.
    """
    options = training.options
    launch = Launch.found(options.workers, options.threads)
    each = threads // launch.here

    def event(told: Mapping[str, Any]) -> None:
        if "note" in told:
            listener.note(told["note"])
        elif "done" in told:
            listener.progress(told["done"], told["total"], told["message"])

    arguments = {
        "base": str(training.base.path.resolve()),
        "parts": str(training.parts.resolve()),
        "task": task_record_of(training.task),
        "settings": options.settings,
        "seconds": training.seconds,
        "seed": options.seed,
        "threads": each,
        "folder": str(training.folder.resolve()),
        "model": options.model,
        "lesson": str(training.lesson.resolve()) if training.lesson is not None else "",
        "taught_by": [str(path.resolve()) for path in training.taught_by],
        "over": over,
    }
    workers = Workers(launch, each)
    try:
        return workers.fit(arguments, event)
    finally:
        workers.close()
