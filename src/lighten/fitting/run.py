"""The job of ``lighten train``: from options to a trained model and its result, all of it kept in the run folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact, is_whole
from lighten.core.errors import CandidateFailed, Interrupted, LightenError, StepFailed
from lighten.core.result import HIGHER
from lighten.core.rows import PART_NAMES
from lighten.core.task import Data
from lighten.core.training import MODEL, RESULT, TrainingCost, TrainingResult
from lighten.fitting import reading
from lighten.fitting.child import CHECKPOINTS, HOUR, PREFIX
from lighten.fitting.comparison import compared
from lighten.fitting.grid import Grid, check_grid, grid_of
from lighten.fitting.launch import Launch
from lighten.fitting.lessons import (
    FIRST,
    PARTS,
    UNLABELLED,
    first_cost,
    lesson_for,
    notes_of,
    seconds_of,
    weighed,
)
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training, trained_in_process
from lighten.fitting.scalars import FILE, read_curve
from lighten.fitting.score import against_constant, open_once, scores, timed_answers
from lighten.fitting.setup import opened, without_labels
from lighten.fitting.sweep.asking import check_search, searched, sweep_of
from lighten.fitting.teachers import Teacher
from lighten.fitting.unlabelled import Unlabelled
from lighten.isolate.machine import allowed_cores
from lighten.measure.environment import MachineRecord
from lighten.nets.training.lesson import FILE as LESSON
from lighten.reports.constant import trained_sentence
from lighten.search.listener import Listener, Quiet
from lighten.search.openings import tell_openings
from lighten.search.start import meters
from lighten.store.folder import RunFolder, write_whole
from lighten.store.study import Study

REPORT = "report.html"
TRAINED, STARTED = "trained", "started"
"""Under which the study remembers what became of the training, and when it began."""
KEPT_ANSWERS = 0
"""Key of the trained model's answers in the study."""


def train_model(options: FitOptions, listener: Listener | None = None) -> TrainingResult:
    """Train a model on data and score it. Writes the run folder, all but the report and the card.

    Raises:
        InputError: something that the user gave cannot be used; nothing was written.
        StepFailed: the training came apart. RunFolderError: the folder cannot be used, or a checkpoint not written.
        Interrupted: by Ctrl-C or SIGTERM; it can be taken up.
        SystemExit: a launcher such as torchrun started this process beside another one that leads the training and has
            its result; what was to be done here is done.
    """
    options.check()
    launch = Launch.found(options.workers, options.threads)
    options, threads = replace(options, workers=launch.size), options.threads or allowed_cores()
    check_search(options)
    launch.check(grid=options.grid, unlabelled=bool(options.unlabelled))
    if not launch.leads:
        follow(options, threads)
        raise SystemExit(0)
    listener = listener or Quiet()
    listener.phase("data", None)
    whole = reading.read_whole(options)
    data = reading.apart(options, whole, reading.learned_of(options))
    reading.check_few(data.parts)
    if options.grid:
        check_grid(data.parts)
    more = without_labels(options, data)
    for text in data.parts.notes:
        listener.note(text)
    RunFolder.check(options.out, options.manifest(data.parts.fingerprint, threads), resume=options.resume)
    folder, base, data, teachers = opened(options, whole, data, threads, listener)
    try:
        if not options.resume:
            tell_openings(data.parts.proof, listener)
        began = folder.study.recall(STARTED) or datetime.now(UTC).isoformat(timespec="seconds")
        folder.study.remember(STARTED, began)
        trained = taught(options, folder, base, data, teachers, threads, listener, more)
        return scored(options, folder, base, data, teachers, trained, threads, listener)
    except (KeyboardInterrupt, Interrupted) as error:
        again = f"{options.command(launch)} --resume"
        raise Interrupted("The training was interrupted; it goes on from its last checkpoint.", fix=again) from error
    except CandidateFailed as error:
        raise _of_run(error, options) from error
    finally:
        folder.close()


def follow(options: FitOptions, threads: int) -> None:
    """Work for a training that another process leads: model and data are read here, and nothing of it stays.

    Raises:
        InputError: as there. CandidateFailed: what went wrong here.
    """
    with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
        own, quiet = replace(options, out=Path(scratch) / "run", resume=False), Quiet()
        whole = reading.read_whole(own)
        data = reading.apart(own, whole, reading.learned_of(own))
        folder, base, data, teachers = opened(own, whole, data, threads, quiet)
        try:
            taught(own, folder, base, data, teachers, threads, quiet)
        except CandidateFailed as error:
            raise _of_run(error, options) from error
        finally:
            folder.close()


