"""The end of a run: the winner's folder, and the summary of everything."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError
from lighten.core.matching import format_of
from lighten.core.outcome import Constant
from lighten.core.readers import example_of
from lighten.core.recipe import Recipe, engine_from, step_from, task_record_of
from lighten.core.result import Candidate
from lighten.core.summary import RUNGS, Continuation, DataFacts, Flip, Group, Link, Rung, Summary, TestedRecord, Winner
from lighten.measure.constant import weigh_against_constant
from lighten.measure.quality import flips_of, groups_of
from lighten.search.conclude import Outcome
from lighten.search.context import Run
from lighten.search.evaluate import file_of, open_original
from lighten.search.finals import latest
from lighten.search.leaderboard import Leaderboard
from lighten.search.naming import baselines, titles
from lighten.search.openings import opened_of
from lighten.search.options import recorded
from lighten.search.power import check_power
from lighten.search.racing import cost, frontier
from lighten.search.roofline import Rates, roofline_shares, traffic_of
from lighten.search.start import Asked
from lighten.sessions.process import SessionProcess
from lighten.store.durable import sync, sync_tree
from lighten.store.folder import write_whole
from lighten.store.recipes import to_toml
from lighten.store.summaries import save_summary

MOST_FLIPS = 400
"""Rows with another answer that the summary lists with their texts; all are counted."""


def recipe_of(run: Run, candidate: Candidate, columns: Mapping[str, str]) -> Recipe:
    """Everything that is needed to make a candidate again."""
    steps = tuple(step_from(record) for record in candidate.recipe)
    engine = engine_from({"use": candidate.engine, **candidate.engine_settings})
    data = recorded(replace(run.options, labels=told_of(run)), columns)
    return Recipe(run.options.model, steps, engine, run.options.task, run.options.seed, data)


def told_of(run: Run) -> tuple[str, ...]:
    """Which class each label of the data is, as the user said or as it was found, for a recipe that needs no rows."""
    known: Mapping[str, Any] = run.folder.study.recall("classes", {})
    return tuple(known.get("labels", run.options.labels))


def take_winner(run: Run, winner: Candidate, columns: Mapping[str, str]) -> Artifact:
    """Copy the winner's built artifact to ``winner/`` with what is needed to open it, whole or not at all.

    Args:
        columns: of the data by role, which other data are read by.
    """
    built = file_of(run, winner)
    part, old, final = (run.folder.path / name for name in (".winner.part", ".winner.old", "winner"))
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir()
    for name in built.files:
        target = part / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built.path / name, target)
    meta = {
        **built.meta,
        "labels": list(run.parts.labels),
        "task": run.options.task,
        "asked": task_record_of(run.task),
        "classes": run.folder.study.recall("classes", {}),
        "data": {name: value for name, value in recorded(run.options, columns).items() if name != "source"},
        "engine": {"use": winner.engine, **winner.engine_settings},
        "threads": run.threads,
    }
    family = run.original.meta.get("family")  # other people's loaders ask for it, and the original may not be here then
    meta |= {"family": family} if family else {}
    sealed = Artifact.seal(
        part,
        format=built.format,
        parent=built.parent,
        step=built.step,
        seed=built.seed,
        versions=built.versions,
        meta=meta,
    )
    sync_tree(part)
    if final.exists():
        final.rename(old)
    part.rename(final)
    sync(run.folder.path)
    shutil.rmtree(old, ignore_errors=True)
    return replace(sealed, path=final)


def summarize(
    run: Run,
    asked: Asked,
    board: Leaderboard | None,
    outcome: Outcome,
    began: float,
    started: str,
) -> Summary:
    """Everything the run knows, and the files beside it: ``results.jsonl``, ``run.toml``, ``summary.json``."""
    fresh, ladder, winner = outcome.measured, outcome.ladder, outcome.winner
    candidates = tuple(fresh.get(c.key, c) for c in run.folder.study.candidates() if c.state != "running")
    verdicts = {t.key: tuple(v.to_json() for v in t.verdicts) for t in outcome.sequence.tested}
    last = list(verdicts.values())[-1] if verdicts else ()
    samples, stored = continuations(run, winner) if winner is not None else (), _stored(run)
    shares, environment = _roofline_of(run, candidates, stored)
    lineage = _lineage(stored, winner) if winner is not None else ()
    example, files = example_of(run.parts.proof.inputs)
    out = run.folder.path
    paths = {"run": out, "report": out / "report.html", "results": out / "results.jsonl", "study": out / "study.db"}
    paths["original"] = run.original.path
    paths |= {"recipe": out / "run.toml", "summary": out / "summary.json"}
    if winner is not None:
        paths["winner"] = out / "winner"
    summary = Summary(
        state=outcome.state,
        model=run.options.model,
        budget=run.budget,
        data=DataFacts(
            run.options.data,
            {name: len(run.parts[name]) for name in ("train", "tune", "select", "proof")},
            run.parts.labels,
            (*run.parts.notes, *run.notes, *(f"Engine {n} was left out: {why}" for n, why in run.refused.items())),
            asked.coverage,
        ),
        candidates=candidates,
        winner=Winner.of(winner, str(out / "winner")) if winner is not None else None,
        verdicts=verdicts.get(winner.key, ()) if winner is not None else last,
        frontier=_frontier(board, fresh) if board is not None else (),
        baseline=tuple(Rung(rung, ladder[rung].key) for rung in RUNGS if rung in ladder),
        power=check_power(run.budget, run.quality, run.parts, asked.columns)[0],
        ceilings=outcome.ceilings,
        nearest=outcome.nearest,
        reasons=outcome.reasons,
        reason=outcome.reason,
        cheaper=outcome.cheaper,
        opened=opened_of(run.folder.study),
        constant=constant_of(run),
        tested=tuple(TestedRecord(key, judged) for key, judged in verdicts.items()),
        flips=_flips(run, winner) if winner is not None else (),
        groups=_groups(run, winner) if winner is not None else (),
        lineage=lineage,
        continuations=samples,
        roofline=shares,
        titles=titles(candidates, lineage),
        baselines=baselines(candidates, stored),
        writes=run.task.writes,
        example=example,
        files=files,
        packed=format_of(run.original).packed,
        environment=environment,
        paths={name: str(path) for name, path in paths.items()},
        command=run.options.command(),
        task=run.options.task,
        lighten=version("lighten"),
        started=started,
        seconds=time.monotonic() - began,
    )
    _write(run, summary, winner, asked.columns)
    return summary


def constant_of(run: Run) -> Constant | None:
    """An answer without a model that the original is no better than on ``select``; None where it is better."""
    answers = run.folder.study.answers(0, "select")
    if answers is None:
        return None
    parts = run.parts
    return weigh_against_constant(
        run.task,
        run.quality,
        answers,
        parts.select,
        parts.labels,
        learned=parts.train,
        part="select",
        seed=run.options.seed,
    )


def _frontier(board: Leaderboard, fresh: Mapping[int, Candidate]) -> tuple[int, ...]:
    every, points = latest(board, fresh), []
    for candidate in every.values():
        price = cost(candidate, every[0], board.run.budget, board.quantities)
        if candidate.state == "ok" and price is not None:
            points.append((candidate, price, board.gain(candidate)))
    return tuple(c.key for c in frontier(points))


def _flips(run: Run, winner: Candidate) -> tuple[Flip, ...]:
    before, after = run.folder.study.answers(0, "proof"), run.folder.study.answers(winner.key, "proof")
    names = run.task.named(run.parts.labels, run.parts.proof)
    if before is None or after is None or names is None:
        return ()
    return flips_of(before, after, run.parts.proof, names)[:MOST_FLIPS]


def _groups(run: Run, winner: Candidate) -> tuple[Group, ...]:
    before, after = run.folder.study.answers(0, "proof"), run.folder.study.answers(winner.key, "proof")
    if before is None or after is None or run.task.named(run.parts.labels, run.parts.proof) is None:
        return ()
    return groups_of(before, after, run.parts.proof)


def continuations(run: Run, winner: Candidate) -> tuple[Continuation, ...]:
    """How the original and the winner go on with what the task shows of the proof rows; empty where it shows nothing.

    These are samples to look at and no measure: when they cannot be had, a note says so and the run goes on.
    """
    try:
        samples = run.task.samples(run.parts.proof, run.parts.labels)
        if samples is None:
            return ()
        engine = engine_from({"use": winner.engine, **winner.engine_settings})
        built = file_of(run, winner)
        if not format_of(built).samples:
            return ()
        with SessionProcess(built, engine, threads=run.threads, task=run.task) as session:
            after = session.replies(samples.prompts, samples.most)
        with open_original(run) as original:
            before = original.replies(samples.prompts, samples.most)
    except Exception as error:  # noqa: BLE001 - a sample is not worth a run that has its winner
        run.notes.append(f"There are no sample continuations: {type(error).__name__}: {error}")
        return ()
    end = samples.until
    ended = [[text.lstrip().partition(end)[0] if end else text for text in texts] for texts in (before, after)]
    return tuple(Continuation(*three) for three in zip(samples.shown, *ended, strict=True))


def _stored(run: Run) -> dict[str, Artifact]:
    """Artifacts of the run's store by id."""
    by_id: dict[str, Artifact] = {}
    for artifact in run.folder.store.every():
        if artifact.parent != artifact.id:  # an engine that takes the model as it is copies it
            by_id.setdefault(artifact.id, artifact)
    return by_id


