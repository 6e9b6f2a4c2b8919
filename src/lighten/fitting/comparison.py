"""Comparison: the trained model beside its teachers and their ensemble, on the rows that nothing has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lighten.core.task import Data
from lighten.core.training import Compared, ProofScore
from lighten.fitting.options import FitOptions
from lighten.fitting.score import scores
from lighten.fitting.teachers import Teacher
from lighten.nets.training.shares import averaged
from lighten.search.listener import Listener
from lighten.search.start import meters
from lighten.store.folder import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAINED, TEACHER, ENSEMBLE = "trained", "teacher", "ensemble"


def compared(
    options: FitOptions,
    folder: RunFolder,
    data: Data,
    teachers: Sequence[Teacher],
    trained: tuple[ProofScore, float],
    threads: int,
    listener: Listener,
) -> tuple[Compared, ...]:
    """Everything that answered ``proof``, the trained model first; nothing without teachers.

    Args:
        trained: its main score, and the seconds that its answers took.

    Raises:
        CandidateFailed: a teacher does not run.
    """
    if not teachers:
        return ()
    quality, _ = meters(data.task)
    proof = data.parts.proof

    def main(answers: NDArray[np.float64]) -> ProofScore:
        return scores(quality, answers, proof, data.task.metrics[0], options.seed)[0]

    each = [teacher.answers(folder, data, "proof", proof, threads, listener) for teacher in teachers]
    found = [Compared(TRAINED, options.model, *trained)]
    if len(each) > 1:
        whole = averaged([answers for answers, _ in each])
        found.append(Compared(ENSEMBLE, "", main(whole), sum(seconds for _, seconds in each)))
    found += [
        Compared(TEACHER, teacher.name, main(answers), seconds)
        for teacher, (answers, seconds) in zip(teachers, each, strict=True)
    ]
    return tuple(found)
