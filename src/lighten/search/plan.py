"""Plan: what a run would try, what it can prove and what it needs, before anything is written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lighten.core.item import size_of
from lighten.core.power import Power
from lighten.core.recipe import record_of
from lighten.core.rows import PART_NAMES
from lighten.core.space import Space, Variant
from lighten.isolate.machine import allowed_cores, available_memory
from lighten.measure.memory_estimate import to_optimize
from lighten.search import proposals
from lighten.search.disk import DiskSpace
from lighten.search.listener import Listener, Quiet
from lighten.search.manifest import manifest_of
from lighten.search.optimize import Inspected, inspect
from lighten.search.options import Options
from lighten.search.start import ask
from lighten.search.stock import not_convertible, stock
from lighten.store.folder import RunFolder


class Notes(Quiet):
    """Collects the notes and warnings, and passes everything else on."""

    def __init__(self, listener: Listener) -> None:
        self.listener, self.notes = listener, list[str]()

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)

    def warning(self, text: str) -> None:
        """Keep it, too."""
        self.notes.append(text)

    def phase(self, name: str, seconds_left: float | None) -> None:
        """Pass it on."""
        self.listener.phase(name, seconds_left)

    def progress(self, done: float, total: float, message: str) -> None:
        """Pass it on."""
        self.listener.progress(done, total, message)


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        rows: of each part of the data. keep, under, minimize: the budget. power: what the proof part can prove.
        seconds: that the search may take, proof and last measurements included; None where ``candidates`` bounds it.
        tunes: whether the model has no head for the task, and is fine-tuned first, which is not counted.
        engines: that work here. stock: candidates that a user could pick without a search, tried first.
        architectures: smaller architectures that the search chooses from, the largest first.
        left_out: what does not fit the model or this machine, a sentence each.
        memory: bytes of training by what they are for, and ``available``; empty for a model that takes few.
        disk: bytes on the disk of the run's folder; None for a run that is resumed.
        notes: what was noticed in the data and the model, a sentence each. command: that starts the run.
    """

    model: str
    data: str
    task: str
    rows: Mapping[str, int]
    keep: tuple[str, ...]
    under: tuple[str, ...]
    minimize: str
    power: tuple[Power, ...]
    seconds: float | None
    candidates: int | None
    tunes: bool
    engines: tuple[str, ...]
    stock: tuple[str, ...]
    architectures: tuple[str, ...]
    left_out: tuple[str, ...]
    memory: Mapping[str, int]
    disk: DiskSpace | None
    notes: tuple[str, ...]
    command: str

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def plan_run(options: Options, listener: Listener | None = None) -> Plan:
    """What :func:`lighten.search.optimize.search_for_winner` would do with these options. Nothing is written.

    Raises:
        InputError: something that the user gave cannot be used. CandidateFailed: the model does not run.
    """
    heard = Notes(listener or Quiet())
    heard.phase("data", None)
    asked = ask(options, heard)
    RunFolder.check(options.out, manifest_of(asked, options.threads or allowed_cores()), resume=options.resume)
    with tempfile.TemporaryDirectory(prefix="lighten-") as scratch:
        found = inspect(options, asked, heard, Path(scratch), dry=True)
    asked = found.asked
    facts = {**found.facts, **asked.task.facts}
    format = str(found.facts["format"])
    space = Space.compose(format, found.engines, facts)
    every = space.variants
    kept = proposals.affordable(every, sum(map(size_of, asked.parts.train.inputs)), options.seconds)
    first = [d for d in stock(kept, format, facts) if not _as_it_came(d, found)]
    return Plan(
        model=options.model,
        data=options.data,
        task=options.task,
        rows={name: len(asked.parts[name]) for name in PART_NAMES},
        keep=tuple(constraint.text for constraint in asked.budget.keep),
        under=tuple(constraint.text for constraint in asked.budget.under),
        minimize=asked.budget.minimize,
        power=asked.power,
        seconds=options.seconds,
        candidates=options.candidates,
        tunes=not found.facts["has_head"],
        engines=tuple(record_of(engine)["use"] for engine in found.engines),
        stock=tuple(proposals.variant_name(variant) for variant in first),
        architectures=tuple(architecture.name for architecture in proposals.architectures(space)),
        left_out=(
            *(f"Engine {name}: {why}" for name, why in found.refused.items()),
            *not_convertible(space),
            *proposals.left_out(every, kept),
        ),
        memory=_memory(found),
        disk=found.disk,
        notes=tuple(dict.fromkeys(heard.notes)),
        command=options.command(),
    )


def _as_it_came(variant: Variant, found: Inspected) -> bool:
    """Whether it is how the original itself is run: in the first engine, which is its own."""
    return not variant.steps and record_of(variant.engine) == record_of(found.engines[0])


def _memory(found: Inspected) -> dict[str, int]:
    if not found.engines[0].memory(found.facts):  # it is small
        return {}
    return {**to_optimize(found.facts, found.engines[0]), "available": available_memory()}
