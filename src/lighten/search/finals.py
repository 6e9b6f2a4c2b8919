"""Finals: who may still win, measured together once more, and the order in which they are proved.

What a candidate cost when the search met it was measured in a minute of its own, beside the original alone. Before the
proof is opened those that could be best by it are measured again, all in one interleaved run; when that makes others
possible, these too. The order of the proof follows from ``select`` and from that measurement, and is fixed then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lighten.core.result import Candidate
from lighten.measure.rounds import usual_of
from lighten.search.ceilings import ceilings_of, is_out
from lighten.search.chance import LEAST_CHANCE
from lighten.search.context import Run
from lighten.search.ladder import measure_together
from lighten.search.leaderboard import Leaderboard
from lighten.search.racing import WORTH, cost, cost_interval

MOST_ROUNDS = 3
"""How often the finalists are measured together at most: a round that changes who they are is followed by another."""
MEASURED = "measured together"


@dataclass(frozen=True)
class Contender:
    """A candidate that may win.

    Attributes:
        candidate: with its last readings.
        price: the minimized quantity as a multiple of the original's.
        least, most: what it may be by its interval; measured together with the others, it is what it is, unless unsure.
        chance: estimated, to hold on ``proof``.
    """

    candidate: Candidate
    price: float
    least: float
    most: float
    chance: float


def latest(board: Leaderboard, fresh: Mapping[int, Candidate]) -> dict[int, Candidate]:
    """Every finished candidate, with the readings of the last measurement together where it took part in one."""
    return {key: fresh.get(key, candidate) for key, candidate in board.done.items()}


def contenders(run: Run, board: Leaderboard, fresh: Mapping[int, Candidate], *, whole: bool = False) -> list[Contender]:
    """Candidates that may win: no ceiling clearly missed, and cheaper than the original; the safest first.

    Where the original itself misses a ceiling, what meets it may cost more. The original's own settings (candidate 0)
    are not among them.

    Args:
        fresh: candidates with readings of the last measurement together. whole: also who is too dear or misses a
            ceiling by what is known now.
    """
    every = latest(board, fresh)
    original, found, usual = every[0], [], usual_of(board.done.values())
    free = is_out(ceilings_of(run.budget, board.quantities, original, original))
    for candidate in every.values():
        price = cost(candidate, original, run.budget, board.quantities)
        if candidate.key == 0 or candidate.state != "ok" or price is None:
            continue
        least, most = cost_interval(candidate, run.budget, price, usual)
        if candidate.key in fresh and most < float("inf"):
            least = price
        out = is_out(ceilings_of(run.budget, board.quantities, candidate, original))
        if not whole and (out or (least >= 1.0 and not free)):
            continue
        likely = board.chance(board.done[candidate.key])
        if likely >= LEAST_CHANCE:
            found.append(Contender(candidate, price, least, most, likely))
    return sorted(found, key=lambda one: (-one.chance, one.price, one.candidate.key))


def finalists(run: Run, board: Leaderboard, fresh: Mapping[int, Candidate]) -> list[Contender]:
    """Contenders worth testing, in the order of the test.

    The safest comes first; each next one is clearly cheaper than all before it, or may be by an earlier measurement:
    one that is riskier and more expensive could never win, and one that is cheaper only by noise should not.
    """
    kept: list[Contender] = []
    cheapest = float("inf")
    for one in contenders(run, board, fresh):
        if one.least < cheapest * (1.0 - WORTH):
            kept.append(one)
            cheapest = min(
                cheapest, one.price if one.most < float("inf") else one.most
            )  # an unsure one rules nothing out
    return kept


def measure_finalists(run: Run, board: Leaderboard) -> dict[int, Candidate]:
    """Measure those that could be best together with the original, until the list of them no longer changes.

    Returns:
        The original and every candidate that took part, with their readings. Kept in the study.
    """
    fresh = recalled(run, board)
    asked: set[int] = set()
    for _ in range(MOST_ROUNDS):
        names = {one.candidate.key for one in finalists(run, board, fresh)}
        if names <= asked | set(fresh):
            break
        asked |= names
        fresh = {**fresh, **measure_together(run, [board.original, *(board.done[key] for key in sorted(asked))])}
        remember(run, fresh)
    return fresh


def remember(run: Run, fresh: Mapping[int, Candidate]) -> None:
    """Keep the last measurement together, for a run that is resumed."""
    run.folder.study.remember(MEASURED, [candidate.to_json() for candidate in fresh.values()])


def recalled(run: Run, board: Leaderboard) -> dict[int, Candidate]:
    """What :func:`remember` kept of candidates that are still there."""
    records: list[dict[str, Any]] = run.folder.study.recall(MEASURED, [])
    found = [run.folder.study.candidate_from(record) for record in records]
    return {c.key: c for c in found if c.key in board.done and board.done[c.key].artifact == c.artifact}
