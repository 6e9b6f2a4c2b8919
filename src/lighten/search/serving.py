"""How a file is run: the engine's own settings, tried on a candidate whose file stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed, MissingExtra, ModelError
from lighten.core.recipe import engine_from, record_of, step_from
from lighten.core.result import Candidate
from lighten.isolate.machine import available_memory
from lighten.measure.interleave import measure
from lighten.search.attempts import Attempts
from lighten.search.context import Run, quantities_of
from lighten.search.evaluate import built_of, results_of
from lighten.search.proposals import describe
from lighten.search.racing import WORTH, cost, excess
from lighten.sessions.process import SessionProcess

SHARE = 0.5
"""Of the memory that is left: what all sessions together may take, for they are open at once."""
SECONDS_EACH = 5.0
"""Wall-clock seconds of measuring for each session."""


def served_best(run: Run, candidate: Candidate, seconds: float, ways: Sequence[Engine] = ()) -> Engine:
    """A candidate's engine with the settings that serve the budget best, all of them measured in turns.

    The fewest missed ceilings come first, then how far they are missed, then the cost. Settings that do not open the
    file are left out.

    Args:
        seconds: wall-clock seconds that measuring may take.
        ways: the engine with each of the settings, as it is first; by default ``Engine.ways``. The first ones are
            measured where memory or time is short.
    """
    engines = list(ways) or engine_from({"use": candidate.engine, **candidate.engine_settings}).ways()
    steps = [step_from(record) for record in candidate.recipe]
    asked = {run.budget.minimize, *(constraint.metric for constraint in run.budget.under)}
    names = [name for name, meter in run.speed.items() if asked & {q.name for q in meter.quantities}]
    need = max(sum(engine.memory(run.facts).values()) for engine in engines)  # of the original: a bound
    engines = engines[: max(int(available_memory() * SHARE // need), 1)] if need else engines
    engines = engines[: max(int(seconds // SECONDS_EACH), 2)] if ways else engines
    if len(engines) < 2 or not names:
        return engines[0]
    run.listener.progress(0, 0, f"opening {candidate.name} with {len(engines)} settings of its engine")
    with ExitStack() as stack:
        sessions: dict[int, SessionProcess] = {}
        for number, engine in enumerate(engines):
            try:
                built = built_of(run, steps, engine)
                opened = SessionProcess(built, engine, threads=run.threads, task=run.task)
                sessions[number] = stack.enter_context(opened)
            except (CandidateFailed, ModelError, MissingExtra) as error:
                if not number:
                    raise
                kind = type(error).__name__
                run.notes.append(f"{candidate.name} does not run with {describe(engine)}: {kind}: {error}")
        allowed = min(seconds, SECONDS_EACH * len(sessions))
        run.listener.progress(0, 0, f"timing {len(sessions)} settings of {candidate.engine} in turns, {allowed:.0f} s")
        timed = measure(sessions, run.work, meters=names, seconds=allowed)
    judged = {
        number: _judged(run, replace(candidate, results=results_of(run, built, engines[number], readings)))
        for number, readings in timed.items()
        if not isinstance(readings, CandidateFailed)
    }
    best = min(judged, key=lambda number: judged[number])
    missed, excess, price = judged[0]
    return engines[0] if judged[best] > (missed, excess, price * (1.0 - WORTH)) else engines[best]


def _judged(run: Run, measured: Candidate) -> tuple[int, float, float]:
    """How many ceilings are missed, how far the worst is as a share of it, and the cost as a multiple of that of the
    first in the measurement."""
    every, original = quantities_of(run.quality, run.speed), run.folder.study.candidates()[0]
    over = [excess(c, every[c.metric], measured, original) for c in run.budget.under]
    missed = [float("inf") if by is None else by for by in over if by is None or by > 0]
    price = cost(measured, original, run.budget, every)
    return len(missed), max(missed, default=0.0), float("inf") if price is None else price


def serve_the_best(attempts: Attempts) -> None:
    """Try other settings of the engine on the best file so far: nothing is made anew, and timing is quick."""
    run, board = attempts.run, attempts.board
    good = [c for c in board.done.values() if c.key and c.state == "ok" and not board.misses_quality(c)]
    nearest = min(good, key=lambda c: (sum(m > 0 for m in board.missed(c)), board.cost_of(c)), default=None)
    best = board.leader() or nearest
    if best is None or run.clock.left <= attempts.reserve + attempts.planning.settling():
        return
    served = run.folder.study.recall("served")
    if served is None or board.done[served[0]].recipe != best.recipe:
        try:
            served = [best.key, record_of(served_best(run, best, attempts.planning.settings(0)))]
        except (CandidateFailed, ModelError, MissingExtra) as error:
            run.notes.append(f"Other settings of its engine were not tried: {type(error).__name__}: {error}")
            return
        run.folder.study.remember("served", served)
    key, engine = served
    architecture, variant = attempts.made_from(key)
    attempts.attempt(architecture, replace(variant, engine=engine_from(engine)))
