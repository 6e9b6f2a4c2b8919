"""What the process does that trains: open the model, train it with checkpoints, and write it as an artifact."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact, sha256
from lighten.core.errors import InputError, StepFailed
from lighten.core.matching import format_of
from lighten.core.recipe import task_from
from lighten.core.rows import Parts
from lighten.core.step import Needs, Silent
from lighten.core.training import MODEL
from lighten.data.learned import save_learned
from lighten.fitting.scalars import Scalars
from lighten.isolate import rapl
from lighten.isolate.child import emit
from lighten.isolate.machine import peak_bytes
from lighten.measure.rates import matmul_rate
from lighten.nets.training.checkpoint import EVERY, Checkpoints
from lighten.nets.training.flops import flops_per_row
from lighten.nets.training.group import Meeting
from lighten.nets.training.loop import train
from lighten.nets.training.low_rank import write_adapter
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.schedule import Hyperparameters, State
from lighten.nets.training.trainable import Trainable
from lighten.pipeline.formats import open_model, save_model
from lighten.pipeline.make import versions
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
        operations: floating-point operations of a row. roof: GFLOP/s that a matrix product reaches here.
    """

    def __init__(self, operations: float, roof: float) -> None:
        self.operations, self._roof = operations, roof
        self._last, self._began, self._first = 0.0, time.monotonic(), -1.0
        self.speed = 0.0

    def heard(self, state: State) -> None:
        """Told after each update. Where a frozen part is not computed, nobody counted what the rest takes."""
        self.operations = 0.0 if state.prefix else self.operations
        self.speed = state.rows / state.seconds if state.seconds else 0.0

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
            parts.append(f"{int(left) // 60}:{int(left) % 60:02d} left")
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
    needs = Needs(task=task_from(task), seed=seed, threads=threads, train=learned, tune=data.tune)
    live = open_model(artifact, data.labels)
    return Prepared(artifact, data, live, format_of(artifact).trainable(live, needs, asked))


def fit(
    base: str,
    parts: str,
    task: Mapping[str, Any],
    settings: Mapping[str, Any],
    seconds: float | None,
    seed: int,
    threads: int,
    folder: str,
    model: str,
    lesson: str = "",
    taught_by: Sequence[str] = (),
    meeting: Mapping[str, Any] | None = None,
    over: bool = False,
) -> dict[str, Any]:
    """Train the artifact ``base`` on the parts train and tune, and seal what comes out in ``folder``.

    Args:
        settings: ``Hyperparameters``. model: what the user called it. lesson: file of what a teacher says of the rows;
            empty without. taught_by: folders of the teachers, whose rows the model learns from, too.
        threads: of this process. meeting: ``Meeting`` of the processes that train together, of which rank 0 writes;
            None for one alone. over: whether rank 0 knows that it was trained before, and only tells the others.

    Returns:
        What became of it, as plain values; nothing of any rank but 0.

    Raises:
        StepFailed: the training came apart. RunFolderError: a checkpoint is of another training, or cannot be written.
        ModelError, DataError: the model is not trained, or not on such rows. PeerLost: another process has gone.
    """
    met, run = Meeting(**(meeting or {})), Path(folder)
    prepared = prepare(base, parts, task, settings, seed, threads * met.here, lesson)
    artifact, data, live, work = prepared.artifact, prepared.data, prepared.live, prepared.work
    work.cache = PrefixCache(run / PREFIX)
    group = met.join()
    if group.decide(lambda: over):
        return {}
    if group.rank:
        train(work, seed=seed, threads=threads, watch=Silent(), seconds=seconds, group=group)
        group.gather(peak_bytes())
        group.close()
        return {}
    identity = {
        "model": artifact.id, "data": data.fingerprint, "task": dict(task), "settings": dict(settings),
        "seconds": seconds, "seed": seed, "threads": threads, "libraries": versions(),
    }  # fmt: skip
    if lesson:
        identity["lesson"] = sha256(Path(lesson))
    roof = matmul_rate()
    telling = Telling(flops_per_row(work, seed), 0.0 if roof.disturbed else roof.value * group.here)
    epoch = work.size([row for batch in work.batches(0, seed) for row in batch])
    scalars = Scalars(run, work.planned(), epoch, work.peak, lambda: group.cpu_seconds)
    checkpoints = Checkpoints(run / CHECKPOINTS, identity, seconds_between())
    resumed, before = checkpoints.folder.is_dir(), rapl.counters()

    def heard(state: State, loss: float, share: float) -> None:
        telling.heard(state)
        scalars.heard(state, loss, share)

    found = train(
        work, seed=seed, threads=threads, watch=telling, seconds=seconds, checkpoints=checkpoints, heard=heard,
        note=lambda text: emit({"note": text}), group=group,
    )  # fmt: skip
    scalars.finished(found.points, found.updates)
    spent, joules, peaks = scalars.spent, rapl.joules_between(before, rapl.counters()), group.gather(peak_bytes())
    group.close()  # before it is saved: in a group transformers would wait for the others
    _keep_adapter(work, run, model)
    made = _seal(
        live, [artifact, *(Artifact.open(Path(one), verify=False) for one in taught_by)], run, data, seed, model
    )
    best = found.best
    if best is None and work.schedule.holds_out:
        raise StepFailed("The training was over before anything was judged.")
    return {
        "path": str(made.path), "noun": work.noun, "measure": work.measure, "shares": work.shares,
        "precision": found.precision,
        "learned": found.rows, "planned": found.planned, "steps": found.updates, "epochs": found.rows / max(epoch, 1),
        "best": None if best is None else best.quality,
        "notes": found.notes, "stopped": _stopped(found.rows, found.planned, work.schedule),
        "settings": _settings(work), "parameters": sum(one.numel() for one in work.net.parameters()),
        "cost": {
            "seconds": spent[0], "cpu_seconds": spent[1], "rows_per_second": found.rows_per_second,
            "memory": int(sum(peaks)),
            "joules": None if resumed else joules,
            "resumed": resumed,
            "energy_note": "unknown: it was resumed" if resumed else "" if joules is not None else rapl.why_not(),
            "arithmetic": telling.operations * found.rows or None, "rate": telling.rate,
        },
    }  # fmt: skip


def check(base: str, parts: str, task: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Open a model and see whether it can be trained as asked, on a few rows; nothing is written.

    Raises:
        InputError, ModelError: it cannot.
    """
    prepare(base, parts, task, settings, 0, 1)


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


def _seal(live: Any, sources: Sequence[Artifact], run: Path, data: Any, seed: int, model: str) -> Artifact:
    """Write the trained model beside its place, seal it, and rename it.

    Args:
        sources: what it was trained from, and its teachers: what they learned from, it learned from.
    """
    artifact = sources[0]
    part, final = run / f".{MODEL}.part", run / MODEL
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    meta = dict(save_model(live, artifact.format, part))
    save_learned(part, [one.path for one in sources], [*data.train.ids, *data.tune.ids])
    Artifact.seal(
        part, format=artifact.format, parent=artifact.id, step={"use": "train"}, seed=seed, versions=versions(),
        meta={**meta, "model": model},
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
    still = {name: value for name, value in (("freeze", schedule.freeze), ("lora", schedule.rank)) if value}
    return {
        "epochs": schedule.epochs, "learning_rate": work.peak, "batch": work.batch,
        "weight_decay": schedule.weight_decay, "warmup": schedule.warmup, "shape": schedule.shape,
        "clip": schedule.clip, "dropout": schedule.dropout, "label_smoothing": schedule.label_smoothing,
        "keep": schedule.keep, **still, **work.extra,
    }  # fmt: skip
