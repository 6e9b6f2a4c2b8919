"""The main job: from options to a summary, with everything in between kept in the run folder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact, is_whole
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed, Interrupted, ModelError
from lighten.core.format import Recognized
from lighten.core.matching import facts_of, fits, format_named
from lighten.core.recipe import engine_from, record_of
from lighten.core.rows import Parts
from lighten.core.summary import Summary
from lighten.core.task import Task
from lighten.data.learned import learned_in
from lighten.isolate.machine import allowed_cores
from lighten.isolate.process import call
from lighten.measure.environment import MachineRecord
from lighten.measure.interleave import told_seconds
from lighten.measure.workload import draw
from lighten.models.bring import find
from lighten.models.recognize import check_task, recognize
from lighten.models.room import check_room, seconds_to_bring, size_of_model
from lighten.pipeline.make import versions
from lighten.pipeline.workshop import Workshop
from lighten.search.classes import asking, settle_classes, suit
from lighten.search.conclude import Outcome, conclude
from lighten.search.context import Clock, Run
from lighten.search.disk import DiskSpace, check_disk, space_for
from lighten.search.evaluate import evaluate
from lighten.search.finish import constant_of, summarize, take_winner
from lighten.search.library_versions import note_versions
from lighten.search.listener import Listener, Quiet
from lighten.search.loop import Search
from lighten.search.manifest import manifest_of
from lighten.search.openings import tell_openings
from lighten.search.options import Options
from lighten.search.original import prepare_original
from lighten.search.prove import OPENED
from lighten.search.reading import coverage_of
from lighten.search.rows_in_time import use_rows_in_time
from lighten.search.start import (
    Asked,
    ask,
    check_memory,
    learned_by,
    without_learned,
    working_engines,
)
from lighten.store.folder import RunFolder, load_parts, save_parts

MODEL = "model"
"""Name of the user's model in the store."""


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
    RunFolder.check(options.out, manifest_of(asked, threads), resume=options.resume)
    asked, engines, refused, folder, base = open_run(options, asked, threads, listener)
    if not options.resume:
        tell_openings(asked.parts.proof, listener)
    workshop: Workshop | None = None
    run: Run | None = None
    try:
        parts_file = keep_data(folder, asked)
        workshop = Workshop(
            folder.store.root,
            parts_file,
            asked.task,
            seed=options.seed,
            threads=threads,
            progress=listener.progress,
            note=listener.note,
        )
        folder.store.told = listener.note
        listener.phase("original", None)
        engines = settle_engines(folder, engines, base, threads)
        run = begin(asked, folder, base, engines, refused, workshop, listener, threads)
        used = time.monotonic() - began
        prepare_original(run)
        run.clock = Clock(folder.study, options.seconds, used)
        return search_and_conclude(run, asked, began, started)
    except (KeyboardInterrupt, Interrupted) as error:
        stop = Interrupted("The run was interrupted; what was finished is kept.", fix=f"lighten resume {options.out}")
        if run is not None and run.folder.study.candidates():
            stop.summary = summarize(run, asked, None, Outcome("interrupted"), began, started)
        raise stop from error
    finally:
        if run is not None and run.original_session is not None:
            run.original_session.close()
        if workshop is not None:
            workshop.close()
        folder.close()


def keep_data(folder: RunFolder, asked: Asked) -> Path:
    """Keep in the run's folder what its data are, and which class each label is. Returns the file of the parts."""
    parts_file = folder.path / "parts.json"
    if asked.classes is not None:
        folder.study.remember("classes", asked.classes.classes.record())
        folder.study.remember("original tune accuracy", asked.classes.tune_right)
    frozen = parts_in(parts_file)
    if frozen is None or frozen.fingerprint != asked.parts.fingerprint:
        save_parts(asked.parts, parts_file)
    return parts_file


def begin(
    asked: Asked,
    folder: RunFolder,
    base: Artifact,
    engines: tuple[Engine, ...],
    refused: Mapping[str, str],
    workshop: Workshop,
    listener: Listener,
    threads: int,
) -> Run:
    """The run that is about to search, begun or taken up.

    Args:
        base: the model as it was brought. refused: engines that are left out, and why.
    """
    machine, options = MachineRecord.here(), asked.options
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
        facts={**facts_of(base), **asked.task.facts},
        engines=engines,
        refused=refused,
        environment={**machine.to_json(), "id": machine.id, **told_seconds()},
        quality=asked.quality,
        speed=asked.speed,
        work=draw(asked.task.singles(asked.parts.select), asked.task.requests, seed=options.seed),
        fingerprint=asked.parts.fingerprint,
    )
    for note in note_versions(folder.study, {"lighten": version("lighten"), **versions()}):
        run.notes.append(note)
        listener.note(note)
    return run


