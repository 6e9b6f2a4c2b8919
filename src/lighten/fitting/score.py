"""Score: what the trained model is worth on the rows that nothing has seen, with bounds, whole and by group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from lighten.core.artifact import Artifact
from lighten.core.budget import Constraint
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed
from lighten.core.meter import QualityMeter
from lighten.core.outcome import Constant
from lighten.core.result import HIGHER
from lighten.core.rows import Parts, Rows
from lighten.core.task import Task
from lighten.core.training import ProofScore
from lighten.measure.constant import weigh_against_constant
from lighten.measure.quality import judge_all
from lighten.search.listener import Listener
from lighten.sessions.process import SessionProcess, telling
from lighten.store.ledger import earlier_openings, record_opening
from lighten.store.study import Study

NAME, BEFORE = "opening of the proof", "opened before"
RANGES: Mapping[str, tuple[float, float]] = {
    "fraction": (0.0, 1.0), "squared error": (0.0, math.inf), "nats": (0.0, math.inf), "bits/byte": (0.0, math.inf)
}  # fmt: skip
"""Least and largest value by unit."""


def against_constant(
    task: Task, quality: Mapping[str, QualityMeter], answers: NDArray[Any], parts: Parts, seed: int
) -> Constant | None:
    """One answer that needs no model, and that a model is not shown to be better than; None where it is better, or
    where there is no such answer.

    Args:
        answers: [n, columns], of the model to ``proof``.
    """
    return weigh_against_constant(
        task, quality, task.judged(answers, parts.proof), parts.proof, parts.labels, learned=parts.train, part="proof",
        seed=seed,
    )  # fmt: skip


def answers_on(
    artifact: Artifact, engine: Engine, task: Task, rows: Rows, labels: int, threads: int, listener: Listener
) -> NDArray[np.float64]:
    """Answers of a model, in its engine, to every row of ``proof``: [n, columns].

    Raises:
        BuildFailed: the wrong number of answers. CandidateFailed: it does not run.
    """
    return answered(artifact, engine, task, rows, labels, threads, listener, "proof")[0]


def timed_answers(
    study: Study,
    key: int,
    part: str,
    artifact: Artifact,
    engine: Engine,
    task: Task,
    rows: Rows,
    labels: int,
    threads: int,
    listener: Listener,
) -> tuple[NDArray[np.float64], float]:
    """Answers that the study keeps, or that are made and kept, and the seconds that they took, once.

    Args:
        key, part: under which they are kept.

    Raises:
        BuildFailed, CandidateFailed: see :func:`answers_on`.
    """
    name = f"seconds of {key} on {part}"
    known = study.answers(key, part)
    if known is not None and study.recall(name) is not None:
        return known, study.recall(name)
    found, seconds = answered(artifact, engine, task, rows, labels, threads, listener, part)
    study.remember(name, seconds)
    study.save_answers(key, part, found)
    return found, seconds


def answered(
    artifact: Artifact,
    engine: Engine,
    task: Task,
    rows: Rows,
    labels: int,
    threads: int,
    listener: Listener,
    part: str,
) -> tuple[NDArray[np.float64], float]:
    """As :func:`answers_on`, and the seconds that answering took, once the model was open.

    Args:
        part: what the rows are called while they are answered.
    """
    with SessionProcess(artifact, engine, threads=threads, task=task) as session:
        began = monotonic()
        answers = session.answers(rows.inputs, telling(listener.progress, len(rows), f"answering {part}"))
        seconds = monotonic() - began
    columns = task.columns(labels)
    expected = (len(rows), answers.shape[-1] if columns is None else columns)
    if answers.shape != expected:
        raise BuildFailed(f"The engine gave answers of shape {answers.shape}; expected {expected}.")
    return answers, seconds


def open_once(study: Study, rows: Rows, run: str, data: str, listener: Listener) -> tuple[int, int]:
    """Record in the ledger that these rows are opened now. Returns how many were opened before, and by how many."""
    name = study.recall(NAME) or uuid4().hex
    study.remember(NAME, name)
    if study.recall(BEFORE) is None:
        found = earlier_openings(rows.ids, name)
        study.remember(BEFORE, [found.rows, found.runs])
        if found.problem:
            listener.note(found.problem)
    problem = record_opening(name, rows.ids, run=run, data=data)
    if problem:
        listener.note(problem)
    before: list[int] = study.recall(BEFORE)
    return before[0], before[1]


def scores(
    meters: Mapping[str, QualityMeter], answers: NDArray[np.float64], rows: Rows, task: Task, seed: int
) -> tuple[ProofScore, ...]:
    """Every quantity that can be told without another model to compare with; the task's first one by group, the worst
    first."""
    answers, main = task.judged(answers, rows), task.metrics[0]
    found = _scored(meters, answers, rows, seed)
    found.sort(key=lambda one: one.metric != main)
    groups = []
    for name in sorted(set(rows.groups)):
        own = [row for row, group in enumerate(rows.groups) if group == name]
        groups += _scored(meters, answers[own], rows.take(own), seed, group=name, only=main)
    return (*found, *sorted(groups, key=lambda one: one.value, reverse=bool(groups) and groups[0].direction != HIGHER))


def main_score(
    meters: Mapping[str, QualityMeter], answers: NDArray[np.float64], rows: Rows, task: Task, seed: int
) -> ProofScore:
    """The task's first quantity of all rows, alone."""
    return _scored(meters, task.judged(answers, rows), rows, seed, only=task.metrics[0])[0]


def _scored(
    meters: Mapping[str, QualityMeter],
    answers: NDArray[np.float64],
    rows: Rows,
    seed: int,
    *,
    group: str = "",
    only: str = "",
) -> list[ProofScore]:
    """Every quantity that has a value, or ``only`` one; bounds take most of the work."""
    found = []
    for name, reading in judge_all(meters, answers, rows, None).items():
        value = reading.measured.value
        if value is None or (only and name != only):
            continue
        quantity = reading.quantity
        lower, upper = bounds(meters, name, quantity.direction, value, answers, rows, seed)
        low, high = RANGES.get(quantity.unit, (-math.inf, math.inf))
        if low <= value <= high:  # bounds that are as far on both sides may lie beyond what there is
            lower, upper = (None if one is None else min(max(one, low), high) for one in (lower, upper))
        found.append(ProofScore(name, quantity.unit, quantity.direction, value, len(rows), lower, upper, group))
    return found


def bounds(
    meters: Mapping[str, QualityMeter],
    metric: str,
    direction: str,
    value: float,
    answers: NDArray[np.float64],
    rows: Rows,
    seed: int,
) -> tuple[float | None, float | None]:
    """Bounds of 95 % each of a quantity, as the meter that proves floors knows them; None where it knows none."""
    meter = next(meter for meter in meters.values() if metric in {quantity.name for quantity in meter.quantities})
    try:
        judged = meter.judge(answers, answers, rows, Constraint(metric, value, "", f"{metric} as it is"), seed)
    except (ValueError, AssertionError):
        return None, None
    if direction == HIGHER:
        return value + judged.lower, value + judged.upper
    return value - judged.upper, value - judged.lower
