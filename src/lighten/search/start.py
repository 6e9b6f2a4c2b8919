"""From options to a run that is ready to search: everything is checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import RECORD, Artifact, is_whole
from lighten.core.budget import Budget
from lighten.core.coverage import Coverage
from lighten.core.data_options import columns_in
from lighten.core.engine import Engine
from lighten.core.errors import InputError, UnknownName
from lighten.core.format import Recognized
from lighten.core.home import expanded
from lighten.core.matching import engine_for, fits, format_named, reachable, training_of_heads
from lighten.core.meter import QualityMeter, SpeedMeter
from lighten.core.power import Power
from lighten.core.recipe import Recipe
from lighten.core.rows import Parts
from lighten.core.task import Data, Task
from lighten.core.training import model_of_run
from lighten.data.learned import Hashes, keep_apart, learned_in
from lighten.isolate.machine import available_memory
from lighten.measure.memory_estimate import check_fits, facts_of_large, gigabytes, to_optimize
from lighten.measure.probe import probe_engine
from lighten.search.classes import Settled
from lighten.search.listener import Listener
from lighten.search.options import Options
from lighten.search.power import check_power, default_floor


@dataclass(frozen=True)
class Asked:
    """What the user asked, read and checked; nothing has been written yet.

    Attributes:
        columns: the data's columns by role, for the record.
        classes: which class of the model each label is; None where a head is trained for the labels, or there are none.
        coverage: how much a classifier reads of each part.
    """

    options: Options
    task: Task
    parts: Parts
    budget: Budget
    power: tuple[Power, ...]
    quality: Mapping[str, QualityMeter]
    speed: Mapping[str, SpeedMeter]
    columns: Mapping[str, str]
    classes: Settled | None = None
    coverage: Mapping[str, Coverage] = field(default_factory=dict)


def meters(task: Task) -> tuple[dict[str, QualityMeter], dict[str, SpeedMeter]]:
    """The meters that make sense for a task, by catalog name: of quality, of speed."""
    quality, speed = {}, {}
    for name in catalog.names("meters"):
        meter = catalog.load("meters", name)()
        if isinstance(meter, QualityMeter) and {q.name for q in meter.quantities} & set(task.metrics):
            quality[name] = meter
        elif isinstance(meter, SpeedMeter) and name in task.speeds:
            speed[name] = meter
    return quality, speed


def ask(options: Options, listener: Listener) -> Asked:
    """Read and check everything the user gave except the model.

    Raises:
        InputError: anything that cannot be used, with what was seen, what is allowed and what to do.
    """
    for name in options.engines:
        if name not in catalog.names("engines"):
            raise UnknownName("engine", name, catalog.names("engines"))
    if options.task not in catalog.names("tasks"):
        raise UnknownName("task", options.task, catalog.names("tasks"))
    return checked(options, read_data(options), listener)


def without_learned(asked: Asked, learned: Hashes, listener: Listener) -> Asked:
    """The same, with no row that the model learned from among those that something is judged by.

    Args:
        learned: hashes of these rows, known only after the model was fetched.

    Raises:
        InputError: too few rows are left for what was asked.
    """
    parts = keep_apart(asked.parts, learned, asked.options.model)
    if parts is asked.parts:
        return asked
    return checked(asked.options, Data(asked.task, parts, asked.columns), listener, told=asked.parts.notes)


def checked(options: Options, found: Data, listener: Listener, told: Sequence[str] = ()) -> Asked:
    """What the user asked of data that were read, checked.

    Args:
        told: notes of the data that the listener has heard.

    Raises:
        InputError: a budget that cannot be used, or that these data cannot prove.
    """
    task, parts, named = found.task, found.parts, found.columns
    quality, speed = meters(task)
    budget = Budget.parse(
        options.keep,
        options.under,
        options.minimize,
        quality=[q for meter in quality.values() for q in meter.quantities],
        speed=[q for meter in speed.values() for q in meter.quantities],
    )
    for note in parts.notes:
        if note not in told:
            listener.note(note)
    if not budget.keep:
        budget = Budget((default_floor(task, quality, parts),), budget.under, budget.minimize)
        listener.note(f"No --keep was given: {budget.keep[0].text}.")
    power, about = check_power(budget, quality, parts, named)
    for note in about:
        listener.note(note)
    return Asked(options, task, parts, budget, power, quality, speed, named)


def learned_by(options: Options) -> Hashes:
    """Hashes of the rows that the model learned from, by its folder here or the run's own copy; empty for a hub id."""
    return learned_in(kept_or_given(options) or Path(options.model))


