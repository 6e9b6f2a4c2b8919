"""Comparison: the trained model beside its teachers, their ensemble and itself under attack, on unseen rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from lighten.core.artifact import Artifact
from lighten.core.errors import CandidateFailed
from lighten.core.matching import facts_of
from lighten.core.rows import Rows
from lighten.core.task import Data
from lighten.core.training import Compared, ProofScore
from lighten.fitting.attacking import attacked_answers, some_of
from lighten.fitting.options import FitOptions
from lighten.fitting.reading import engine_of
from lighten.fitting.score import main_score, timed_answers
from lighten.fitting.teachers import Teacher
from lighten.nets.training.ensemble import averaged
from lighten.search.listener import Listener
from lighten.search.start import meters
from lighten.store.folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAINED, TEACHER, ENSEMBLE, BEFORE = "trained", "teacher", "ensemble", "before"
ATTACKED, BEFORE_ATTACKED = "attacked", "before_attacked"
KEYS = {ATTACKED: 3_000, BEFORE: 3_001, BEFORE_ATTACKED: 3_001}
"""Under which the study keeps the answers."""
_SAID = {
    TEACHER: "--teacher {name}",
    BEFORE: "The model before the training",
    ATTACKED: "The trained model under attack",
    BEFORE_ATTACKED: "The model before the training, under attack,",
}
Answered: TypeAlias = "tuple[NDArray[Any], float | None]"
"""Answers, and the seconds that they took; None where nobody looks at the clock."""


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
    note: Callable[[str], None],
) -> tuple[Compared, ...]:
    """Everything that answered ``proof``, the trained model first; nothing where neither teachers nor an attack were
    asked for.

    What fails is left out with a note: the training is over, and worth its result without it.

    Args:
        base, made: the model before and after the training.
        trained: its main score, and the seconds that its answers took.
    """
    if not teachers and not options.harden:
        return ()
    found = [Compared(TRAINED, options.model, *trained)]
    proof = data.parts.proof

    def add(kind: str, name: str, answer: Callable[[], Answered], rows: Rows = proof) -> Answered | None:
        try:
            answers, seconds = answer()
        except CandidateFailed as error:
            note(f"{_SAID[kind].format(name=name)} could not be judged on proof: {error.seen}")
            return None
        found.append(Compared(kind, name, _main(options, data, answers, rows), seconds))
        return answers, seconds

    def under_attack(kind: str, artifact: Artifact) -> None:
        def answer() -> Answered:
            return attacked_answers(options, folder, KEYS[kind], artifact, data, threads), None

        add(kind, "", answer, some_of(proof))

    if options.harden:
        under_attack(ATTACKED, made)
        if facts_of(base)["has_head"]:
            add(BEFORE, options.model, lambda: _before(folder, base, data, threads, listener))
            under_attack(BEFORE_ATTACKED, base)
    place, each = len(found), []
    for teacher in teachers:
        answer = partial(teacher.answers, folder, data, "proof", proof, threads, listener)
        each.append(add(TEACHER, teacher.name, answer))
    all_said = [one for one in each if one is not None]
    if len(each) > 1 and len(all_said) == len(each):
        score = _main(options, data, averaged([answers for answers, _ in all_said]), proof)
        found.insert(place, Compared(ENSEMBLE, "", score, sum(seconds or 0.0 for _, seconds in all_said)))
    return tuple(found)


def _before(folder: RunFolder, base: Artifact, data: Data, threads: int, listener: Listener) -> Answered:
    return timed_answers(
        folder.study, KEYS[BEFORE], "proof", base, engine_of(base), data.task, data.parts.proof,
        len(data.parts.labels), threads, listener,
    )  # fmt: skip


def _main(options: FitOptions, data: Data, answers: NDArray[Any], rows: Rows) -> ProofScore:
    """The score by the task's first metric."""
    quality, _ = meters(data.task)
    return main_score(quality, answers, rows, data.task, options.seed)