def taught(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    data: Data,
    teachers: Sequence[Teacher],
    threads: int,
    listener: Listener,
    more: Unlabelled | None = None,
) -> Mapping[str, Any]:
    """Train in processes of their own, or take what was trained before. Gives what became of it.

    Args:
        more: rows without labels; see :func:`without_labels`.

    Raises:
        CandidateFailed, InputError: what went wrong there.
    """
    known: Mapping[str, Any] | None = folder.study.recall(TRAINED)
    known = known if is_whole(options.out / MODEL) else None
    if known is not None and not Launch.found(options.workers, options.threads).outside:
        _tidy(options.out)
        return known
    if options.search is None:
        listener.phase("training", options.seconds)
    told = lesson_for(options, folder, base, data, teachers, threads, listener, more)
    training = Training(
        options, base, data.task, told.parts, options.out, seconds=seconds_of(options), lesson=told.lesson,
        taught_by=told.teachers, columns=data.columns,
    )  # fmt: skip
    if options.search is not None and known is None:
        training = searched(training, folder.study, threads, listener)
    found = trained_in_process(training, threads, listener, over=known is not None)
    if known is None:  # else the others of a launcher have heard that there is nothing to do
        folder.study.remember(TRAINED, dict(found))
    _tidy(options.out)
    return found if known is None else known


def _tidy(run: Path) -> None:
    """Remove what a training that is over needs no more, also where a kill came in between."""
    for name in (CHECKPOINTS, FIRST, PREFIX):
        shutil.rmtree(run / name, ignore_errors=True)
    for name in (PARTS, LESSON):
        (run / name).unlink(missing_ok=True)


def scored(
    options: FitOptions,
    folder: RunFolder,
    base: Artifact,
    data: Data,
    teachers: Sequence[Teacher],
    trained: Mapping[str, Any],
    threads: int,
    listener: Listener,
) -> TrainingResult:
    """Score the trained model on ``proof``, and write the result.

    Raises:
        CandidateFailed: it does not run.
    """
    notes: list[str] = []

    def note(text: str) -> None:
        listener.note(text)
        notes.append(text)

    listener.phase("proof", None)
    task, proof, study = data.task, data.parts.proof, folder.study
    made = Artifact.open(options.out / MODEL)
    engine = reading.engine_of(made)
    before = open_once(study, proof, str(options.out.resolve()), options.data, listener)
    answers, seconds = timed_answers(
        study, KEPT_ANSWERS, "proof", made, engine, task, proof, len(data.parts.labels), threads, listener
    )
    quality, _ = meters(task)
    found = scores(quality, answers, proof, task, options.seed)
    constant = against_constant(task, quality, answers, data.parts, options.seed)
    if constant is not None:
        listener.warning(trained_sentence(constant, "en"))
    beside = compared(options, folder, base, made, data, teachers, (found[0], seconds), threads, listener, note)
    grid = grid_of(options, folder, base, data, threads, listener, note) if options.grid else Grid()
    result = _result(
        options,
        study,
        data,
        trained,
        threads,
        grid,
        notes,
        proof=found,
        opened=before,
        compared=beside,
        constant=constant,
    )
    write_whole(options.out / RESULT, json.dumps(result.to_json(), ensure_ascii=False, indent=1) + "\n")
    return result


def _result(
    options: FitOptions,
    study: Study,
    data: Data,
    trained: Mapping[str, Any],
    threads: int,
    grid: Grid,
    notes: Sequence[str],
    **found: Any,
) -> TrainingResult:
    """What the whole training did.

    Args:
        notes: on what was made on ``proof``. found: the fields of the result that were made there.
    """
    cost = {**trained["cost"], **first_cost(study, trained["cost"])}
    sweep = sweep_of(study)
    if options.price is not None:
        cost["money"] = options.price * (cost["seconds"] + (sweep.seconds if sweep else 0.0) + grid.seconds) / HOUR
    machine = MachineRecord.here()
    return TrainingResult(
        model=options.model,
        data=options.data,
        task=options.task,
        noun=trained["noun"],
        settings={**trained["settings"], **weighed(options)},
        measure=trained["measure"],
        direction=HIGHER,
        shares=trained["shares"],
        precision=trained["precision"],
        rows={**{name: len(data.parts[name]) for name in PART_NAMES}, **study.recall(UNLABELLED, {})},
        learned=trained["learned"],
        planned=trained["planned"],
        steps=trained["steps"],
        epochs=trained["epochs"],
        parameters=trained["parameters"],
        curve=tuple(read_curve(options.out / FILE)),
        best=trained["best"],
        cost=TrainingCost(**cost),
        notes=(*data.parts.notes, *notes_of(study), *trained["notes"], *notes),
        stopped=trained["stopped"],
        environment={**machine.to_json(), "id": machine.id},
        paths={name: str(options.out / file) for name, file in _FILES.items()},
        command=options.command(Launch.found(options.workers, options.threads)),
        started=study.recall(STARTED),
        lighten=version("lighten"),
        seed=options.seed,
        threads=threads,
        workers=options.workers,
        labels=data.parts.labels,
        sweep=sweep,
        grid=grid.cells,
        grid_seconds=grid.seconds,
        grid_cpu_seconds=grid.cpu_seconds,
        **found,
    )


_FILES = {"model": MODEL, "report": REPORT, "result": RESULT, "scalars": FILE}


def _of_run(error: CandidateFailed, options: FitOptions) -> LightenError:
    """What went wrong in a training, with the command that takes it up."""
    again = f"{options.command(Launch.found(options.workers, options.threads))} --resume"
    if isinstance(error, StepFailed) and (error.fix or error.allowed):  # it would come to the same again
        return type(error)(error.seen, allowed=error.allowed, fix=error.fix)
    return type(error)(
        error.seen, allowed=error.allowed, fix=error.fix or f"it goes on from its last checkpoint: {again}"
    )