def _roofline_of(
    run: Run, candidates: Sequence[Candidate], stored: Mapping[str, Artifact]
) -> tuple[dict[str, dict[str, float]], Mapping[str, Any]]:
    """Shares of the roofline by candidate, and the machine's record with the bandwidth they rest on."""
    try:
        traffic = traffic_of(candidates, stored)
        if not traffic:
            return {}, run.environment
        rates = Rates.here()
        shares = roofline_shares(candidates, traffic, rates)
    except LightenError as error:
        run.notes.append(f"There are no shares of the roofline: {error}")
        return {}, run.environment
    if rates.disturbed:
        run.notes.append(f"The shares of the roofline may be too high, its rates too low: {rates.disturbed}.")
    return shares, {**run.environment, "read bandwidth": f"{rates.bandwidth} GB/s"}


def _lineage(by_id: Mapping[str, Artifact], winner: Candidate) -> tuple[Link, ...]:
    """Artifacts from the original to the winner, in order; parents are looked up by id."""
    chain: list[Link] = []
    seen: set[str] = set()
    at = winner.artifact
    while at in by_id and at not in seen:
        seen.add(at)
        found = by_id[at]
        chain.append(Link(found.id, found.step, found.parent, found.format, float(found.meta.get("seconds", 0.0))))
        at = found.parent
    return tuple(reversed(chain))


def _write(run: Run, summary: Summary, winner: Candidate | None, columns: Mapping[str, str]) -> None:
    import json

    lines = []
    for candidate in summary.candidates:
        head = {
            "candidate": candidate.key,
            "name": candidate.name,
            "state": candidate.state,
            "reason": candidate.reason,
        }
        if not candidate.results:
            lines.append(json.dumps(head, ensure_ascii=False))
        for result in candidate.results.values():
            lines.append(json.dumps({**head, **result.to_json()}, ensure_ascii=False))
    write_whole(run.folder.path / "results.jsonl", "\n".join(lines) + "\n")
    recipe = recipe_of(run, winner, columns) if winner is not None else Recipe(run.options.model, seed=run.options.seed)
    comments = (" ".join(summary.command.split()), f"lighten {summary.lighten}, {summary.started}")
    settings = {
        "minimize": run.budget.minimize,
        "keep": [c.text for c in run.budget.keep],
        "under": [c.text for c in run.budget.under],
        "data_fingerprint": run.fingerprint,
        "threads": run.threads,
    }
    write_whole(run.folder.path / "run.toml", to_toml(recipe, settings, comments))
    save_summary(summary, summary.paths["summary"])
