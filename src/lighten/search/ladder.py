"""The baseline ladder, and the last measurement: everything that is compared, in one interleaved run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed
from lighten.core.matching import runs_baselines
from lighten.core.recipe import engine_from
from lighten.core.result import Candidate
from lighten.isolate.machine import available_memory
from lighten.measure.interleave import Readings, measure
from lighten.measure.rounds import usual_of
from lighten.search.context import Run
from lighten.search.evaluate import file_of, results_of
from lighten.search.leaderboard import Leaderboard
from lighten.sessions.process import SessionProcess

SECONDS_PER_RUNG = 8.0
MOST_TOGETHER = 12
"""Sessions that are open at once at most, the original's included."""
SHARE = 0.5
"""Of the memory that is left: what all of them may take."""


@dataclass(frozen=True)
class Setup:
    """What a candidate is measured with."""

    candidate: Candidate
    built: Artifact
    engine: Engine
    session: SessionProcess


def rungs(board: Leaderboard, winner: Candidate | None) -> dict[str, Candidate]:
    """Which candidate stands on each rung: the original, the cheapest stock float and stock int8 ones, the winner."""
    # A cheap baseline writes bytes, not tokens, or nothing: its speeds cannot stand beside those of the others.
    stock = [c for c in board.done.values() if c.role == "stock" and c.state == "ok" and not runs_baselines(c.engine)]
    found = {"naive": board.original}
    plain = [c for c in stock if not c.recipe]
    quantized = [c for c in stock if c.recipe]
    if plain:
        found["tuned"] = min(plain, key=board.cost_of)
    if quantized:
        found["stock"] = min(quantized, key=board.cost_of)
    if winner is not None:
        found["ours"] = winner
    return found


def measure_together(run: Run, candidates: Iterable[Candidate]) -> dict[int, Candidate]:
    """Measure candidates in one interleaved run; their results get these speeds, the study keeps the earlier ones.

    Args:
        candidates: the first is what the others are compared with. More than memory allows at once are measured in
            groups, each beside the first one.

    Returns:
        Those that ran, by key; one that fails now is not among them, and a note says so.
    """
    first, *others = {c.key: c for c in candidates}.values()
    found: dict[int, Candidate] = {}
    for group in _groups(run, others):
        measured = _measured(run, (first, *group))
        found = {**measured, **found} if first.key in found else measured
    return found


def _groups(run: Run, others: Sequence[Candidate]) -> Iterator[Sequence[Candidate]]:
    """The candidates in groups that fit into memory beside one more session; one group where all fit."""
    most = MOST_TOGETHER - 1
    need = max((sum(_engine(c).memory(run.facts).values()) for c in others), default=0)  # of the original: a bound
    if need:
        most = min(max(int(available_memory() * SHARE // need) - 1, 1), most)
    for begin in range(0, max(len(others), 1), most):
        yield others[begin : begin + most]


def _engine(candidate: Candidate) -> Engine:
    return engine_from({"use": candidate.engine, **candidate.engine_settings})


def _measured(run: Run, candidates: Sequence[Candidate]) -> dict[int, Candidate]:
    setups: dict[int, Setup] = {}
    timed: dict[int, Readings | CandidateFailed] = {}
    with ExitStack() as stack:
        for candidate in candidates:
            try:
                engine = _engine(candidate)
                built = file_of(run, candidate)
                session = stack.enter_context(SessionProcess(built, engine, threads=run.threads, task=run.task))
                setups[candidate.key] = Setup(candidate, built, engine, session)
            except CandidateFailed as error:
                run.notes.append(_keeps(candidate, error))
                if candidate is candidates[0]:
                    return {}
        sessions = {key: setup.session for key, setup in setups.items()}
        try:
            seconds, usual = SECONDS_PER_RUNG * len(sessions), usual_of(run.folder.study.candidates())
            timed = measure(sessions, run.work, meters=run.task.speeds, seconds=seconds, usual=usual)
        except CandidateFailed as error:
            run.notes.append(_keeps(candidates[0], error))
    found = {}
    for key, readings in timed.items():
        setup = setups[key]
        if isinstance(readings, CandidateFailed):
            run.notes.append(_keeps(setup.candidate, readings))
            continue
        fresh = results_of(run, setup.built, setup.engine, readings)
        asked = {run.budget.minimize, *(ceiling.metric for ceiling in run.budget.under)}
        unsure = {name: one.note for name, one in fresh.items() if one.unsure and name in asked}
        run.notes += [f"Candidate {key} ({setup.candidate.name}), {name}: {note}" for name, note in unsure.items()]
        found[key] = replace(setup.candidate, results={**setup.candidate.results, **fresh})
    return found


def _keeps(candidate: Candidate, error: CandidateFailed) -> str:
    return f"Candidate {candidate.key} ({candidate.name}) keeps its earlier numbers: {error.kind}: {error}"
