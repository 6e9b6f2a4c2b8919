"""Teachers: trained models whose averaged answers a training learns from, and is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lighten.core import catalog
from lighten.core.artifact import Artifact, is_whole
from lighten.core.errors import InputError
from lighten.core.matching import facts_of, format_named
from lighten.core.rows import Rows
from lighten.core.task import Data
from lighten.data.classes import match_classes
from lighten.fitting.options import FitOptions
from lighten.fitting.reading import engine_of, stored
from lighten.fitting.score import timed_answers
from lighten.models.bring import find
from lighten.models.recognize import check_task
from lighten.search.listener import Listener
from lighten.search.optimize import bring_model
from lighten.store.folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OTHERWISE = "give models that were trained for the task, with the same classes, or leave --teacher out"
KEY = 2_000
"""From which the study counts their answers."""


@dataclass(frozen=True)
class Teacher:
    """One model that is learned from.

    Attributes:
        name: as the user gave it. number: of it among the teachers. artifact: as it was brought.
        places: its output for each class of the student.
    """

    name: str
    number: int
    artifact: Artifact
    places: tuple[int, ...]

    def answers(
        self, folder: RunFolder, data: Data, part: str, rows: Rows, threads: int, listener: Listener
    ) -> tuple[NDArray[np.float64], float]:
        """Its logits in the order of the student's classes, [rows, classes], and the seconds that they took, once.

        Args:
            part: under which they are kept.

        Raises:
            CandidateFailed: it does not run.
        """
        found, seconds = timed_answers(
            folder.study, KEY + self.number, part, self.artifact, engine_of(self.artifact), data.task, rows,
            len(self.places), threads, listener,
        )  # fmt: skip
        return found[:, list(self.places)], seconds


def bring_teachers(options: FitOptions, data: Data, scratch: Path) -> list[Artifact]:
    """Each teacher as the run has it from before, else checked and copied into a folder of ``scratch``.

    Raises:
        ModelError, UnsafeFile: one that cannot be used, or is not for the task. InputError: one without a head.
    """
    made = []
    for number, name in enumerate(options.teachers):
        kept = options.out / "store" / stored(number)
        if is_whole(kept):
            made.append(Artifact.open(kept))
            continue
        found = find(name)
        check_task(f"--teacher {name}", found, catalog.name_of(data.task), fix=OTHERWISE)
        if options.resume:
            format_named(found.format).refuse_unnamed(found, str(options.out))
        made.append(bring_model(name, found, scratch / stored(number)))
        if not facts_of(made[-1]).get("has_head", True):
            raise InputError(
                f"--teacher {name} has no head that was trained, so it has nothing to teach.",
                allowed="a trained model, or the folder of a training",
                fix=f"train it first: lighten train {name} --data {options.data}",
            )
    return made


def teachers_of(options: FitOptions, artifacts: Sequence[Artifact], labels: Sequence[str]) -> list[Teacher]:
    """The teachers, each with its output for every class of the student.

    Raises:
        InputError: one that answers more or fewer classes. DataError: one whose classes are others.
    """
    made = []
    for number, (name, artifact) in enumerate(zip(options.teachers, artifacts, strict=True)):
        own = tuple(map(str, artifact.meta.get("labels", ())))
        if len(own) != len(labels):
            raise InputError(
                f"--teacher {name} answers {len(own):,} classes, and the model that is trained {len(labels):,}: "
                f"{', '.join(own[:8])}; {', '.join(labels[:8])}.",
                allowed="teachers of the same classes",
                fix="give models that were trained on the same labels",
            )
        made.append(Teacher(name, number, artifact, match_classes(own, labels, model=f"--teacher {name}").places))
    return made


def adopt(folder: RunFolder, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Keep the teachers in the store of a run."""
    return [
        artifact if artifact.path.parent == folder.store.root else folder.store.adopt(stored(number), artifact)
        for number, artifact in enumerate(artifacts)
    ]
