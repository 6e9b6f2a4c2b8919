"""Lessons: what a training learns from beside its labels, computed once and kept in the run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.artifact import Artifact, is_whole
from lighten.core.errors import RunFolderError
from lighten.core.rows import Rows
from lighten.core.task import Data
from lighten.core.training import MODEL
from lighten.fitting import reading
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training, trained_in_process
from lighten.fitting.teachers import Teacher
from lighten.fitting.unlabelled import Unlabelled
from lighten.nets.training.ensemble import averaged
from lighten.nets.training.lesson import FILE, LABELS, Lesson
from lighten.search.listener import Listener
from lighten.store.folder import RunFolder, save_parts
from lighten.store.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS, FIRST = "lesson.json", "first"
"""File of the rows with those that have no label, and folder of the training on those that have one."""
UNLABELLED, ROWS, LEFT_OUT = "unlabelled", "rows without labels", "rows without labels that were left out"
"""Under which the study remembers how many rows without a label there are, which, and a note on the others."""
FIRST_COST, FIRST_NOTES = "cost of the first training", "notes of the first training"
"""Under which it remembers these of the training that taught them."""
FIRST_NUMBER = -1
"""Number of the model of that training among the teachers."""


@dataclass(frozen=True)
class Taught:
    """What a training learns from.

    Attributes:
        parts: file of the rows. lesson: of what is taught of them; None where labels are all.
        teachers: folders of the models that taught.
    """

    parts: Path
    lesson: Path | None = None
    teachers: tuple[Path, ...] = ()


def lesson_for(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    data: Data,
    teachers: Sequence[Teacher],
    threads: int,
    listener: Listener,
    more: Unlabelled | None = None,
) -> Taught:
    """The files of what is learned from; what was asked before is not asked again.

    Args:
        more: rows without labels; None where there are none, or the run has its lesson from before.

    Raises:
        CandidateFailed: a teacher does not run, or a first training came apart.
    """
    plain = folder.path / reading.PARTS
    if not teachers and not options.unlabelled:
        return Taught(plain)
    if more is not None:
        check_same(options, folder.study, more)
    own = teachers or [first_of(options, folder, base, data, threads, listener)]
    parts = folder.path / PARTS if options.unlabelled else plain
    found = Taught(parts, folder.path / FILE, tuple(one.artifact.path for one in own))
    if (folder.path / FILE).is_file():
        return found

    def told(part: str, rows: Rows) -> NDArray[np.float32]:
        listener.note(f"Asking {', '.join(one.name for one in own)} about {len(rows):,} rows.")
        return averaged([one.answers(folder, data, part, rows, threads, listener)[0] for one in own])

    train = data.parts.train
    weights = np.full(len(train), LABELS if teachers else 1.0)
    answers = told("train", train) if teachers else np.zeros((len(train), len(data.parts.labels)), np.float32)
    if more is not None:
        if more.note:
            listener.note(more.note)
        said = told("unlabelled", Rows(more.items, (0,) * len(more.items), ids=more.ids))
        answers, weights = np.concatenate([answers, said]), np.append(weights, np.zeros(len(said)))
        save_parts(replace(data.parts, train=joined(train, more, said)), parts)
    Lesson(answers, weights).save(folder.path / FILE)
    return found


def has_lesson(run: Path) -> bool:
    """Whether a run has all that its training learns from, so that rows without labels are not read again."""
    return (run / FILE).is_file() or is_whole(run / MODEL)


def check_same(options: FitOptions, study: Study, more: Unlabelled) -> None:
    """Refuse a resumed training whose rows without labels are others than they were; else remember them.

    Raises:
        RunFolderError: they are.
    """
    digest = hashlib.sha256(" ".join(more.ids).encode()).hexdigest()[:16]
    if study.recall(ROWS, digest) != digest:
        raise RunFolderError(
            f"--resume: the rows of --unlabelled {options.unlabelled} are others than those of the training in "
            f"{options.out}.",
            allowed="the rows that it was begun with",
            fix="give these, or another --out",
        )
    study.remember(ROWS, digest)
    study.remember(UNLABELLED, {UNLABELLED: len(more.ids)})
    study.remember(LEFT_OUT, more.note)


def joined(train: Rows, more: Unlabelled, answers: NDArray[Any]) -> Rows:
    """Rows of train, and after them rows whose class is what a teacher says; no group, and each its own unit."""
    none = ("",) * len(more.items)
    return train + Rows(
        more.items,
        tuple(map(int, answers.argmax(axis=1))),
        none if train.groups else (),
        tuple(f"unlabelled:{one}" for one in more.ids) if train.units else (),
        more.ids if train.ids else (),
        none if train.references else (),
    )


def first_of(
    options: FitOptions, folder: RunFolder, base: Artifact, data: Data, threads: int, listener: Listener
) -> Teacher:
    """The model itself after a training on the labelled rows, as the teacher of those that have no label.

    Raises:
        CandidateFailed: it came apart.
    """
    place = folder.path / FIRST
    if not is_whole(place / MODEL) or folder.study.recall(FIRST_COST) is None:
        listener.note("A first training, on the rows with labels: what it makes answers the others.")
        place.mkdir(exist_ok=True)
        training = Training(options, base, data.task, folder.path / reading.PARTS, place, seconds=seconds_of(options))
        found = trained_in_process(training, threads, listener)
        folder.study.remember(FIRST_NOTES, found["notes"])
        folder.study.remember(FIRST_COST, found["cost"])
    labels = range(len(data.parts.labels))
    return Teacher("the first training", FIRST_NUMBER, Artifact.open(place / MODEL), tuple(labels))


def seconds_of(options: FitOptions) -> float | None:
    """Time of a training; where the model teaches itself, there are two."""
    twice = options.unlabelled and not options.teachers
    return options.seconds / 2 if twice and options.seconds is not None else options.seconds


def first_cost(study: Study, cost: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be changed of a training's cost where there was one before it, of which it is the second half."""
    first = study.recall(FIRST_COST)
    if first is None:
        return {}
    added: dict[str, Any] = {name: first[name] + cost[name] for name in ("seconds", "cpu_seconds")}
    both = first["joules"] is not None and cost["joules"] is not None
    return added | {
        "memory": max(first["memory"], cost["memory"]),
        "resumed": first["resumed"] or cost["resumed"],
        "joules": first["joules"] + cost["joules"] if both else None,
        "energy_note": cost["energy_note"] or first["energy_note"],
        "arithmetic": first["arithmetic"] + cost["arithmetic"] if first["arithmetic"] and cost["arithmetic"] else None,
    }


def notes_of(study: Study) -> tuple[str, ...]:
    """What is worth knowing of what was learned from: rows that were left out, and how the first training went."""
    left = study.recall(LEFT_OUT, "")
    return (*([left] if left else []), *(f"The first training: {note}" for note in study.recall(FIRST_NOTES, [])))


def weighed(options: FitOptions) -> Mapping[str, Any]:
    """What is said of a lesson among the settings of a training."""
    asked = {"teacher": ", ".join(options.teachers), "unlabelled": options.unlabelled}
    return {name: value for name, value in asked.items() if value}
