"""The proof: finalists in a fixed order, from the safest to the cheapest, on the part that nothing has looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from lighten.core.errors import CandidateFailed
from lighten.core.recipe import engine_from, step_from
from lighten.core.result import Candidate
from lighten.measure.process import SessionProcess
from lighten.measure.quality import verdict
from lighten.proof.sequence import SequenceResult, fixed_sequence
from lighten.proof.verdict import Verdict
from lighten.search.chance import LEAST_CHANCE, chance
from lighten.search.context import Run
from lighten.search.evaluate import answer, built_of
from lighten.search.loop import Search
from lighten.search.racing import WORTH, cost, shortfall


def finalists(run: Run, search: Search) -> list[tuple[Candidate, float]]:
    """Candidates worth testing with their estimated chance to hold, in the order of the test.

    Chosen on ``select`` alone. The safest comes first; each next one is clearly cheaper than all before it: a dearer
    and riskier one could never win, and one that is as cheap but for noise should not. The original's own settings
    (candidate 0) are not among them.
    """
    found = []
    for candidate in search.done.values():
        if candidate.key == 0 or candidate.state != "ok":
            continue
        price = cost(candidate, search.original, run.budget, search.quantities)
        over = [shortfall(c, search.quantities[c.metric], candidate, search.original) for c in run.budget.under]
        if price is None or price >= 1.0 or any(missed is None or missed > 0 for missed in over):
            continue
        found.append((candidate, price, chance(run, candidate, search.original, search.quantities)))
    ordered = sorted(found, key=lambda f: (-f[2], f[1]))
    kept: list[tuple[Candidate, float]] = []
    cheapest = float("inf")
    for candidate, price, likely in ordered:
        if price < cheapest * (1.0 - WORTH) and likely >= LEAST_CHANCE:
            kept.append((candidate, likely))
            cheapest = price
    return kept


def prove(run: Run, ordered: Sequence[tuple[Candidate, float]]) -> SequenceResult[int]:
    """Test the finalists in order; the first failure ends it. A resumed run keeps the order that was fixed first."""
    every = {candidate.key: candidate for candidate in run.folder.study.candidates()}
    opened = run.folder.study.recall("proof opened")
    if not opened:
        if not ordered:  # nothing to compare the original with; a resumed run may still find something
            return fixed_sequence(())
        opened = [candidate.key for candidate, _ in ordered]
        run.folder.study.remember("proof opened", opened)
    original = proof_answers(run, every[0])

    def judged(answers: NDArray[Any]) -> Callable[[], list[Verdict]]:
        return lambda: [
            verdict(run.quality, constraint, original, answers, run.parts.proof, run.options.seed)
            for constraint in run.budget.keep
        ]

    def in_order() -> Iterator[tuple[int, Callable[[], list[Verdict]]]]:
        for key in opened:
            run.listener.candidate(key, every[key].name)
            try:
                answers = proof_answers(run, every[key])
            except CandidateFailed as error:
                run.notes.append(f"The proof ended at candidate {key}, which failed: {error.kind}: {error}")
                return
            yield key, judged(answers)

    return fixed_sequence(in_order())


def proof_answers(run: Run, candidate: Candidate) -> NDArray[Any]:
    """A candidate's answers on ``proof``, asked once from the built file in its engine: [n, columns]."""
    known = run.folder.study.answers(candidate.key, "proof")
    if known is not None:
        return known
    engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
    built = built_of(run, [step_from(record) for record in candidate.recipe], engine)
    if built.id != candidate.artifact:
        raise CandidateFailed(f"Candidate {candidate.key} was built again and is not the file that was measured.")
    with SessionProcess(built, engine, threads=run.threads, task=run.task) as session:
        answers = answer(run, session, "proof", candidate.key)
    run.clock.tick()
    return answers
