"""From options to a run that is ready to train: data and model are read and checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core import catalog
from lighten.core.artifact import Artifact, is_whole
from lighten.core.engine import Engine
from lighten.core.errors import InputError, UnknownName
from lighten.core.format import Recognized
from lighten.core.home import expanded
from lighten.core.item import Item
from lighten.core.lists import write_list
from lighten.core.matching import engine_for, facts_of, format_named
from lighten.core.reader import AUTO, OFF
from lighten.core.readers import reader_in
from lighten.core.recipe import task_record_of
from lighten.core.rows import Parts, Rows
from lighten.core.task import Data
from lighten.core.training import model_of_run
from lighten.data.learned import Hashes, hashes_of, keep_apart, learned_in
from lighten.fitting.launch import Launch
from lighten.fitting.options import FitOptions
from lighten.fitting.sweep.asking import given
from lighten.isolate.machine import allowed_cores, available_memory
from lighten.isolate.process import call
from lighten.measure.memory_estimate import check_fits, facts_of_large
from lighten.measure.probe import probe_engine
from lighten.models.scratch import config_at
from lighten.search.classes import asking, settle_classes, suit
from lighten.search.listener import Listener
from lighten.search.optimize import bring_model, located, parts_in
from lighten.search.start import columns_of
from lighten.store.folder import save_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = "parts.json"
KEPT = "model"
"""Under which the run's store has the model as it was brought."""
FEW, FEW_ROWS = 8, "few.json"
"""Rows beside which a model is opened to see what of it can learn, and their file."""


def read_whole(options: FitOptions) -> Data:
    """The data as the task reads them, whatever models learned from.

    Raises:
        InputError: data or options that cannot be used.
    """
    if options.task not in catalog.names("tasks"):
        raise UnknownName("task", options.task, catalog.names("tasks"))
    asked = options.of_data.beside(columns_of(_places(options)[0]))
    found: Data = catalog.load("tasks", options.task)().read(options.data, asked, seed=options.seed)
    return found


def apart(options: FitOptions, data: Data, learned: Mapping[str, Hashes]) -> Data:
    """The data with no row in select and proof that a model learned from, one model after the other.

    Args:
        learned: hashes of such rows, by what the user calls the model.

    Raises:
        DataError: too few rows are left to judge on.
    """
    for name, hashes in learned.items():
        data = replace(data, parts=keep_apart(data.parts, hashes, name))
    return data


def learned_of(options: FitOptions, places: Sequence[Path | None] = ()) -> dict[str, Hashes]:
    """Hashes of the rows that the model, and each teacher, learned from, by what the user calls it.

    Args:
        places: folder of each, the model's first; by default the run's copy of it or its own folder. None for one that
            has no folder here, such as one of the hub, and for random weights.
    """
    names = (options.model, *options.teachers)
    found: dict[str, Hashes] = {}
    for name, place in zip(names, places or _places(options), strict=True):
        hashes = learned_in(place) if place is not None else hashes_of(())
        found[name] = np.union1d(found[name], hashes) if name in found else hashes
    return found


def _places(options: FitOptions) -> list[Path | None]:
    """Folder of the model and of each teacher; None where there is none."""
    found: list[Path | None] = []
    for kept, name in ((KEPT, options.model), *((stored(n), one) for n, one in enumerate(options.teachers))):
        copy, given = options.out / "store" / kept, model_of_run(expanded(name))
        fresh = options.from_scratch and kept == KEPT
        found.append(copy if is_whole(copy) else given if given.is_dir() and not fresh else None)
    return found


def stored(number: int) -> str:
    """Name of a teacher in the store of a run."""
    return f"teacher-{number}"


def bring(options: FitOptions, data: Data, scratch: Path, listener: Listener) -> Artifact:
    """The model in an empty folder, checked: as it is, or its architecture with random weights.

    Raises:
        ModelError, UnsafeFile: it cannot be used, or is not for the task.
    """
    model = options.model
    if options.from_scratch:
        model = str(random_weights(options, data, scratch / "random"))
    found = located(model, data.task)
    if options.resume:
        format_named(found.format).refuse_unnamed(found, str(options.out))
    check_memory(options.model, found, Launch.found(options.workers, options.threads).here)
    check_asked(options, found.format)
    made = bring_model(options.model, found, scratch, options.of_data.longest)
    made = suited(options, data, made, listener)
    if options.augment not in (AUTO, OFF):
        reader_in(made.path).augmented(options.augment)
    return made


def check_asked(options: FitOptions, format: str) -> None:
    """Refuse what models of a format cannot be asked of their training.

    Raises:
        InputError: names the option.
    """
    known = format_named(format)
    asked = {"augment": options.augment not in (AUTO, OFF), "teacher": bool(options.teachers)}
    asked |= {"unlabelled": bool(options.unlabelled), "harden": bool(options.harden)}
    if refused := next((name for name, given in asked.items() if given and name not in known.lessons), ""):
        raise InputError(
            f"--{refused} was given, and {known.noun} is not trained so ({options.model}).",
            allowed=", ".join(f"--{name}" for name in sorted(known.lessons))
            or f"none of {', '.join(f'--{name}' for name in asked)}",
            fix="leave it out",
        )


