"""train: train a model on your data, and score it on rows that nothing has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lighten.core.data_options import DataOptions
from lighten.core.errors import CandidateFailed, Interrupted
from lighten.core.lists import read_list
from lighten.core.training import TrainingResult
from lighten.fitting.launch import Launch
from lighten.fitting.mlflow import FAILED, KILLED, end_in_mlflow, record_in_mlflow
from lighten.fitting.options import FitOptions
from lighten.fitting.run import train_model
from lighten.fitting.scalars import FILE as SCALARS
from lighten.fitting.tasks import task_of_model
from lighten.reports.training import write_training_page
from lighten.reports.training_card import write_training_card
from lighten.search.listener import Listener
from lighten.search.options import seconds_of
from lighten.verbs.optimize import fresh_folder


def train(
    model: str | Path,
    data: str | Path,
    *,
    time: str | None = None,
    epochs: float | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    from_scratch: bool = False,
    lr: float | None = None,
    batch_rows: int | None = None,
    weight_decay: float | None = None,
    dropout: float | None = None,
    label_smoothing: float | None = None,
    freeze: str | int = "",
    lora: int | None = None,
    optimizer: str = "adamw",
    precision: str = "auto",
    augment: str = "auto",
    teacher: Sequence[str | Path] | str | Path = (),
    unlabelled: str | Path | None = None,
    harden: float = 0.0,
    grid: bool = False,
    price: float | None = None,
    search: int | None = None,
    task: str | None = None,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] | str = (),
    shots: int = 0,
    text: str | None = None,
    label: str | None = None,
    labels: Sequence[str] | str = (),
    group: str | None = None,
    unit: str | None = None,
    split_column: str | None = None,
    drop_empty: bool = False,
    longest: int | None = None,
    merge_labels: bool | None = None,
    drop_rare: int = 0,
    threads: int = 0,
    workers: int = 1,
    seed: int = 0,
    listener: Listener | None = None,
) -> TrainingResult:
    """Train a model on your data. Killed at any moment and taken up, it ends with the same weights, bit for bit.

    Args:
        model: HF folder, hub id, GGUF file (which is unpacked to floats), ``sample:NAME``, a factory
            (``package.module:function``), an artifact of ours, the folder of a training; with ``from_scratch`` also a
            ``config.json`` beside its tokenizer or image processor.
        data: as in :func:`lighten.optimize`, with the options of the data that stand there.
        time: that training may take, such as ``"10m"``; planned once, by timing the first updates. With ``epochs``,
            what ends first counts.
        epochs: the most passes over the training rows; by default what suits the model. Training ends sooner when the
            tune rows say so.
        out: the run's folder; by default a new one below ``runs/``.
        resume: take up the training in ``out`` from its last checkpoint.
        from_scratch: begin with random weights.
        lr: peak learning rate. batch_rows: rows per update. weight_decay: of matrices. By default what suits the model.
        dropout, label_smoothing: rates, from 0.
        freeze: what stays as it is: ``"embeddings"``, a number (so many of the first blocks, and the embeddings), or
            ``"all"`` but the head. It is computed as where the model is used: without dropout, its norms still.
        lora: rank of the changes that the linear layers learn instead of their weights (LoRA); a new head learns
            wholly. The changes are merged into the weights; as an adapter for peft they lie in ``adapter/``.
        optimizer: ``"adamw"``, or ``"muon"`` for the matrices of blocks (orthogonal updates as large as AdamW's, so
            that one ``lr`` fits both) and AdamW for the rest.
        precision: ``"fp32"``, ``"bf16"``, or ``"auto"`` for what computes faster here, measured.
        augment: how examples are varied while they are learned from: ``"off"``, names of what the model's reader knows
            (pictures: ``"shift"``, ``"flip"``, with a comma between), or ``"auto"`` for what was measured to help
            without harm, which is nothing yet. Texts are not varied.
        teacher: one or several trained models with the same classes; the divergence from their averaged answers counts
            as much as the labels, and the result compares the model with each of them and with all together.
        unlabelled: data without labels, such as those of another domain: ``teacher`` answers them, else the model
            itself after a first training on the labelled rows (each has half of ``time``), and these answers are
            learned from, too. Rows that stand in ``data`` are left out.
        harden: half of what is learned is learned from inputs that were moved so that the loss rises, by up to this
            share: of the range of a pixel (0.03 is 8 of 255 levels), of the length of a text's embeddings (0.02).
            Accuracy under this attack is told beside the other. Some six times the work for pictures, thrice for texts.
        grid: train on each group of the data alone, too (so many more trainings, which
            together take ``time`` once more), and test each on every group. What fails of it is left out, with a note.
        price: of an hour of this machine, for the report.
        workers: processes that train together, each on its part of the ``threads`` and with a batch of ``batch_rows``
            of its own: the same model as one with ``workers`` times the batch, to rounding. Under ``torchrun`` and the
            like as many as it started: all read model and data at the same path, rank 0 writes and shows, and the
            others end with ``SystemExit`` once they have worked.
        search: trials of a search for those of lr, batch_rows, epochs, weight_decay, dropout and label_smoothing that
            are left open: each is a training that is judged on tune, and stopped where others are better at the same
            point; the first has the defaults. The best settings then train once more, on train and tune together, so
            only proof scores that model. ``time`` bounds all of it; the number of passes is not searched then.

    Returns:
        Curve, cost, and scores on proof. The folder holds ``model/`` (an ordinary HF folder, which ``optimize`` takes),
        ``report.html``, ``result.json``, ``scalars.jsonl`` and ``tensorboard/``.

    Raises:
        InputError: something given cannot be used; nothing was written. StepFailed: the training came apart.
        Interrupted: Ctrl-C; it can be taken up.
    """
    given: dict[str, Any] = locals()
    return trained(options_of(**{name: value for name, value in given.items() if name != "listener"}), listener)


def options_of(model: str | Path, data: str | Path, **asked: Any) -> FitOptions:
    """What was asked, read and checked by itself. asked: every other argument of :func:`train`.

    Raises:
        InputError: something that cannot be used whatever the data are.
    """
    out, task, time, teacher, unlabelled = (
        asked.pop(name) for name in ("out", "task", "time", "teacher", "unlabelled")
    )
    of_data = {one.name: asked.pop(one.name) for one in fields(DataOptions) if one.name in asked}
    of_data |= {name: tuple(read_list(of_data[name])) for name in ("labels", "choices")}
    if task is None:
        task = task_of_model(str(model), data, from_scratch=asked["from_scratch"])
    return FitOptions(
        model=str(model),
        data=str(data),
        out=Path(out) if out is not None else fresh_folder(str(data)),
        task=task.replace("-", "_"),
        of_data=DataOptions(**of_data),
        seconds=seconds_of(time) if time is not None else None,
        freeze=str(asked.pop("freeze")),
        teachers=(str(teacher),) if isinstance(teacher, str | Path) else tuple(map(str, teacher)),
        unlabelled=str(unlabelled) if unlabelled is not None else "",
        **asked,
    )


def trained(options: FitOptions, listener: Listener | None) -> TrainingResult:
    """Train, and write the report and the model's card.

    Raises:
        InputError, StepFailed, Interrupted: see :func:`train`.
    """
    try:
        result = train_model(options, listener)
    except (CandidateFailed, Interrupted) as error:
        launch = Launch.found(options.workers, options.threads)
        if launch.leads and (options.out / SCALARS).is_file():
            told = {name: getattr(options, name) for name in ("model", "data", "task", "seed")}
            told["workers"] = launch.size
            _tell(end_in_mlflow(options.out, told, KILLED if isinstance(error, Interrupted) else FAILED), listener)
        raise
    write_training_page(result, Path(result.paths["report"]))
    write_training_card(result, Path(result.paths["model"]) / "README.md")
    _tell(record_in_mlflow(result), listener)
    return result


def _tell(text: str, listener: Listener | None) -> None:
    if text and listener is not None:
        listener.note(text)
