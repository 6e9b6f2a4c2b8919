"""The main job: from options to a summary, with everything in between kept in the run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import CandidateFailed, Interrupted
from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.isolate.machine import allowed_cores
from lighten.measure.environment import Environment
from lighten.measure.workload import draw
from lighten.nets.bring import bring
from lighten.nets.network import facts
from lighten.pipeline.workshop import Workshop
from lighten.search.context import Clock, Run
from lighten.search.evaluate import evaluate
from lighten.search.finish import summarize, take_winner
from lighten.search.ladder import measure_together, rungs
from lighten.search.listener import Listener, Quiet
from lighten.search.loop import Search
from lighten.search.options import Options
from lighten.search.prove import finalists, prove
from lighten.search.start import Asked, ask, load_recipe_defaults, working_engines
from lighten.store.folder import RunFolder, save_parts


def search_for_winner(options: Options, listener: Listener | None = None) -> Summary:
    """Find the cheapest version of a model that provably still works. Writes the run folder, all but report and card.

    Raises:
        InputError: something that the user gave cannot be used; nothing was written.
        Interrupted: by Ctrl-C or SIGTERM; its ``summary`` holds what there is.
    """
    listener = listener or Quiet()
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    listener.phase("data", None)
    asked = ask(options, listener)
    threads = options.threads or allowed_cores()
    engines, refused = working_engines(asked, listener)
    folder = RunFolder.open(options.out, manifest_of(asked, threads), resume=options.resume)
    workshop: Workshop | None = None
    run: Run | None = None
    try:
        parts_file = options.out / "parts.json"
        if not parts_file.is_file():
            save_parts(asked.parts, parts_file)
        workshop = Workshop(
            folder.store.root,
            parts_file,
            options.task,
            seed=options.seed,
            threads=threads,
            progress=listener.progress,
        )
        listener.phase("original", None)
        base = brought(folder, options.model)
        machine = Environment.here()
        run = Run(
            options=options,
            budget=asked.budget,
            folder=folder,
            parts=asked.parts,
            task=asked.task,
            workshop=workshop,
            clock=Clock(folder.study, options.seconds),
            listener=listener,
            threads=threads,
            original=base,
            facts=facts(base.path),
            engines=engines,
            refused=refused,
            environment={**machine.to_json(), "id": machine.id},
            quality=asked.quality,
            speed=asked.speed,
            work=draw(asked.parts.select, seed=options.seed),
        )
        prepare_original(run)
        return _searched(run, asked, began, started)
    except (KeyboardInterrupt, Interrupted) as error:
        stop = Interrupted("The run was interrupted; what was finished is kept.", fix=f"{options.command()} --resume")
        if run is not None and run.folder.study.candidates():
            stop.summary = summarize(run, asked, None, None, {}, "interrupted", began, started)
        raise stop from error
    finally:
        if run is not None and run.original_session is not None:
            run.original_session.close()
        if workshop is not None:
            workshop.close()
        folder.close()


def _searched(run: Run, asked: Asked, began: float, started: str) -> Summary:
    run.clock = Clock(run.folder.study, run.options.seconds)
    sizes = run.folder.study.recall("workload")
    if sizes is not None:
        run.work = replace(run.work, singles=run.work.singles[: sizes[0]], batch=run.work.batch[: sizes[1]])
    original = next((c for c in run.folder.study.candidates() if c.key == 0 and c.state != "running"), None)
    if original is None:
        eager = next(engine for engine in run.engines if type(engine).__module__.endswith(".eager"))
        original = evaluate(run, 0, (), eager, "original")
        if original.state != "ok":
            raise CandidateFailed(f"The original itself does not run: {original.reason}")
    search = Search(run, reserve=reserve_for_proof(run, original))
    if run.folder.study.recall("proof opened") is None:
        search.go()
    if run.original_session is not None:
        run.original_session.close()
        run.original_session = None
    run.listener.phase("proof", run.clock.left)
    sequence = prove(run, finalists(run, search))
    winner = search.done[sequence.last_held] if sequence.last_held is not None else None
    run.listener.phase("report", run.clock.left)
    ladder = measure_together(run, rungs(search, winner))
    if winner is not None:
        winner = ladder["ours"]
        take_winner(run, winner)
    state = "winner" if winner is not None else "nothing_met"
    return summarize(run, asked, search, sequence, ladder, state, began, started)


def brought(folder: RunFolder, model: str) -> Artifact:
    """The user's model as an artifact in the run's store, brought once."""
    known = folder.study.recall("model")
    if known is not None:
        return Artifact.open(folder.store.root / known)
    target = folder.store.root / "model"
    if target.exists():
        import shutil

        shutil.rmtree(target)
    artifact = bring(model, target)
    folder.study.remember("model", target.name)
    return artifact


def prepare_original(run: Run) -> None:
    """Fine-tune the model when it has no head for these labels; else it is the original as it stands."""
    if not run.facts["has_head"]:
        rows = len(run.parts.train)
        run.listener.note(
            f"{run.options.model} has no head for this task: it is fine-tuned first on {rows:,} rows. "
            "This comes before the search and is not counted in its time."
        )
        recipe = load_recipe_defaults(run.options.model, run.options.seed)
        run.original = run.workshop.make(run.original, recipe.plan(format=run.original.format, facts=run.facts))
        run.facts = facts(run.original.path)
    run.workshop.teach_with(run.original)
    if run.folder.study.recall("original tune accuracy") is None:
        run.folder.study.remember("original tune accuracy", run.workshop.score(run.original, "tune"))


def reserve_for_proof(run: Run, original: Candidate) -> float:
    """Seconds that the proof and the last measurements will take."""
    rate = original.value("rows_per_second") or 100.0
    return min(len(run.parts.proof) / rate * 1.6 + 60.0, 0.5 * (run.options.seconds or float("inf")))


def manifest_of(asked: Asked, threads: int) -> Mapping[str, Any]:
    """What a resumed run must have in common with the one it takes up. Time and candidates may differ."""
    kept = asdict(replace(asked.options, resume=False, out=Path()))
    for name in ("seconds", "candidates", "resume", "out"):
        kept.pop(name)
    return {**{k: list(v) if isinstance(v, tuple) else v for k, v in kept.items()}, "threads": threads} | {
        "data_fingerprint": asked.parts.fingerprint,
        "columns": dict(asked.columns),
    }