def open_run(
    options: Options, asked: Asked, threads: int, listener: Listener
) -> tuple[Asked, tuple[Engine, ...], dict[str, str], RunFolder, Artifact]:
    """The run folder with the model in it, brought or kept from before; and the engines that work here.

    Returns:
        What is asked, its labels in the model's own order; engines; what was left out and why; the folder, which the
        caller closes; the model.
    """
    with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
        found = inspect(options, asked, listener, Path(scratch))
        asked = found.asked
        if found.disk is not None:
            check_disk(options.out, found.disk)
            listener.note(found.disk.sentence())
        folder = RunFolder.open(options.out, manifest_of(asked, threads), resume=options.resume)
        try:
            return asked, found.engines, found.refused, folder, keep_model(folder, found.fresh)
        except BaseException:
            folder.close()
            raise


@dataclass(frozen=True)
class Inspected:
    """A model and what can be done with it here; nothing has been written but into a scratch folder.

    Attributes:
        asked: with targets that are outputs of the model. engines: that work here. refused: the others, and why.
        facts: of the model. fresh: the model, brought; None where the run has it from before.
        disk: what a new run takes of it.
    """

    asked: Asked
    engines: tuple[Engine, ...]
    refused: dict[str, str]
    facts: Mapping[str, Any]
    fresh: Artifact | None
    disk: DiskSpace | None


def inspect(options: Options, asked: Asked, listener: Listener, scratch: Path, *, dry: bool = False) -> Inspected:
    """Look at the model and at the engines.

    Args:
        scratch: an empty folder that the model may be brought into. dry: no run follows: a model that is only to be
            read is not copied, and the disk of the run is not asked for.

    Raises:
        InputError: one of them cannot be used. CandidateFailed: the model does not run.
    """
    kept = options.out / "store" / "model"
    found = None if is_whole(kept) else located(options.model, asked.task)
    if found is not None and options.resume:
        format_named(found.format).refuse_unnamed(found, str(options.out))
    if found is not None and kept.is_dir():
        listener.note(f"{kept} is broken, and is brought again.")
    format = (found if found is not None else recognize(kept)).format
    check_memory(asked, found.path if found is not None else kept, listener)
    if found is not None and not dry:
        check_disk(options.out, space_for(options.out, {}, size_of_model(found)))
    engines, refused = working_engines(asked, format, listener)
    fresh = None
    if found is not None:
        lent = borrowed(found, scratch / MODEL) if dry and not asked.task.settles_classes else None
        fresh = lent or bring_model(options.model, found, scratch, options.longest)
    if fresh is not None and not (options.labels and facts_of(fresh)["has_head"]):
        answer = asking(fresh, engines[0], options.threads or allowed_cores(), listener.progress)
        fresh = suit(fresh, asked.parts, options.model, listener.note, answer, seed=options.seed)
    known = facts_of(fresh if fresh is not None else Artifact.open(kept))
    if fresh is not None and len(learned := learned_in(fresh.path)) and not len(learned_by(options)):
        asked = without_learned(asked, learned, listener)  # of a hub or a sample: nobody could see its folder before
    model = fresh if fresh is not None else Artifact.open(kept)
    asked = replace(asked, coverage=coverage_of(options.model, model, asked.parts, listener.note))
    if known["has_head"] and asked.task.settles_classes:
        asked = with_classes(asked, model, known["labels"], engines[0], listener)
    disk = space_for(options.out, known, fresh.size) if fresh is not None else None
    return Inspected(asked, engines, refused, known, fresh, disk)


def with_classes(asked: Asked, model: Artifact, names: Sequence[str], engine: Engine, listener: Listener) -> Asked:
    """What is asked, with targets that are outputs of a model that has a head already.

    Args:
        names: of the model's classes, by output. engine: runs the model as it came.

    Raises:
        DataError: labels that are none of its classes, or rows that say otherwise. CandidateFailed: it does not run.
    """
    options = asked.options
    frozen = parts_in(options.out / "parts.json")
    if frozen is not None:  # a resumed run: what was found then, with what the study remembers of it
        return replace(asked, parts=frozen)
    threads = options.threads or allowed_cores()
    try:
        answer = asking(model, engine, threads, listener.progress)
        settled = settle_classes(
            asked.parts, names, options.labels, answer, asked.task, model=options.model, seed=options.seed
        )
    except CandidateFailed as error:
        raise CandidateFailed(f"The original itself does not run: {error}") from error
    if settled.classes.note:
        listener.note(settled.classes.note)
    if settled.warning:
        listener.warning(settled.warning)
    return replace(asked, parts=settled.parts, classes=settled)


