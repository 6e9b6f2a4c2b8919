"""Make, build, judge and measure one candidate. Whatever goes wrong becomes a typed result with its reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, CandidateFailed, MissingExtra, ModelError
from lighten.core.matching import format_of, opens_baselines_only
from lighten.core.recipe import Recipe, engine_from, record_of, step_from
from lighten.core.result import Candidate, Result
from lighten.core.step import Step
from lighten.measure.interleave import Readings, measure, results
from lighten.measure.quality import judge_all
from lighten.measure.rounds import usual_of
from lighten.measure.workload import fit
from lighten.search.chance import LEAST_CHANCE, chance
from lighten.search.context import A_ROW, MEASURING, Run, quantities_of
from lighten.search.proposals import LEARNED, name_of
from lighten.search.racing import hopeless_below
from lighten.search.rows_in_time import use_rows_in_time
from lighten.sessions.process import SessionProcess, telling

SECONDS_TO_MEASURE = 8.0
"""Wall-clock seconds that measuring one candidate beside the original may take."""


def evaluate(run: Run, key: int, steps: Sequence[Step], engine: Engine, role: str) -> Candidate:
    """Take one candidate from its recipe to its results, and save it in the study."""
    candidate = Candidate(
        key=key,
        name=name_of(steps, engine),
        recipe=tuple(record_of(step) for step in steps),
        engine=record_of(engine)["use"],
        engine_settings={k: v for k, v in record_of(engine).items() if k != "use"},
        role=role,
    )
    run.listener.candidate(key, candidate.name)
    run.folder.study.save(candidate)
    began = time.monotonic()
    try:
        candidate = _measured(run, candidate, steps, engine)
    except CandidateFailed as error:
        state = "stopped" if error.kind == "StoppedEarly" else "failed"
        candidate = replace(candidate, state=state, reason=f"{error.kind}: {error}")
    except (ModelError, MissingExtra) as error:  # what an engine says of a file that was made here
        candidate = replace(candidate, state="failed", reason=f"{type(error).__name__}: {error}")
    candidate = replace(candidate, seconds=time.monotonic() - began)
    run.folder.study.save(candidate)
    run.clock.tick()
    run.listener.finished(candidate)
    return candidate


def _measured(run: Run, candidate: Candidate, steps: Sequence[Step], engine: Engine) -> Candidate:
    built = built_of(run, steps, engine)
    candidate = replace(candidate, artifact=built.id)
    with SessionProcess(built, engine, threads=run.threads, task=run.task) as session:
        if candidate.key == 0:
            use_rows_in_time(run, session)
        answers = answer(run, session, "select", candidate.key)
        original = answers if candidate.key == 0 else run.folder.study.answers(0, "select")
        quality = judge_all(run.quality, answers, run.parts.select, original)
        if candidate.key == 0:
            if run.task.requests.fitted:
                run.work = fit(run.work, session, SECONDS_TO_MEASURE)
            run.folder.study.remember("workload", [len(run.work.singles), len(run.work.batch)])
            timed = measure({0: session}, run.work, meters=run.task.speeds, seconds=SECONDS_TO_MEASURE)
        else:
            if run.original_session is None:
                run.original_session = open_original(run)
            pair = {0: run.original_session, candidate.key: session}
            judged = replace(candidate, results=results_of(run, built, engine, quality))
            asked, began = patience(run, judged), time.monotonic()
            try:
                timed = measure(pair, run.work, meters=run.task.speeds, **asked)
            except CandidateFailed:
                # The original's session died, which is not this candidate's fault: once more with a new one.
                run.original_session.close()
                run.original_session = pair[0] = open_original(run)
                timed = measure(pair, run.work, meters=run.task.speeds, **asked)
            run.folder.study.remember(MEASURING.format(candidate.key), time.monotonic() - began)
    speed = timed[candidate.key]
    if isinstance(speed, CandidateFailed):
        raise speed
    return replace(candidate, state="ok", results=results_of(run, built, engine, {**quality, **speed}))


def patience(run: Run, judged: Candidate) -> dict[str, Any]:
    """How thoroughly to measure a candidate whose quality is known: one round only where it can no longer win.

    It stays on the chart; where answers are slow, rounds take seconds, most of them the original's.
    """
    known, every = run.folder.study.candidates(), quantities_of(run.quality, run.speed)
    lost = run.task.priors.slow_answers and chance(run, judged, known[0], every) < LEAST_CHANCE
    return {
        "usual": usual_of(known),
        **({"seconds": 0.0, "least": 1} if lost else {"seconds": SECONDS_TO_MEASURE}),
    }


def built_of(run: Run, steps: Sequence[Step], engine: Engine) -> Artifact:
    """The artifact that ``engine`` opens, made by the workshop or taken from the store.

    Raises:
        CandidateFailed: a step failed, was stopped, or the engine refuses.
    """
    chain = Recipe(run.options.model, tuple(steps), engine, seed=run.options.seed).plan(
        format=run.original.format, facts=run.facts
    )
    floor = 0.0
    accuracy = next((c for c in run.budget.keep if c.metric == "accuracy"), None)
    tune = run.folder.study.recall("original tune accuracy")
    if accuracy is not None and tune is not None:
        margin = accuracy.margin(tune, "higher")
        floor = hopeless_below(tune, margin, len(run.parts.tune))
    left, cheap = run.clock.left, opens_baselines_only(engine)
    if cheap and run.clock.seconds is not None:
        left = min(left, LEARNED * run.clock.seconds)
    made = run.workshop.make(run.original, chain, floor=floor, seconds=left, shortens=cheap)
    return run.workshop.build(made, engine)


def file_of(run: Run, candidate: Candidate) -> Artifact:
    """The file of a candidate that was measured: from the store if it is there, whatever made it; else made again.

    Raises:
        CandidateFailed: it cannot be made again, or what is made now is another file, as with other libraries.
    """
    engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
    found = run.folder.store.find(candidate.artifact, engine.stores)
    if found is not None:
        return found
    built = built_of(run, [step_from(record) for record in candidate.recipe], engine)
    if built.id != candidate.artifact:
        raise CandidateFailed(
            f"Candidate {candidate.key} was made again and is not the file that was measured, as with other libraries.",
            fix="start a new run: give another --out",
        )
    return built


def open_original(run: Run) -> SessionProcess:
    """A session of the original in the engine that every ratio is taken against. The caller closes it."""
    first = run.folder.study.candidates()[0]
    engine = engine_from({"use": first.engine, **first.engine_settings})
    session = SessionProcess(run.workshop.build(run.original, engine), engine, threads=run.threads, task=run.task)
    session.__enter__()
    return session


def answer(run: Run, session: SessionProcess, part: str, key: int) -> NDArray[Any]:
    """A candidate's answers on a part, checked and kept in the study: [n, columns].

    Raises:
        BuildFailed: the wrong number of answers, or numbers that are not finite.
    """
    rows = run.parts[part]

    began = time.monotonic()
    answers = session.answers(rows.inputs, telling(run.listener.progress, len(rows), f"answering {part}"))
    run.folder.study.remember(A_ROW.format(key), (time.monotonic() - began) / max(len(rows), 1))
    columns = run.task.columns(len(run.parts.labels))
    expected = (len(rows), answers.shape[-1] if columns is None else columns)
    if answers.shape != expected:
        raise BuildFailed(f"The engine gave answers of shape {answers.shape}; expected {expected}.")
    if not np.isfinite(answers).all():
        raise BuildFailed(f"{int((~np.isfinite(answers)).any(axis=1).sum())} of {len(rows)} answers are not finite.")
    answers = run.task.judged(answers, rows)
    run.folder.study.save_answers(key, part, answers)
    return answers


def results_of(run: Run, built: Artifact, engine: Engine, readings: Readings) -> dict[str, Result]:
    """All results of one candidate by quantity name."""
    found = results(
        readings,
        artifact=built.id,
        engine=record_of(engine)["use"],
        device=engine.device,
        environment=str(run.environment.get("id", "")),
        bytewise=format_of(built).bytewise,
    )
    return {result.meter: result for result in found}
