"""optimize: find the cheapest version of a model that provably still works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.errors import InputError, Interrupted
from lighten.core.lists import read_list
from lighten.core.progress import reported_to
from lighten.core.summary import Summary
from lighten.models.bring import find
from lighten.models.recognize import recognize
from lighten.reports.card import write_card
from lighten.reports.page import write_page
from lighten.search.listener import Listener
from lighten.search.optimize import search_for_winner
from lighten.search.options import Options, seconds_of
from lighten.search.start import fitting_task


def optimize(
    model: str | Path,
    data: str | Path,
    *,
    keep: Sequence[str] | str = (),
    under: Sequence[str] | str = (),
    minimize: str | None = None,
    task: str | None = None,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] | str = (),
    shots: int = 0,
    time: str | None = "15m",
    candidates: int | None = None,
    engines: Sequence[str] | str = (),
    threads: int = 0,
    out: str | Path | None = None,
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
    seed: int = 0,
    resume: bool = False,
    listener: Listener | None = None,
) -> Summary:
    """Find the cheapest version of a model that provably still works on your data.

    Args:
        model: HF folder, hub id, GGUF file, ``sample:NAME``, code that makes a network (``module:function``), or an
            artifact of ours.
        data: csv, tsv, jsonl, parquet, HF dataset folder or hub id, or ``sample:NAME``.
        keep: quality floors such as ``"accuracy>=-1pt"``; by default the task's first metric at a provable margin.
        under: ceilings such as ``"p95<=5ms"`` or ``"size<=50%"``.
        minimize: ``cpu``, ``p50``, ``p95``, ``throughput``, ``memory``, ``size``, ...; for language models also
            ``tpot``, ``decode``, ``ttft``, ``prefill``. By default what the task says: ``tpot`` where a model writes,
            else ``cpu``.
        task: by default what the model is for; ``lighten catalog tasks`` lists them.
        prompt: template with columns, such as ``"Review: {text}\nSentiment:"``.
        answer: column with the right answer to each prompt. choices: texts that the model chooses from by likelihood;
            in one text, with commas in between, and double quotes around one that holds a comma.
        shots: examples from the training part that are put before each prompt.
        time: of the search, such as ``"15m"``; None when only ``candidates`` bounds it.
        engines: catalog names (``ov-genai`` is ``ov_genai``); empty for every engine that works here.
        threads: cores to use; 0 for all that this process may use.
        out: the run's folder; by default a new one below ``runs/``.
        text, label, group, unit: columns; found by themselves when they can be.
        split_column: column with train, validation, test; found by itself; ``"none"`` mixes them on purpose.
        labels: which class of the model a label of the data is, such as ``["0=negative", "1=positive"]``, where names
            do not say it; the class by its name or by its number from 0.
        longest: most tokens of a text that a classifier reads, where fewer are wanted than it can.
        merge_labels: whether labels that differ in spelling only are one class; None refuses them.
        drop_rare: leave out classes with fewer rows than this.
        resume: take up the run in ``out``.

    Returns:
        What the run knows; ``summary.state`` is ``"winner"``, ``"nothing_met"``, ``"missed"`` (proved, but over a
        ceiling in the last measurement) or ``"unproved"`` (the original failed in the proof). The folder holds
        ``winner/``, ``report.html``, ``results.jsonl``, ``run.toml``, ``summary.json`` and ``study.db``.

    Raises:
        InputError: something given cannot be used; nothing was written.
        Interrupted: Ctrl-C; the report of what there is was written.
    """
    given: dict[str, Any] = locals()
    asked = {name: value for name, value in given.items() if name not in ("model", "data", "listener")}
    return concluded(options_of(model, data, **asked), listener)


def options_of(model: str | Path, data: str | Path, **asked: Any) -> Options:
    """What was asked, read and checked by itself.

    Args:
        asked: every other argument of :func:`optimize`; what is left out is as there.

    Raises:
        InputError: something that cannot be used whatever the data are. TypeError: an argument that it does not have.
    """
    defaults = {name: one.default for name, one in signature(optimize).parameters.items() if name not in _APART}
    if strange := sorted(set(asked) - set(defaults)):
        raise TypeError(f"optimize() has no argument {strange[0]!r}")
    given: dict[str, Any] = {**defaults, **asked}
    _check_bounds(given["candidates"], given["threads"], given["time"])
    out, task, time, minimize = (given.pop(name) for name in ("out", "task", "time", "minimize"))
    kept = Path(out) / "store" / "model" if given["resume"] and out is not None else None
    given |= {name: read_list(given[name]) for name in ("choices", "labels", "engines")}
    for name in ("keep", "under"):
        given[name] = (given[name],) if isinstance(given[name], str) else tuple(given[name])
    given["engines"] = tuple(one.strip().replace("-", "_") for one in given["engines"])
    options = Options(
        model=str(model),
        data=str(data),
        out=Path(out) if out is not None else fresh_folder(str(data)),
        task=task.replace("-", "_") if task is not None else task_of(str(model), kept, data),
        seconds=seconds_of(time) if time is not None else None,
        **given,
    )
    return replace(options, minimize=minimize or default_cost(options))


_APART = ("model", "data", "listener")


def _check_bounds(candidates: int | None, threads: int, time: str | None) -> None:
    if candidates is not None and candidates < 1:
        raise InputError(f"--candidates is {candidates}.", allowed="1 or more")
    if threads < 0:
        raise InputError(f"--threads is {threads}.", allowed="1 or more; 0 for all that are allowed")
    if time is None and candidates is None:
        raise InputError("Nothing bounds the search.", fix="give --time 15m or --candidates 20")


def default_cost(options: Options) -> str:
    """The quantity that is minimized where the user names none.

    Raises:
        UnknownName: there is no such task.
    """
    cost: str = catalog.load("tasks", options.task)().cost(options.of_data)
    return cost


def concluded(options: Options, listener: Listener | None) -> Summary:
    """Search, and write the report and the winner's card.

    Raises:
        InputError, Interrupted: see :func:`optimize`.
    """
    try:
        with reported_to(listener.progress if listener is not None else None):
            summary = search_for_winner(options, listener)
    except Interrupted as stop:
        if isinstance(stop.summary, Summary):
            write_page(stop.summary, Path(stop.summary.paths["report"]))
        raise
    write_page(summary, Path(summary.paths["report"]))
    if summary.winner is not None:
        write_card(summary, Path(summary.winner.path) / "README.md")
    return summary


def task_of(model: str, kept: Path | None = None, data: str | Path | None = None) -> str:
    """The task that a model is for, told with as little of it fetched as possible.

    Args:
        kept: where the run that is taken up has its copy of the model.
        data: that it is to be used on; they decide where nothing else says which of its tasks is meant.

    Raises:
        ModelError, UnsafeFile: it is nothing that lighten can use; says what it is. DataError: the data cannot be read.
    """
    found = recognize(kept) if kept is not None and kept.is_dir() else find(model, whole=False)
    return fitting_task(found, data)


def fresh_folder(data: str) -> Path:
    """A folder below ``runs/`` named after the data that does not exist yet."""
    stem = Path(data.rpartition(":")[2].strip("/").replace("/", "-")).stem or "run"
    first = Path("runs") / stem
    number = 2
    found = first
    while found.exists():
        found = first.with_name(f"{stem}-{number}")
        number += 1
    return found