def search_and_conclude(run: Run, asked: Asked, began: float, started: str) -> Summary:
    """Everything from the original's measurement to the summary; a resumed run continues where it stopped.

    Raises:
        CandidateFailed: the original does not run.
    """
    use_rows_in_time(run)
    sizes = run.folder.study.recall("workload")
    if sizes is not None and run.task.requests.fitted:
        run.work = replace(run.work, singles=run.work.singles[: sizes[0]], batch=run.work.batch[: sizes[1]])
    original = next((c for c in run.folder.study.candidates() if c.key == 0 and c.state == "ok"), None)
    if original is None:
        home = next(engine for engine in run.engines if fits(run.original.format, engine.consumes))
        original = evaluate(run, 0, (), home, "original")
        if original.state != "ok":
            raise CandidateFailed(f"The original itself does not run: {original.reason}")
        if constant := constant_of(run):
            run.listener.no_better(constant)
    search = Search(run)
    if not run.folder.study.recall(OPENED):
        search.go()
    if run.original_session is not None:
        run.original_session.close()
        run.original_session = None
    outcome = conclude(
        run,
        search.board,
        reserve=search.attempts.reserve,
        left_out=search.left_out(),
        refused=search.attempts.space.refused,
    )
    if outcome.winner is not None:
        take_winner(run, outcome.winner, asked.columns)
    return summarize(run, asked, search.board, outcome, began, started)


def located(model: str, task: Task) -> Recognized:
    """Find the user's model and say what it is, after every check that opens no weights.

    Raises:
        ModelError, UnsafeFile: it cannot be used, or is not for the task.
    """
    found = find(model, task=catalog.name_of(task))
    check_task(model, found, catalog.name_of(task))
    if not format_named(found.format).original:
        raise ModelError(
            f"{model} is a model of format {found.format}, which is quantized or exported already.",
            allowed="a float model in an HF folder, or a GGUF file",
            fix="give the model that it was made from",
        )
    return found


def bring_model(model: str, found: Recognized, scratch: Path, longest: int | None = None) -> Artifact:
    """The user's model, checked and copied into ``scratch`` by a process of its own, so that this one stays small.

    It is a copy and no link: what a run judges must stay as it is when its user goes on with the original.

    Raises:
        ModelError, UnsafeFile: it cannot be used. RunFolderError: the disk of ``scratch`` has no room.
    """
    check_room(scratch, size_of_model(found), model)
    reply = call(
        "lighten.models.bring:bring_resolved",
        deadline=seconds_to_bring(size_of_model(found)),
        source=str(found.path),
        folder=str(scratch / "model"),
        model=model,
        longest=longest or 0,
        format="" if found.sealed else found.format,
    )
    return Artifact.open(reply["path"], verify=False)


def borrowed(found: Recognized, folder: Path) -> Artifact | None:
    """A model where it lies, to be looked at; None where it must be copied for that.

    Raises:
        ModelError: it cannot be opened.
    """
    format = format_named(found.format)
    folder.mkdir()
    if found.sealed or not format.borrow(found, folder):
        folder.rmdir()
        return None
    format.tried(found)
    return Artifact(folder, "", found.format, {path.name: "" for path in folder.iterdir()})


def keep_model(folder: RunFolder, brought: Artifact | None) -> Artifact:
    """The user's model in the run's own store; a resumed run has it there already."""
    if brought is None:
        return Artifact.open(folder.store.root / MODEL)
    folder.study.remember("model", MODEL)
    return folder.store.adopt(MODEL, brought)


def parts_in(path: Path) -> Parts | None:
    """The parts that a run froze; None when the file is missing, or was broken by the loss of power."""
    try:
        return load_parts(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def settle_engines(folder: RunFolder, engines: Sequence[Engine], base: Artifact, threads: int) -> tuple[Engine, ...]:
    """The engines, each settled on this machine; a resumed run keeps what was found first."""
    known = folder.study.recall("engines", {})
    found = []
    for engine in engines:
        name = record_of(engine)["use"]
        if name not in known:
            open_at_once = fits(base.format, engine.consumes)
            known[name] = record_of(engine.settle(base, threads=threads) if open_at_once else engine)
            folder.study.remember("engines", known)
        found.append(engine_from(known[name]))
    return tuple(found)
