"""The baseline ladder: naive, tuned fp32, stock int8, ours, measured once more together in one interleaved run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from lighten.core.errors import CandidateFailed
from lighten.core.recipe import engine_from, step_from
from lighten.core.result import Candidate
from lighten.measure.interleave import measure
from lighten.measure.process import SessionProcess
from lighten.search.context import Run
from lighten.search.evaluate import built_of, results_of
from lighten.search.loop import Search

SECONDS_PER_RUNG = 8.0


def rungs(search: Search, winner: Candidate | None) -> dict[str, Candidate]:
    """Which candidate stands on each rung: the original, the cheapest stock float and stock int8 ones, the winner."""
    stock = [c for c in search.done.values() if c.role == "stock" and c.state == "ok"]
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
    """Measure all rungs in one interleaved run and put the new speeds in their results; quality stays as it was.

    Raises:
        CandidateFailed: a rung that worked before fails now.
    """
    with ExitStack() as stack:
        sessions, built, engines = {}, {}, {}
        for candidate in {c.key: c for c in ladder.values()}.values():
            engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
            artifact = built_of(run, [step_from(record) for record in candidate.recipe], engine)
            key = str(candidate.key)
            built[key], engines[key] = artifact, engine
            sessions[key] = stack.enter_context(SessionProcess(artifact, engine, threads=run.threads))
        if "0" not in sessions:
            raise CandidateFailed("The ladder has no original to compare with.")
        ordered = {"0": sessions["0"], **sessions}
        timed = measure(ordered, run.work, seconds=SECONDS_PER_RUNG * len(sessions))
    found = {}
    for rung, candidate in ladder.items():
        key = str(candidate.key)
        readings = timed[key]
        if isinstance(readings, CandidateFailed):
            raise readings
        fresh = results_of(run, built[key], engines[key], readings)
        found[rung] = replace(candidate, results={**candidate.results, **fresh})
        run.folder.study.save(found[rung])
    return found
