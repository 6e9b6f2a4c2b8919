"""The baseline ladder: naive, tuned fp32, stock int8, ours, measured once more together in one interleaved run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from lighten.core import catalog
from lighten.core.artifact import BASELINES, Artifact
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed
from lighten.core.recipe import engine_from, step_from
from lighten.core.result import Candidate
from lighten.measure.interleave import Readings, measure
from lighten.measure.process import SessionProcess
from lighten.measure.rounds import usual_of
from lighten.search.context import Run
from lighten.search.evaluate import built_of, results_of
from lighten.search.loop import Search

SECONDS_PER_RUNG = 8.0


@dataclass(frozen=True)
class Place:
    """What a rung is measured with."""

    built: Artifact
    engine: Engine
    session: SessionProcess


def rungs(search: Search, winner: Candidate | None) -> dict[str, Candidate]:
    """Which candidate stands on each rung: the original, the cheapest stock float and stock int8 ones, the winner."""
    # A cheap baseline writes bytes, not tokens, or nothing: its speeds cannot stand beside those of the others.
    cheap = {name for name in catalog.names("engines") if set(catalog.load("engines", name).stores) <= set(BASELINES)}
    stock = [c for c in search.done.values() if c.role == "stock" and c.state == "ok" and c.engine not in cheap]
    found = {"naive": search.original}
    plain = [c for c in stock if not c.recipe]
    quantized = [c for c in stock if c.recipe]
    if plain:
        found["tuned"] = min(plain, key=search._cost_of)
    if quantized:
        found["stock"] = min(quantized, key=search._cost_of)
    if winner is not None:
        found["ours"] = winner
    return found


def measure_together(run: Run, ladder: dict[str, Candidate]) -> dict[str, Candidate]:
    """All rungs measured in one interleaved run, with these speeds in their results; the study keeps the earlier ones.

    A rung that fails now keeps its earlier numbers, and a note says so.
    """
    places: dict[int, Place] = {}
    timed: dict[int, Readings | CandidateFailed] = {}
    with ExitStack() as stack:
        try:
            for candidate in {c.key: c for c in ladder.values()}.values():
                engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
                built = built_of(run, [step_from(record) for record in candidate.recipe], engine)
                session = stack.enter_context(SessionProcess(built, engine, threads=run.threads, task=run.task))
                places[candidate.key] = Place(built, engine, session)
            sessions = {key: place.session for key, place in sorted(places.items())}
            seconds, usual = SECONDS_PER_RUNG * len(sessions), usual_of(run.folder.study.candidates())
            timed = measure(sessions, run.work, meters=run.task.speeds, seconds=seconds, usual=usual)
        except CandidateFailed as error:
            run.notes.append(f"The ladder keeps its earlier numbers: {error.kind}: {error}")
    found = {}
    for rung, candidate in ladder.items():
        readings = timed.get(candidate.key)
        if isinstance(readings, CandidateFailed):
            run.notes.append(f"{rung} keeps its earlier numbers: {readings.kind}: {readings}")
        if readings is None or isinstance(readings, CandidateFailed):
            found[rung] = candidate
            continue
        place = places[candidate.key]
        fresh = results_of(run, place.built, place.engine, readings)
        asked = {run.budget.minimize, *(ceiling.metric for ceiling in run.budget.under)}
        run.notes += [f"{rung}, {name}: {one.note}" for name, one in fresh.items() if one.unsure and name in asked]
        found[rung] = replace(candidate, results={**candidate.results, **fresh})
    return found
