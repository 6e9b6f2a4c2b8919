"""The candidate that came nearest to the budget, by how much it missed, what would accept it; or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lighten.core.outcome import Bound, Nearest, Reason
from lighten.core.result import HIGHER, Candidate
from lighten.proof.sequence import SequenceResult
from lighten.search.ceilings import ceilings_of, floors_of
from lighten.search.chance import LEAST_CHANCE
from lighten.search.context import Run
from lighten.search.leaderboard import Leaderboard

OUT = ("missed", "unknown")


def nearest_of(
    run: Run, board: Leaderboard, sequence: SequenceResult[int], every: Mapping[int, Candidate]
) -> Nearest | None:
    """The candidate nearest to the budget: proved ones first, then those that miss only ceilings, then the others.

    Among each, it is the one whose worst miss is the smallest, however many it misses.

    What the proof refuted does not count as near, whatever it costs; the report shows its verdict.
    """
    refuted = {one.key for one in sequence.tested if not one.holds}
    found = []
    for candidate in every.values():
        if candidate.key == 0 or candidate.state != "ok" or candidate.key in refuted:
            continue
        proved = candidate.key in sequence.held
        bounds = ceilings_of(run.budget, board.quantities, candidate, every[0])
        bounds += () if proved else floors_of(run.budget, board.quantities, candidate, every[0])
        missed = sorted((b for b in bounds if b.state in OUT), key=lambda b: _excess(run, b, every[0]), reverse=True)
        if not missed:
            continue
        floors = any(b.kind == "floor" for b in missed)
        rank = (not proved, floors, _excess(run, missed[0], every[0]), len(missed), candidate.key)
        found.append((rank, Nearest(candidate.key, tuple(missed), _accepting(run, missed, every[0]), int(proved))))
    return min(found, key=lambda one: one[0])[1] if found else None


def _excess(run: Run, bound: Bound, original: Candidate) -> float:
    """How far a bound is missed, comparably: a ceiling as a share of it, a floor as a multiple of the loss allowed."""
    if bound.value is None:
        return float("inf")
    if bound.kind == "ceiling":
        return bound.excess
    floor = next(c for c in run.budget.keep if c.metric == bound.metric)
    margin = abs(floor.margin(original.value(bound.metric) or 0.0, bound.direction))
    return abs(bound.value - bound.limit) / max(margin, 1e-12)


def _accepting(run: Run, missed: Sequence[Bound], original: Candidate) -> str:
    """The command that accepts these ceilings as measured; empty where a floor or something unknown is missed."""
    if any(bound.kind == "floor" or bound.value is None for bound in missed):
        return ""
    loose = {bound.metric: loosened(bound, original.value(bound.metric)) for bound in missed}
    under = tuple(loose.get(c.metric, c.text) for c in run.budget.under)
    return f"{replace(run.options, under=under).command()} --resume"


def loosened(bound: Bound, original: float | None) -> str:
    """A ceiling that the value meets, its spread included, as a user would write it: ``memory<=196MB``.

    original: the original's value, of which a relative ceiling is a share.
    """
    assert bound.value is not None
    up = bound.direction == HIGHER
    share = "%" in bound.text and original
    value = bound.value - bound.spread if up else bound.value + bound.spread
    value = 100.0 * value / original if share and original else value
    places = max(2 - math.floor(math.log10(value)), 0) if value > 0 else 0
    turn = math.floor if up else math.ceil
    number = f"{turn(round(value * 10**places, 6)) / 10**places:.{places}f}"
    number = number.rstrip("0").rstrip(".") if places else number
    unit = "%" if share else bound.unit if bound.unit in ("ms", "s", "MB") else ""
    return f"{bound.metric}{'>=' if up else '<='}{number}{unit}"


def reasons_of(
    run: Run,
    board: Leaderboard,
    every: Mapping[int, Candidate],
    nearest: Nearest | None,
    *,
    reserve: float,
    left_out: Sequence[str],
    refused: Mapping[str, str],
) -> tuple[Reason, ...]:
    """Why no candidate can be named as the nearest; empty where one can.

    Args:
        reserve: seconds that the search kept for the proof. left_out: names of steps that would have taken too long.
        refused: conversions that the original does not allow, with the reason.
    """
    tried = [c for c in every.values() if c.key]
    if nearest is not None and any(c.state == "ok" for c in tried):
        return ()
    if not tried:
        return tuple(_untried(run, reserve, left_out, refused))
    if all(c.state != "ok" for c in tried):
        return (Reason("failed", {"n": f"{len(tried):,}", "first": tried[0].reason.splitlines()[0]}),)
    likely = any(c.state == "ok" and board.chance(board.done[c.key]) >= LEAST_CHANCE for c in tried)
    return (Reason("dearer" if likely else "unheld"),)


def _untried(run: Run, reserve: float, left_out: Sequence[str], refused: Mapping[str, str]) -> list[Reason]:
    """Why nothing was tried at all."""
    found = []
    if run.clock.seconds is not None and run.clock.left <= reserve:
        values = {"time": run.clock.seconds, "spent": run.clock.spent, "reserve": reserve}
        found.append(Reason("time", {name: f"{seconds:.0f}" for name, seconds in values.items()}))
    if run.refused:
        found.append(Reason("engines", {"names": "; ".join(f"{n} ({why})" for n, why in run.refused.items())}))
    if left_out:
        found.append(Reason("steps", {"names": ", ".join(left_out)}))
    if refused:
        found.append(Reason("conversions", {"names": "; ".join(f"{name} ({why})" for name, why in refused.items())}))
    return found or [Reason("nothing")]
