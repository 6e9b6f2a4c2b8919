"""The proof: finalists in a fixed order, from the safest to the cheapest, on the part that nothing has seen yet.

Which candidates are tested, and in which order, follows from ``select`` and from measurements alone and is kept in the
study before the first answer is asked, so a resumed run goes on with the same order. That keeps the error rate:

- The first candidate that does not hold ends the sequence (see ``proof.sequence``). What holds is all of it proved
  together, so the cheapest of them may be chosen afterwards by any measurement.
- While all have held, the sequence may go on with candidates that were not among the first, in the order that was kept
  with it. Which of those are left out is decided by what they cost and never by an answer on ``proof``.
- A candidate that fails (its process crashes, its time is over) is neither proved nor refuted: no target was compared.
  Whether a file runs depends on the file, the machine and the texts, not on the targets, so it is left out as though
  it had never been in the order, and the next one is tested. It is asked a second time before that. The reason is kept.
- Without the original's answers nothing can be compared, and the proof has no result; it may be taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from lighten.core.errors import CandidateFailed, MissingExtra, ModelError
from lighten.core.recipe import engine_from
from lighten.core.result import Candidate
from lighten.measure.quality import verdict
from lighten.proof.sequence import SequenceResult, fixed_sequence
from lighten.proof.verdict import Verdict
from lighten.search.context import Run
from lighten.search.evaluate import answer, file_of
from lighten.search.openings import open_once
from lighten.sessions.process import SessionProcess

OPENED, OTHERS, EXTENDED = "proof opened", "proof others", "proof extended"
FAILED = "failed in the proof"
FAILURES = (CandidateFailed, ModelError, MissingExtra)
"""What a file that was made here, or its engine, may raise where it is asked."""


@dataclass(frozen=True)
class Proof:
    """What the proof part said.

    Attributes:
        sequence: the candidates tested, in order.
        failed: why a candidate could not be asked, by key.
        others: keys of candidates that were not in the order and that the sequence may go on with while it is open.
    """

    sequence: SequenceResult[int] = field(default_factory=lambda: fixed_sequence(()))
    failed: dict[int, str] = field(default_factory=dict)
    others: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether all that were tested held, so that the sequence may go on."""
        return all(one.holds for one in self.sequence.tested)


def open_proof(run: Run, order: Sequence[int], others: Sequence[int]) -> bool:
    """Fix the order of the tests; what was fixed before stays. False when there is nothing to test.

    Args:
        order: keys of the finalists. others: those that the sequence may go on with.
    """
    study = run.folder.study
    if study.recall(OPENED):
        return True
    if not order:  # nothing to compare the original with; a resumed run may still find something
        return False
    open_once(run)
    study.remember(OTHERS, list(others))
    study.remember(OPENED, list(order))
    return True


def prove(run: Run) -> Proof:
    """Test the candidates of the fixed order, reusing what is known; the first that does not hold ends the sequence.

    Raises:
        CandidateFailed, ModelError, MissingExtra: the original failed.
    """
    study = run.folder.study
    every = {candidate.key: candidate for candidate in study.candidates()}
    original = proof_answers(run, every[0])
    failed: dict[int, str] = study.recall(FAILED, {})
    failed = {int(key): reason for key, reason in failed.items()}

    def judge(answers: NDArray[Any]) -> Callable[[], list[Verdict]]:
        return lambda: [
            verdict(run.quality, constraint, original, answers, run.parts.proof, run.options.seed)
            for constraint in run.budget.keep
        ]

    def in_order() -> Iterator[tuple[int, Callable[[], list[Verdict]]]]:
        for key in (*study.recall(OPENED, []), *study.recall(EXTENDED, [])):
            if key in failed:
                continue
            run.listener.candidate(key, every[key].name)
            try:
                answers = _asked_twice(run, every[key])
            except FAILURES as error:
                failed[key] = f"{type(error).__name__}: {error}"
                study.remember(FAILED, {str(k): reason for k, reason in failed.items()})
                continue
            yield key, judge(answers)

    sequence = fixed_sequence(in_order())
    for key, reason in failed.items():
        run.notes.append(f"Candidate {key} ({every[key].name}) was left out of the proof: it failed there: {reason}")
    tried = {*failed, *(one.key for one in sequence.tested)}
    return Proof(sequence, failed, tuple(key for key in study.recall(OTHERS, []) if key not in tried))


def extend(run: Run, key: int) -> None:
    """Let the sequence go on with one of ``Proof.others``."""
    study = run.folder.study
    study.remember(EXTENDED, [*study.recall(EXTENDED, []), key])


def _asked_twice(run: Run, candidate: Candidate) -> NDArray[Any]:
    """Answers on ``proof``; asked again in a new process if the first attempt failed."""
    try:
        return proof_answers(run, candidate)
    except FAILURES:
        return proof_answers(run, candidate)


def proof_answers(run: Run, candidate: Candidate) -> NDArray[Any]:
    """A candidate's answers on ``proof``, asked once from the built file in its engine: [n, columns].

    Raises:
        CandidateFailed: it cannot be opened or does not answer, or is not the file that was measured.
    """
    known = run.folder.study.answers(candidate.key, "proof")
    if known is not None:
        return known
    engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
    with SessionProcess(file_of(run, candidate), engine, threads=run.threads, task=run.task) as session:
        answers = answer(run, session, "proof", candidate.key)
    run.clock.tick()
    return answers
