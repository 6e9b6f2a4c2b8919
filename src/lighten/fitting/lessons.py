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
from lighten.fitting.unlabelled import unlabelled_rows
from lighten.nets.training.lesson import FILE, LABELS, Lesson
from lighten.nets.training.shares import averaged
from lighten.search.listener import Listener
from lighten.store.folder import RunFolder, save_parts
from lighten.store.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS, FIRST = "lesson.json", "first"
"""File of the rows with those that have no label, and folder of the training on those that have one."""
UNLABELLED, ROWS, FIRST_COST = "unlabelled", "rows without labels", "cost of the first training"
"""Under which the study remembers how many rows without a label there are, which, and what their first teacher cost."""
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
) -> Taught:
    """The files of what is learned from; what was asked before is not asked again.

    Raises:
        CandidateFailed: a teacher does not run, or a first training came apart.
    """
    plain = folder.path / reading.PARTS
    if not teachers and not options.unlabelled:
        return Taught(plain)
    items, ids, note = unlabelled_rows(options, data.task, data.parts) if options.unlabelled else ((), (), "")
    check_same(options, folder.study, ids)
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
    if options.unlabelled:
        if note:
            listener.note(note)
        more = told("unlabelled", Rows(items, (0,) * len(items), ids=ids))
        rows = joined(train, items, ids, more)
        answers, weights = np.concatenate([answers, more]), np.append(weights, np.zeros(len(more)))
        save_parts(replace(data.parts, train=rows), parts)
    Lesson(answers, weights).save(folder.path / FILE)
    return found


def check_same(options: FitOptions, study: Study, ids: Sequence[str]) -> None:
    """Refuse a resumed training whose rows without labels are others than they were.

    Args:
        ids: the hash of each row.

    Raises:
        RunFolderError: they are.
    """
    told = {UNLABELLED: len(ids)} if ids else {}
    digest = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
    if study.recall(ROWS, digest) != digest:
        raise RunFolderError(
            f"--resume: the rows of --unlabelled {options.unlabelled} are others than those of the training in "
            f"{options.out}.",
            allowed="the rows that it was begun with",
            fix="give these, or another --out",
        )
    study.remember(ROWS, digest)
    study.remember(UNLABELLED, told)


def joined(train: Rows, items: Sequence[Any], ids: Sequence[str], answers: NDArray[Any]) -> Rows:
    """Rows of train, and after them rows whose class is what a teacher says; no group, and each its own unit."""
    count = len(items)
    return Rows(
        (*train.inputs, *items),
        (*train.targets, *map(int, answers.argmax(axis=1))),
        (*train.groups, *("",) * count) if train.groups else (),
        (*train.units, *(f"unlabelled:{one}" for one in ids)) if train.units else (),
        (*train.ids, *ids) if train.ids else (),
        (*train.references, *("",) * count) if train.references else (),
    )


def first_of(
    options: FitOptions, folder: RunFolder, base: Artifact, data: Data, threads: int, listener: Listener
) -> Teacher:
    """The model itself after a training on the labelled rows, as the teacher of those that have no label.

    Raises:
        CandidateFailed: it came apart.
    """
    place = folder.path / FIRST
    if not is_whole(place / MODEL):
        listener.note("A first training, on the rows with labels: what it makes answers the others.")
        place.mkdir(exist_ok=True)
        training = Training(options, base, data.task, folder.path / reading.PARTS, place, seconds=seconds_of(options))
        found = trained_in_process(training, threads, listener)
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
        "joules": first["joules"] + cost["joules"] if both else None,
        "arithmetic": first["arithmetic"] + cost["arithmetic"] if first["arithmetic"] and cost["arithmetic"] else None,
    }


def weighed(options: FitOptions) -> Mapping[str, Any]:
    """What is said of a lesson among the settings of a training."""
    asked = {"teacher": ", ".join(options.teachers), "unlabelled": options.unlabelled}
    return {name: value for name, value in asked.items() if value}
