"""Lessons: what a training learns from beside its labels, computed once and kept in the run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lighten.core.task import Data
from lighten.fitting import reading
from lighten.fitting.options import FitOptions
from lighten.fitting.teachers import Teacher
from lighten.nets.training.lesson import FILE, LABELS, Lesson
from lighten.nets.training.shares import averaged
from lighten.search.listener import Listener
from lighten.store.folder import RunFolder


def lesson_for(
    options: FitOptions, folder: RunFolder, data: Data, teachers: Sequence[Teacher], threads: int, listener: Listener
) -> tuple[Path, Path | None]:
    """The file of the rows that are learned from, and that of what is taught of them; None where labels are all.

    Raises:
        CandidateFailed: a teacher does not run.
    """
    if not teachers:
        return folder.path / reading.PARTS, None
    file = folder.path / FILE
    if not file.is_file():
        listener.note(f"Asking {', '.join(one.name for one in teachers)} about {len(data.parts.train):,} rows.")
        each = [one.answers(folder, data, "train", data.parts.train, threads, listener)[0] for one in teachers]
        weights = np.full(len(data.parts.train), LABELS, np.float32)
        Lesson(averaged(each), weights).save(file)
    return folder.path / reading.PARTS, file
