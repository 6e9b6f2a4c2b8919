"""What the process does that trains: open the model, train it with checkpoints, and write it as an artifact."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact, sha256
from lighten.core.errors import InputError, StepFailed
from lighten.core.matching import format_of
from lighten.core.progress import as_clock
from lighten.core.recipe import task_from
from lighten.core.rows import Parts
from lighten.core.step import Needs, Silent
from lighten.core.training import MODEL
from lighten.data.learned import save_learned
from lighten.fitting.scalars import Scalars
from lighten.fitting.sweep.ranges import ranges_of
from lighten.isolate import rapl
from lighten.isolate.child import emit
from lighten.isolate.machine import peak_bytes
from lighten.measure.rates import product_rate
from lighten.nets.training.attack import EmbeddingAttack, attack_on, embedding_of
from lighten.nets.training.checkpoint import EVERY, Checkpoints, deaths_in
from lighten.nets.training.flops import flops_per_row
from lighten.nets.training.group import Group, Meeting
from lighten.nets.training.loop import train
from lighten.nets.training.low_rank import write_adapter
from lighten.nets.training.optimizer import ADAMW
from lighten.nets.training.precision import NAMED
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.schedule import Hyperparameters, State, Trained
from lighten.nets.training.trainable import Trainable
from lighten.pipeline.formats import open_model, save_model
from lighten.pipeline.make import versions
from lighten.store.artifacts import writing
from lighten.store.durable import sync, sync_tree
from lighten.store.folder import load_parts

CHECKPOINTS = "checkpoint"
"""Folder of a run with what it goes on from."""
ADAPTER = "adapter"
"""Folder of a run with changes of low rank as peft has them, beside the model that they are merged into."""
PREFIX = "prefix"
"""Folder of a run with what frozen blocks put out, where that does not fit the memory."""
HOUR = 3600.0
WHOLE = 0.98
"""Share of its plan from which a training was not ended early: batches do not fill it exactly."""
SWITCH = "LIGHTEN_CHECKPOINT_SECONDS"
"""Environment variable with the seconds between two checkpoints; 0 writes one after every update."""


class Telling:
    """A watch that tells the parent how far it is, four times a second at the most.

    Args:
        operations: floating-point operations of a row. roof: measures the GFLOP/s that matrix products reach here, 0
            where that is not known; asked once, after the first update, when the precision is chosen.
    """

    def __init__(self, operations: float, roof: Callable[[], float]) -> None:
        self.operations, self._measure, self._roof = operations, roof, 0.0
        self._measured = False
        self._last, self._began, self._first = 0.0, time.monotonic(), -1.0
        self.speed = 0.0

    def heard(self, state: State) -> None:
        """Told after each update. Where a frozen part is not computed, nobody counted what the rest takes."""
        self.operations = 0.0 if state.prefix else self.operations
        self.speed = state.rows / state.seconds if state.seconds else 0.0
        if self.operations and not self._measured:
            self._roof, self._measured = self._measure(), True

    @property
    def rate(self) -> float | None:
        """Share of the roof that updates reach; None where it is not known."""
        return self.speed * self.operations / (1e9 * self._roof) if self._roof and self.operations else None

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell the parent."""
        now = time.monotonic()
        if self._first < 0:
            self._first = done
        if now - self._last < 0.25 and done < total:
            return
        self._last = now
        parts = [message]
        if self.rate is not None:
            parts.append(f"{self.rate:.0%} of this machine's arithmetic")
        parts.append(f"{peak_bytes() / 1e9:.1f} GB")
        if done > self._first:
            left = (now - self._began) * (total - done) / (done - self._first)
            parts.append(f"{as_clock(left)} left")
        emit({"done": done, "total": total, "message": ", ".join(parts)})

    def score(self, fraction: float, value: float) -> None:
        """Nothing races it."""

    def seconds_left(self) -> float:
        """Time is planned once, by the loop."""
        return float("inf")


@dataclass(frozen=True)
class Prepared:
    """A model and its data, read and opened. live: the open model; work: it beside the rows, ready to be trained."""

    artifact: Artifact
    data: Parts
    live: Any
    work: Trainable


def prepare(
    base: str,
    parts: str,
    task: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    lesson: str = "",
) -> Prepared:
    """Open the artifact ``base`` beside the parts train and tune, to be trained as ``settings`` (``Hyperparameters``)
    say; where they hold nothing out, it learns from both.

    Args:
        lesson: file of what a teacher says of the rows of train; empty without.

    Raises:
        ModelError, DataError: the model is not trained, or not on such rows.
    """
    artifact, data = Artifact.open(base, verify=False), load_parts(Path(parts))
    asked = Hyperparameters(**settings, lesson=lesson)
    learned = data.train if asked.holds_out else data.train + data.tune
    made = task_from(task)
    needs = Needs(made, seed, threads, train=made.singles(learned), tune=made.singles(data.tune))
    live = open_model(artifact, data.labels)
    return Prepared(artifact, data, live, format_of(artifact).trainable(live, needs, asked))