def suited(options: FitOptions, data: Data, made: Artifact, listener: Listener) -> Artifact:
    """A model that was just brought, made for the data where it waits for them, or without a head that knows none of
    their labels.

    Raises:
        CandidateFailed: it does not run.
    """
    if options.of_data.labels and facts_of(made)["has_head"]:
        return made
    threads = options.threads or allowed_cores()

    def answer(items: Sequence[Item]) -> NDArray[Any]:
        return asking(made, engine_of(made), threads, listener.progress)(items)

    return suit(made, data.parts, options.model, listener.note, answer, seed=options.seed)


def check_memory(model: str, found: Recognized, workers: int = 1) -> None:
    """Refuse a model that cannot be trained in the memory that is left, before it is copied or loaded.

    Args:
        workers: processes of this machine, each of which holds all of it.

    Raises:
        TooLarge: it needs more. ModelError: its headers cannot be read.
    """
    known = facts_of_large(found.path) if format_named(found.format).large else None
    if known is not None:
        each = format_named(known["format"]).memory(known, whole=True)
        needed = {what: workers * size for what, size in each.items()}
        fix = "take a smaller model of the family or a machine with more memory"
        check_fits(model, "To train", needed, fix=fix, available=available_memory())


def asks_model(options: FitOptions) -> bool:
    """Whether something was asked of which only the model knows whether it can be done."""
    fixed = options.search is not None and bool(given(options))
    return bool(options.lora or options.freeze or options.harden or fixed)


def check_part(options: FitOptions, base: Artifact, data: Data, scratch: Path) -> None:
    """Refuse what a model cannot be asked, before anything is written: what cannot be frozen or learned at low rank,
    inputs that cannot be moved, a search of nothing.

    Only the model knows its blocks and layers, so it is opened, beside a few rows.

    Args:
        base: a float model.

    Raises:
        InputError: says what can be. ModelError: such models are not trained.
    """
    if not asks_model(options):
        return
    parts = replace(data.parts, train=_few(data.parts.train), tune=_few(data.parts.tune))
    save_parts(parts, scratch / FEW_ROWS)
    call(
        "lighten.fitting.child:check",
        deadline=600.0,
        base=str(base.path),
        parts=str(scratch / FEW_ROWS),
        task=task_record_of(data.task),
        settings=options.settings,
        given=given(options) if options.search is not None else None,
    )


def _few(rows: Rows) -> Rows:
    """Some rows, whose targets any network has."""
    few = rows.take(range(min(len(rows), FEW)))
    return replace(few, targets=(0,) * len(few.targets))


def random_weights(options: FitOptions, data: Data, folder: Path) -> Path:
    """The architecture that a user named, with random weights, in a folder that can be brought.

    Raises:
        ModelError: it is none that can be built.
    """
    config = config_at(expanded(options.model))
    if config is not None:
        reply = call(
            "lighten.models.scratch:write_random",
            deadline=600.0,
            config=str(config),
            folder=str(folder),
            seed=options.seed,
            writes=data.task.writes,
        )
        return Path(reply["path"])
    found = located(options.model, data.task)
    return Path(format_named(found.format).random(found, folder, options.seed))


def settle(options: FitOptions, data: Data, base: Artifact, threads: int, listener: Listener) -> Data:
    """The data with targets that are outputs of a model that has a head already.

    Raises:
        DataError: labels that are none of its classes, or rows that say otherwise. InputError: ``--labels`` of a model
            that has no classes. InputError, CandidateFailed: it does not run.
    """
    frozen = parts_in(options.out / PARTS)
    if frozen is not None:  # a resumed run: what was found then
        return Data(data.task, frozen, data.columns)
    known, told = facts_of(base), options.of_data.labels
    if told and data.task.settles_classes and not known["has_head"]:
        raise InputError(
            f"--labels {write_list(told)} says which class of a model a label is, and {options.model} has no classes "
            "yet: a head for the labels of the data is trained.",
            fix="leave it out, or change the labels in the data",
        )
    if not known["has_head"] or not data.task.settles_classes:
        return data
    answer = asking(base, engine_of(base), threads, listener.progress)
    found = settle_classes(data.parts, known["labels"], told, answer, data.task, model=options.model, seed=options.seed)
    if found.classes.note:
        listener.note(found.classes.note)
    if found.warning:
        listener.warning(found.warning)
    return Data(data.task, found.parts, data.columns)


def engine_of(base: Artifact) -> Engine:
    """The engine that runs a model as it comes.

    Raises:
        InputError: it does not work here.
    """
    engine = engine_for(base.format)
    health = probe_engine(catalog.name_of(engine))
    if not health.works:
        raise InputError(f"The engine {catalog.name_of(engine)} does not work here: {health.reason}", fix=health.fix)
    return engine


def check_few(parts: Parts) -> None:
    """Refuse data of one class only, from which nothing can be learned.

    Raises:
        InputError: says which.
    """
    if parts.labels and len(set(parts.train.targets)) < 2:
        raise InputError(
            f"Every row of the training part has the label {parts.labels[parts.train.targets[0]]}.",
            allowed="at least two labels",
            fix="give data with rows of each label",
        )