def kept_or_given(options: Options) -> Path | None:
    """The run's own copy of the model, else its folder here; None for a hub id."""
    kept = options.out / "store" / "model"
    places = (*((kept,) if is_whole(kept) else ()), model_of_run(expanded(options.model)))
    return next((place for place in places if place.is_dir()), None)


def columns_of(place: Path | None) -> dict[str, str]:
    """Columns by role that a model in a folder was made with; empty where none says it.

    Raises:
        ModelError: its record is broken.
    """
    if place is None or not (place / RECORD).is_file():
        return {}
    return columns_in(Artifact.open(place, verify=False).meta.get("data"))


def read_data(options: Options) -> Data:
    """The data as the task reads them; rows that the model learned from are never where something is judged.

    Which these are, the folder of the model says, where it has one.

    Raises:
        InputError: data or options that cannot be used.
    """
    asked = options.of_data.beside(columns_of(kept_or_given(options)))
    found = catalog.load("tasks", options.task)().read(options.data, asked, seed=options.seed)
    return Data(found.task, keep_apart(found.parts, learned_by(options), options.model), found.columns)


def fitting_task(found: Recognized, data: str | Path | None) -> str:
    """The first task of a model that takes the data; its first one where it says it itself, or none does."""
    if data is None or found.sealed or len(found.tasks) < 2:
        return found.task
    return next((name for name in found.tasks if catalog.load("tasks", name)().takes(data)), found.task)


def check_memory(asked: Asked, source: Path, listener: Listener) -> None:
    """Refuse a model that cannot be optimized in the memory that is left, before it is copied or loaded.

    Args:
        source: where the model is.

    Raises:
        TooLarge: it needs more. ModelError: its headers cannot be read.
    """
    known = facts_of_large(source)
    if known is None:
        return
    engine, left = engine_for(known["format"]), available_memory()
    fix = "take a smaller model of the family or a machine with more memory; `lighten bench` and `chat` need far less"
    check_fits(asked.options.model, "To optimize", to_optimize(known, engine), fix=fix, available=left)
    whole = sum(to_optimize(known, engine, whole=True).values())
    if whole > left:
        listener.note(
            f"There are {gigabytes(left)} of memory left. To train every weight of this model would take "
            f"{gigabytes(whole)}; candidates that keep its whole vocabulary may fail for that."
        )


def working_engines(asked: Asked, format: str, listener: Listener) -> tuple[tuple[Engine, ...], dict[str, str]]:
    """Engines that work on this machine at their default settings, and the reason for each other one.

    Args:
        format: of the original. The engine that runs it as it came is the first one.

    Raises:
        InputError: an engine that was asked for does not work here, or none does.
    """
    home, formats = format_named(format).home, reachable(format)
    takes = {name: catalog.load("engines", name).consumes for name in catalog.names("engines")}
    wanted = asked.options.engines or [n for n, wants in takes.items() if any(fits(made, wants) for made in formats)]
    found: list[Engine] = []
    refused: dict[str, str] = {}
    for name in dict.fromkeys((home, *wanted)):
        listener.progress(len(found) + len(refused), len(wanted), f"trying engine {name}")
        health = probe_engine(name)
        if health.works:
            found.append(catalog.load("engines", name)())
        elif name in asked.options.engines or name == home:
            raise InputError(f"The engine {name} does not work here: {health.reason}", fix=health.fix)
        else:
            refused[name] = f"{health.reason} To do: {health.fix}" if health.fix else health.reason
            listener.note(f"Left out: engine {name} ({refused[name]})")
    return tuple(found), refused


def recipe_of_head(model: str, seed: int, format: str, facts: Mapping[str, Any]) -> Recipe:
    """The recipe that trains a head for a model without one. format, facts: of the model.

    Raises:
        PlanError: nothing that is installed does.
    """
    return Recipe(model, (training_of_heads(format, facts),), seed=seed)