@dataclass(frozen=True)
class Job:
    """One training, as its process is told of it: plain values.

    Attributes:
        base: folder of the artifact that is trained. parts: file of the rows. task: record of the task.
        settings: ``Hyperparameters``. seconds: that it may take; None where passes alone bound it.
        threads: of this process. folder: where checkpoints, curve and model go. model: what the user called it.
        lesson: file of what a teacher says of the rows; empty without. taught_by: folders of the teachers, whose rows
            the model learns from, too.
        meeting: ``Meeting`` of the processes that train together, of which rank 0 writes; None for one alone.
        over: whether rank 0 knows that it was trained before, and only tells the others.
        columns: of the data by role, for the record of the model.
    """

    base: str
    parts: str
    task: Mapping[str, Any]
    settings: Mapping[str, Any]
    seconds: float | None
    seed: int
    threads: int
    folder: str
    model: str
    lesson: str = ""
    taught_by: Sequence[str] = ()
    meeting: Mapping[str, Any] | None = None
    over: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)


def fit(**told: Any) -> dict[str, Any]:
    """Do a :class:`Job`: train on the parts train and tune, and seal what comes out.

    Args:
        told: attributes of the job.

    Returns:
        What became of it, as plain values; nothing of any rank but 0.

    Raises:
        StepFailed: the training came apart. RunFolderError: a checkpoint is of another training, or cannot be written.
        ModelError, DataError: the model is not trained, or not on such rows. PeerLost: another process has gone.
    """
    job = Job(**told)
    met, run = Meeting(**(job.meeting or {})), Path(job.folder)
    prepared = prepare(job.base, job.parts, job.task, job.settings, job.seed, job.threads * met.here, job.lesson)
    work = prepared.work
    work.cache = PrefixCache(run / PREFIX)
    group = met.join()
    if group.decide(lambda: job.over):
        return {}
    if group.rank:
        return _work_along(job, work, group)
    telling = Telling(flops_per_row(work, job.seed), lambda: roof_of(work.dtype, job.threads, group.size))
    epoch = work.size([row for batch in work.batches(0, job.seed) for row in batch])
    scalars = Scalars(run, work.planned(), epoch, work.peak, lambda: group.cpu_seconds)
    checkpoints = Checkpoints(run / CHECKPOINTS, _identity(job, prepared), seconds_between())
    resumed, before = checkpoints.folder.is_dir(), rapl.counters()

    def heard(state: State, loss: float, share: float) -> None:
        telling.heard(state)
        scalars.heard(state, loss, share)

    found = train(
        work, seed=job.seed, threads=job.threads, watch=telling, seconds=job.seconds, checkpoints=checkpoints,
        heard=heard, note=lambda text: emit({"note": text}), group=group, deaths=deaths_in(checkpoints.folder),
    )  # fmt: skip
    scalars.finished(found.points, found.updates)
    spent, joules, peaks = scalars.spent, rapl.joules_between(before, rapl.counters()), group.gather(peak_bytes())
    group.close()  # before it is saved: in a group transformers would wait for the others
    cost = {
        "seconds": spent[0], "cpu_seconds": spent[1], "rows_per_second": found.rows_per_second,
        "memory": int(sum(peaks)),
        "joules": None if resumed else joules,
        "resumed": resumed,
        "energy_note": "unknown: it was resumed" if resumed else "" if joules is not None else rapl.why_not(),
        "arithmetic": telling.operations * found.rows or None, "rate": telling.rate,
    }  # fmt: skip
    if found.best is None and work.schedule.holds_out:
        raise StepFailed("The training was over before anything was judged.", fix="give more passes, or more --time")
    with writing(run):
        _keep_adapter(work, run, job.model)
        made = _seal(job, prepared)
    return {"path": str(made.path), **_outcome(work, found, epoch), "cost": cost}


def _work_along(job: Job, work: Trainable, group: Group) -> dict[str, Any]:
    """What any rank but 0 does: it learns from its share of each batch, and tells nothing."""
    train(work, seed=job.seed, threads=job.threads, watch=Silent(), seconds=job.seconds, group=group)
    group.gather(peak_bytes())
    group.close()
    return {}


def _identity(job: Job, prepared: Prepared) -> dict[str, Any]:
    """What a checkpoint is of: another training does not go on from it."""
    found = {
        "model": prepared.artifact.id, "data": prepared.data.fingerprint, "task": dict(job.task),
        "settings": dict(job.settings), "seconds": job.seconds, "seed": job.seed, "threads": job.threads,
        "libraries": versions(),
    }  # fmt: skip
    return found | ({"lesson": sha256(Path(job.lesson))} if job.lesson else {})


