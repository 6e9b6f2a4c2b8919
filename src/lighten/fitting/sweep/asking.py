"""Asking: the side of a sweep that waits for it: what is refused before it, and what is kept of it in the run."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from lighten.core.errors import InputError, MissingExtra
from lighten.core.sweep import SweepRecord
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training, hearing
from lighten.fitting.sweep.ranges import OPTIONS, nothing_left
from lighten.fitting.workers import PATIENCE
from lighten.isolate.process import ChildProcess
from lighten.search.listener import Listener
from lighten.store.study import Study

SWEPT = "search"
"""Under which the run remembers a finished search, and how the training after it is asked."""
LIBRARIES = ("optuna", "sqlalchemy")


def given(options: FitOptions) -> dict[str, Any]:
    """What the user fixed of what a search could search, by the names of hyperparameters."""
    every = {name: getattr(options, option) for name, option in OPTIONS.items()}
    return {name: value for name, value in every.items() if value is not None}


def check_search(options: FitOptions) -> None:
    """Refuse a search that cannot be made, before anything is read.

    Raises:
        MissingExtra: its libraries are not installed. InputError: everything is fixed, or an option goes with none.
    """
    if options.search is None:
        return
    if options.grid:
        raise InputError(
            "--search with --grid: each of them is many trainings.", fix="search first, then give --grid what it found"
        )
    if options.workers > 1:
        raise InputError(
            f"--search with {options.workers} workers: all trials run in one process, on all cores.",
            fix="search first, then train with --workers and what it found",
        )
    for library in LIBRARIES:
        if find_spec(library) is None:
            raise MissingExtra("--search", "search", f"No module named {library!r}")
    fixed = given(options)
    if not set(OPTIONS) - set(fixed) - ({"epochs"} if options.seconds is not None else set()):
        raise nothing_left(fixed)


def searched(training: Training, study: Study, threads: int, listener: Listener) -> Training:
    """Search in a process of its own, or take what was found before a kill. Gives the training with what was found.

    Args:
        training: without a search. study: of the run.

    Raises:
        CandidateFailed, InputError: see ``trials.search``.
    """
    found = study.recall(SWEPT)
    if found is None:
        listener.phase("sweep", training.seconds)
        options = training.options
        child = ChildProcess(threads=threads, patient=True)
        child.start()
        try:
            arguments = {**training.arguments(threads), "given": given(options), "trials": options.search}
            function = "lighten.fitting.sweep.trials:search"
            reply = child.ask("call", PATIENCE, on_event=hearing(listener), function=function, arguments=arguments)
        finally:
            child.close()
        found = reply["value"]
        study.remember(SWEPT, found)
    listener.phase("training", found["seconds"])
    return replace(training, settings=found["settings"], seconds=found["seconds"])


def sweep_of(study: Study) -> SweepRecord | None:
    """The search that a run remembers; None where it made none."""
    found = study.recall(SWEPT)
    return None if found is None else SweepRecord.from_json(found["record"])
