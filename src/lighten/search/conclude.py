"""The conclusion of a run: finalists are proved, those that hold are measured together, the cheapest wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lighten.core.outcome import Bound, Nearest, Reason
from lighten.core.result import Candidate
from lighten.proof.sequence import SequenceResult, fixed_sequence
from lighten.search.ceilings import ceilings_of, is_out
from lighten.search.context import Run
from lighten.search.finals import contenders, finalists, latest, measure_finalists, recalled, remember
from lighten.search.ladder import measure_together, rungs
from lighten.search.leaderboard import Leaderboard
from lighten.search.missed import nearest_of, reasons_of
from lighten.search.planning import LAST, Planning
from lighten.search.prove import FAILURES, Proof, extend, open_proof, prove
from lighten.search.racing import WORTH, cost

MOST_RIVALS = 3
"""How many candidates that were not proved the last measurement takes in, because they may be cheaper."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: of the summary.
        measured: candidates with the readings of the last measurement, by key; ladder: those on the rungs.
        winner: the cheapest that holds and meets every ceiling, by the last measurement.
        ceilings: how the winner stands against them.
        nearest, reasons: where there is no winner; see ``core.outcome``.
        reason: why there is no proof.
        cheaper: key of a candidate that the last measurement found clearly cheaper and that was never proved.
    """

    state: str
    sequence: SequenceResult[int] = field(default_factory=lambda: fixed_sequence(()))
    measured: Mapping[int, Candidate] = field(default_factory=dict)
    ladder: Mapping[str, Candidate] = field(default_factory=dict)
    winner: Candidate | None = None
    ceilings: tuple[Bound, ...] = ()
    nearest: Nearest | None = None
    reasons: tuple[Reason, ...] = ()
    reason: str = ""
    cheaper: int | None = None


@dataclass(frozen=True)
class Proved:
    """A candidate that holds, by the last measurement.

    Attributes:
        price: the minimized quantity as a multiple of the original's; None when it is unknown.
        is_cheaper: than the original; also true where the original itself misses a ceiling and is no option.
        is_fresh: whether it took part in the last measurement.
    """

    candidate: Candidate
    price: float | None
    bounds: tuple[Bound, ...]
    is_cheaper: bool
    is_fresh: bool

    @property
    def is_fit(self) -> bool:
        """Whether it may win."""
        return self.price is not None and self.is_cheaper and not is_out(self.bounds)


def conclude(
    run: Run,
    board: Leaderboard,
    *,
    reserve: float,
    left_out: Sequence[str] = (),
    refused: Mapping[str, str] | None = None,
) -> Outcome:
    """Prove the finalists, measure what holds together, and choose.

    Args:
        reserve: seconds that the search kept for this. left_out: names of steps that would have taken too long.
        refused: conversions that the original does not allow, with the reason.
    """
    run.listener.phase("proof", run.clock.left)
    fixed = fix_order(run, board)
    try:
        proof = prove(run) if fixed else Proof()
    except FAILURES as error:
        return Outcome("unproved", measured=recalled(run, board), reason=f"{type(error).__name__}: {error}")
    run.listener.phase("report", run.clock.left)
    proof, last = last_measurement(run, board, proof)
    if not fixed and Planning(run).has_room_for_proof():  # what seemed too dear may cost less by the last measurement
        remember(run, {**recalled(run, board), **last})
        if fix_order(run, board):
            run.listener.phase("proof", run.clock.left)
            try:
                proof, last = last_measurement(run, board, prove(run))
            except FAILURES as error:
                return Outcome("unproved", measured=recalled(run, board), reason=f"{type(error).__name__}: {error}")
            run.listener.phase("report", run.clock.left)
    every = latest(board, {**recalled(run, board), **last})
    held = judge_held(run, board, proof.sequence.held, last)
    best = choose(held)
    steps = rungs(board, best.candidate if best is not None else None)
    outcome = Outcome(
        "winner",
        sequence=proof.sequence,
        measured=last,
        ladder={rung: last.get(candidate.key, candidate) for rung, candidate in steps.items()},
    )
    if best is not None:
        sure = [key for key in rivals_of(run, board, proof, best, every) if not _is_unsure(run, every[key])]
        cheaper = sure[0] if sure else None
        return replace(outcome, winner=best.candidate, ceilings=best.bounds, cheaper=cheaper)
    state = "missed" if any(is_out(one.bounds) for one in held) else "nothing_met"
    nearest = nearest_of(run, board, proof.sequence, every)
    if not proof.is_open:
        return replace(outcome, state=state, nearest=nearest)
    reasons = reasons_of(run, board, every, nearest, reserve=reserve, left_out=left_out, refused=refused or {})
    return replace(outcome, state=state, nearest=nearest, reasons=reasons)


def fix_order(run: Run, board: Leaderboard) -> bool:
    """Measure the finalists together and fix the order of the proof; an order that was fixed before stays.

    Beside the finalists, every candidate that may hold is noted, the safest first, so that the sequence can continue
    with whatever turns out to be cheap. Returns False when there is nothing to prove.
    """
    if open_proof(run, (), ()):
        return True
    fresh = measure_finalists(run, board)
    order = [one.candidate.key for one in finalists(run, board, fresh)]
    rest = [one.candidate.key for one in contenders(run, board, fresh, whole=True)]
    return open_proof(run, order, [key for key in rest if key not in order])


def last_measurement(run: Run, board: Leaderboard, proof: Proof) -> tuple[Proof, dict[int, Candidate]]:
    """Measure everything that holds, and the baselines, in one interleaved run; return it with the proof so far.

    Where that takes minutes for which no time is left, and it were the same as the finalists' measurement before the
    proof, that one counts.

    Where nothing was worth proving and there is time left, what may hold is measured once more, the cheapest of it.

    Where a candidate that was never proved turns out clearly cheaper than the best that holds, it is measured with
    them and, if it still is, proved, as long as the sequence and the time allow it.
    """
    planning, fixed = Planning(run), [c.key for c in rungs(board, None).values()]
    again = not proof.sequence.tested and planning.has_room_for_proof()
    dear = sorted(contenders(run, board, {}, whole=True), key=lambda one: one.price) if again else []
    keys = list(dict.fromkeys([0, *fixed, *proof.sequence.held, *(c.candidate.key for c in dear[:MOST_RIVALS])]))
    known = recalled(run, board)
    over = run.task.priors.slow_answers and run.clock.left < planning.together() / LAST
    if over and known.keys() >= set(keys):
        last = {key: known[key] for key in keys}
    else:
        last = measure_together(run, [board.done[key] for key in keys])
    while True:
        every = latest(board, {**recalled(run, board), **last})
        best = choose(judge_held(run, board, proof.sequence.held, last))
        rivals = rivals_of(run, board, proof, best, every) if best is not None else _spare(run, board, proof, every)
        if not rivals or not proof.is_open or run.clock.left <= planning.proving(rivals[0]):
            return proof, last
        fresh = [key for key in rivals[:MOST_RIVALS] if key not in keys]
        if fresh:
            keys += fresh
            measured = measure_together(run, [board.done[key] for key in keys])
            last = measured or last
            continue
        extend(run, rivals[0])
        proof = prove(run)


def judge_held(run: Run, board: Leaderboard, held: Sequence[int], last: Mapping[int, Candidate]) -> list[Proved]:
    """What has been proved, in the order of the proof, with the readings of the last measurement."""
    every = latest(board, {**recalled(run, board), **last})
    original = every[0]
    free = is_out(ceilings_of(run.budget, board.quantities, original, original))
    found = []
    for key in held:
        price = cost(every[key], original, run.budget, board.quantities)
        bounds = ceilings_of(run.budget, board.quantities, every[key], original)
        found.append(Proved(every[key], price, bounds, free or (price is not None and price < 1.0), key in last))
    return found


def choose(held: Sequence[Proved]) -> Proved | None:
    """The cheapest that meets every ceiling; None when none does.

    One whose session failed in the last measurement comes after those that ran, and one that meets a ceiling only by
    the spread of the measurement after those that meet it outright.
    """
    fit = [one for one in held if one.is_fit]
    return min(
        fit,
        key=lambda one: (not one.is_fresh, any(b.state == "close" for b in one.bounds), one.price),
        default=None,
    )


def rivals_of(run: Run, board: Leaderboard, proof: Proof, best: Proved, every: Mapping[int, Candidate]) -> list[int]:
    """Candidates left out of the order for their cost that turn out clearly cheaper than the best that holds.

    They meet every ceiling and come in the order in which the sequence may go on with them.
    """
    able = {one.candidate.key: one.price for one in contenders(run, board, every)}
    assert best.price is not None
    return [key for key in proof.others if key in able and able[key] < best.price * (1.0 - WORTH)]


def _is_unsure(run: Run, candidate: Candidate) -> bool:
    result = candidate.results.get(run.budget.minimize)
    return result is None or result.unsure


def _spare(run: Run, board: Leaderboard, proof: Proof, every: Mapping[int, Candidate]) -> list[int]:
    """Candidates that may replace those that hold but now miss a ceiling, in the order of the proof."""
    able = {one.candidate.key for one in contenders(run, board, every)}
    return [key for key in proof.others if key in able]