def _outcome(work: Trainable, found: Trained, epoch: int) -> dict[str, Any]:
    """What became of a training, but for its cost. epoch: size of one pass."""
    return {
        "noun": work.noun, "measure": work.measure, "shares": work.shares, "precision": found.precision,
        "learned": found.rows, "planned": found.planned, "steps": found.updates, "epochs": found.rows / max(epoch, 1),
        "best": None if found.best is None else found.best.quality,
        "notes": found.notes, "stopped": _stopped(found.rows, found.planned, work.schedule),
        "settings": _settings(work), "parameters": sum(one.numel() for one in work.net.parameters()),
    }  # fmt: skip


def roof_of(dtype: Any, threads: int, workers: int) -> float:
    """GFLOP/s that matrix products of all workers reach together, each as fast as this one; 0 where this machine was
    too busy to tell.

    Args:
        dtype: of torch, that autocast computes in; None for float32. threads: of each worker.
    """
    found = product_rate(next(name for name, one in NAMED.items() if one is dtype), threads)
    return 0.0 if found.disturbed else found.value * workers


def check(
    base: str,
    parts: str,
    task: Mapping[str, Any],
    settings: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> None:
    """Open a model and see whether it can be trained as asked, on a few rows; nothing is written.

    Args:
        given: what the user fixed of what a search could search; None where none is made.

    Raises:
        InputError, ModelError: it cannot.
    """
    try:
        found = prepare(base, parts, task, settings, 0, 1)
        if settings.get("harden") and isinstance(attack_on(found.live, settings["harden"]), EmbeddingAttack):
            embedding_of(found.live.net)
    except StepFailed as error:
        raise InputError(error.seen, allowed=error.allowed, fix=error.fix) from error
    if given is not None:
        ranges_of(found.work.hyperparameters, found.work.tunable(), given)


def seconds_between() -> float:
    """Seconds between two checkpoints at the least: ``LIGHTEN_CHECKPOINT_SECONDS``, where it is set.

    Raises:
        InputError: it is no number.
    """
    told = os.environ.get(SWITCH, "")
    try:
        return max(float(told), 0.0) if told else EVERY
    except ValueError as error:
        raise InputError(f"{SWITCH} is {told!r}.", allowed="seconds, from 0", fix=f"unset {SWITCH}") from error


def _keep_adapter(work: Trainable, run: Path, model: str) -> None:
    """Write changes of low rank beside the model that they are merged into, where peft can load such."""
    part = work.part
    if part is None or not part.learned or not hasattr(work.net, "config"):
        return
    made, final = run / f".{ADAPTER}.part", run / ADAPTER
    for folder in (made, final):
        shutil.rmtree(folder, ignore_errors=True)
    made.mkdir()
    write_adapter(made, model, work.net, part.learned, part.alpha, part.whole)
    sync_tree(made)
    made.rename(final)


def _seal(job: Job, prepared: Prepared) -> Artifact:
    """Write the trained model beside its place, seal it, and rename it. What its base and its teachers learned from, it
    learned from. The record says what classes answer; of other tasks, a model is asked what its user asks."""
    artifact, data, run = prepared.artifact, prepared.data, Path(job.folder)
    part, final = run / f".{MODEL}.part", run / MODEL
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    meta = dict(save_model(prepared.live, artifact.format, part))
    save_learned(part, [artifact.path, *map(Path, job.taught_by)], [*data.train.ids, *data.tune.ids])
    asked = {"asked": dict(job.task)} if task_from(job.task).settles_classes else {}
    Artifact.seal(
        part, format=artifact.format, parent=artifact.id, step={"use": "train"}, seed=job.seed, versions=versions(),
        meta={**meta, "model": job.model, **asked, **({"data": dict(job.columns)} if job.columns else {})},
    )  # fmt: skip
    sync_tree(part)
    if final.exists():
        shutil.rmtree(final)
    part.rename(final)
    sync(run)
    return Artifact.open(final, verify=False)


def _stopped(rows: int, planned: int, schedule: Any) -> int:
    """Evaluations in a row that brought nothing, by which it ended before its plan; 0 where it did not."""
    return 0 if rows >= WHOLE * planned else int(schedule.patience)


def _settings(work: Any) -> dict[str, Any]:
    schedule = work.schedule
    optimizer = schedule.optimizer if schedule.optimizer != ADAMW else ""
    still = {"optimizer": optimizer, "freeze": schedule.freeze, "lora": schedule.rank}
    still = {name: value for name, value in still.items() if value}
    return {
        "epochs": schedule.epochs, "learning_rate": work.peak, "batch": work.batch,
        "weight_decay": schedule.weight_decay, "warmup": schedule.warmup, "shape": schedule.shape,
        "clip": schedule.clip, "dropout": schedule.dropout, "label_smoothing": schedule.label_smoothing,
        "keep": schedule.keep, **still, **work.extra,
    }  # fmt: skip
