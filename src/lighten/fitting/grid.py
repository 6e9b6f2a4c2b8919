"""Grid: the model trained on each group of the data alone, and each of these tested on every group.

It says whether one group teaches another: what is far below the diagonal does not generalize. One training for each
group, so it is made where it is asked for only.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lighten.core.artifact import Artifact, is_whole
from lighten.core.errors import CandidateFailed, InputError
from lighten.core.rows import Parts, Rows
from lighten.core.task import Data
from lighten.core.training import MODEL, GridCell
from lighten.fitting import reading
from lighten.fitting.lessons import weighed
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training, trained_in_process
from lighten.fitting.scalars import FILE, read_curve
from lighten.fitting.score import answers_on, scores
from lighten.search.listener import Listener
from lighten.search.start import meters
from lighten.store.folder import RunFolder, save_parts
from lighten.store.study import Study

FOLDER = "grid"
"""Folder of a run with the trainings of each group, while they go on."""
KEY = 1_000
"""From which the study counts their answers."""
COST = "cost of the grid's training {}"
"""Under which it remembers the seconds, by the clock and of all cores, of each."""
MOST = 16
"""Groups of a grid, at most: each is a training."""
FEWEST = 10
"""Rows of a group in train and in tune, at least."""


def check_grid(parts: Parts) -> None:
    """Refuse data that make no grid.

    Raises:
        InputError: no groups, too many, or one that has too few rows or a single label to learn from.
    """
    names = groups_of(parts.train)
    if not 2 <= len(names) <= MOST:
        seen = f"has {len(names):,} groups" if names else "has no column of groups"
        raise InputError(
            f"--grid was given, and the data {seen}: the model is trained on each of them alone.",
            allowed=f"2 to {MOST} groups",
            fix="name the column with --group, or leave --grid out",
        )
    for name in names:
        train, tune = of_group(parts.train, name), of_group(parts.tune, name)
        few = min(len(train), len(tune)) < FEWEST
        if few or (parts.labels and len(set(train.targets)) < 2):
            seen = f"{len(train):,} rows to train on and {len(tune):,} to tune on" if few else "rows of one label only"
            raise InputError(
                f"--grid was given, and nothing can be learned from the group {name} alone: it has {seen}.",
                allowed=f"{FEWEST} rows in each part, and two labels",
                fix="leave --grid out, or leave that group out of the data",
            )


def groups_of(rows: Rows) -> list[str]:
    """Names of the groups, in alphabetical order."""
    return sorted(Counter(rows.groups))


def of_group(rows: Rows, name: str) -> Rows:
    """The rows of one group."""
    return rows.take([number for number, group in enumerate(rows.groups) if group == name])


@dataclass(frozen=True)
class Grid:
    """What became of a grid. seconds, cpu_seconds: of all its trainings."""

    cells: tuple[GridCell, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def grid_of(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    data: Data,
    threads: int,
    listener: Listener,
    note: Callable[[str], None],
) -> Grid:
    """Train on each group alone, and test on every group of ``proof``; what was done before is not done again.

    A group whose training comes apart, or whose model does not run, is left out with a note: the training on all of
    them is over, and worth its result without it. A resumed run tries it again.
    """
    if others := [f"--{name}" for name in ("teacher", "unlabelled") if weighed(options).get(name)]:
        note(
            f"The models of the grid learned from the labels of their group alone, and the one that was trained on all "
            f"groups from {' and '.join(others)}, too."
        )
    found: list[GridCell] = []
    names, study = groups_of(data.parts.train), folder.study
    quality, _ = meters(data.task)
    for number, name in enumerate(names):
        answers, place = study.answers(KEY + number, "proof"), folder.path / FOLDER / str(number)
        if answers is None:
            listener.note(f"Training on {name} alone, {number + 1} of {len(names)}.")
            try:
                made = _trained(options, folder, base, data, number, name, threads, listener)
                answers = answers_on(
                    made, reading.engine_of(made), data.task, data.parts.proof, len(data.parts.labels), threads,
                    listener,
                )  # fmt: skip
                study.save_answers(KEY + number, "proof", answers)
            except CandidateFailed as error:
                note(f"The grid has nothing that was trained on {name} alone: {error.seen}")
                _count(study, number, place)
        shutil.rmtree(place, ignore_errors=True)
        if answers is not None:
            every = scores(quality, answers, data.parts.proof, data.task, options.seed)
            found += [GridCell(name, one) for one in every if one.group]
    shutil.rmtree(folder.path / FOLDER, ignore_errors=True)
    spent = [study.recall(COST.format(number), (0.0, 0.0)) for number in range(len(names))]
    return Grid(tuple(found), *(sum(each) for each in zip(*spent, strict=True)))


def _count(study: Study, number: int, place: Path) -> None:
    """Remember what the training on a group took as far as its curve goes: it did not end."""
    curve = read_curve(place / FILE)
    if study.recall(COST.format(number)) is None and curve:
        study.remember(COST.format(number), (curve[-1].seconds, curve[-1].cpu_seconds))


def _trained(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    data: Data,
    number: int,
    name: str,
    threads: int,
    listener: Listener,
) -> Artifact:
    """The model trained on one group; as long as its share of the rows allows where time bounds the training."""
    place, cost = folder.path / FOLDER / str(number), COST.format(number)
    if is_whole(place / MODEL) and folder.study.recall(cost) is not None:
        return Artifact.open(place / MODEL)
    place.mkdir(parents=True, exist_ok=True)
    parts = data.parts
    own = replace(parts, train=of_group(parts.train, name), tune=of_group(parts.tune, name))
    save_parts(own, place / reading.PARTS)
    seconds = None if options.seconds is None else options.seconds * len(own.train) / len(parts.train)
    training = Training(options, base, data.task, place / reading.PARTS, place, seconds=seconds)
    spent = trained_in_process(training, threads, listener)["cost"]
    folder.study.remember(cost, (spent["seconds"], spent["cpu_seconds"]))
    return Artifact.open(place / MODEL)
