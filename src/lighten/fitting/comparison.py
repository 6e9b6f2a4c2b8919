"""Comparison: the trained model beside its teachers, their ensemble and itself under attack, on unseen rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.matching import facts_of
from lighten.core.rows import Rows
from lighten.core.task import Data
from lighten.core.training import Compared, ProofScore
from lighten.fitting.attacking import attacked_answers, some_of
from lighten.fitting.options import FitOptions
from lighten.fitting.reading import engine_of
from lighten.fitting.score import scores, timed_answers
from lighten.fitting.teachers import Teacher
from lighten.nets.training.shares import averaged
from lighten.search.listener import Listener
from lighten.search.start import meters
from lighten.store.folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINED, TEACHER, ENSEMBLE, BEFORE = "trained", "teacher", "ensemble", "before"
ATTACKED, BEFORE_ATTACKED = "attacked", "before_attacked"
KEYS = {ATTACKED: 3_000, BEFORE: 3_001, BEFORE_ATTACKED: 3_001}
"""Under which the study keeps the answers."""


def compared(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    made: Artifact,
    data: Data,
    teachers: Sequence[Teacher],
    trained: tuple[ProofScore, float],
    threads: int,
    listener: Listener,
) -> tuple[Compared, ...]:
    """Everything that answered ``proof``, the trained model first; nothing where neither teachers nor an attack were
    asked for.

    Args:
        base, made: the model before and after the training.
        trained: its main score, and the seconds that its answers took.

    Raises:
        CandidateFailed: a teacher does not run.
    """
    if not teachers and not options.harden:
        return ()
    found = [Compared(TRAINED, options.model, *trained)]
    if options.harden:
        found.append(_attacked(options, folder, ATTACKED, made, data, threads))
        if facts_of(base)["has_head"]:
            found.append(_before(options, folder, base, data, threads, listener))
            found.append(_attacked(options, folder, BEFORE_ATTACKED, base, data, threads))
    proof = data.parts.proof
    each = [teacher.answers(folder, data, "proof", proof, threads, listener) for teacher in teachers]
    if len(each) > 1:
        whole = averaged([answers for answers, _ in each])
        score = _main(options, data, whole, proof)
        found.append(Compared(ENSEMBLE, "", score, sum(seconds for _, seconds in each)))
    for teacher, (answers, seconds) in zip(teachers, each, strict=True):
        found.append(Compared(TEACHER, teacher.name, _main(options, data, answers, proof), seconds))
    return tuple(found)


def _attacked(
    options: FitOptions, folder: RunFolder, kind: str, artifact: Artifact, data: Data, threads: int
) -> Compared:
    rows = some_of(data.parts.proof)
    answers = attacked_answers(options, folder, KEYS[kind], artifact, data, threads)
    return Compared(kind, "", _main(options, data, answers, rows))


def _before(
    options: FitOptions, folder: RunFolder, base: Artifact, data: Data, threads: int, listener: Listener
) -> Compared:
    proof = data.parts.proof
    answers, seconds = timed_answers(
        folder.study, KEYS[BEFORE], "proof", base, engine_of(base), data.task, proof, len(data.parts.labels), threads,
        listener,
    )  # fmt: skip
    return Compared(BEFORE, options.model, _main(options, data, answers, proof), seconds)


def _main(options: FitOptions, data: Data, answers: NDArray[Any], rows: Rows) -> ProofScore:
    """The score by the task's first metric."""
    quality, _ = meters(data.task)
    return scores(quality, answers, rows, data.task.metrics[0], options.seed)[0]
