"""Matching: what a format is by its name, and which step or engine takes its models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import ModelError, PlanError, UnknownName
from lighten.core.format import Format
from lighten.core.step import Step, after


class Undescribed(Format):
    """Stands for a format that no plug-in describes."""

    tasks, home, noun = (), "", "a model"

    def save(self, model: Any, folder: Path) -> Mapping[str, Any]:
        """Raises ModelError: nothing says how."""
        raise ModelError("Nothing here says how a model of this format is saved.", fix="install what brings it")


def format_named(name: str) -> Format:
    """The format that artifacts call ``name``.

    Raises:
        ModelError: nothing that is installed brings it.
    """
    try:
        found: Format = catalog.load("formats", name)()
    except UnknownName as error:
        raise ModelError(
            f"Nothing here knows models of format {name}.",
            allowed=", ".join(catalog.names("formats")),
            fix="install the package that brings it",
        ) from error
    return found


def format_of(artifact: Artifact) -> Format:
    """The format of an artifact; one that nothing describes may still be what an engine builds and opens for itself."""
    return known_format(artifact.format) or Undescribed()


def known_format(name: str) -> Format | None:
    """As :func:`format_named`; None where nothing that is installed brings it."""
    return format_named(name) if name in catalog.names("formats") else None


def tasks_of(artifact: Artifact) -> tuple[str, ...]:
    """Catalogue names of the tasks that an artifact is for: the one that it was made for, then those of its format."""
    asked = artifact.meta.get("asked")
    told = asked.get("use") if isinstance(asked, dict) else artifact.meta.get("task")
    return tuple(dict.fromkeys([*([str(told)] if told else []), *format_of(artifact).tasks]))


def engine_for(format: str) -> Engine:
    """The engine that runs models of a format as they came; of one that nothing describes, the first that opens it.

    Raises:
        ModelError: there is none.
    """
    known = known_format(format)
    every: Iterable[str] = catalog.names("engines") if known is None else [known.home]
    for name in every:
        cls: type[Engine] = catalog.load("engines", name)
        if known is not None or format in cls.stores:
            return cls()
    raise ModelError(f"No engine opens a model of format {format}.", fix="install the package that brings one")


def facts_of(artifact: Artifact) -> dict[str, Any]:
    """What is known of an artifact's model from its headers (see ``Format.facts``).

    Raises:
        ModelError: they cannot be read.
    """
    return format_of(artifact).facts(artifact.path)


def lineage(format: str) -> Iterator[str]:
    """A format, then what it is like, then what that is like."""
    while format:
        yield format
        known = known_format(format)
        format = known.like if known is not None else ""


def fits(format: str, wanted: Collection[str]) -> bool:
    """Whether who takes one of ``wanted`` takes models of ``format``: by its name, or as what it is like."""
    return any(name in wanted for name in lineage(format))


def reachable(format: str) -> frozenset[str]:
    """Every format that steps can make of models of ``format``, itself included."""
    steps = [catalog.load_step(entry.name)() for entry in catalog.steps()]
    found, grown = frozenset[str](), frozenset({format})
    while grown != found:
        found = grown
        grown |= {after(step, known) for step in steps for known in found if fits(known, step.consumes)}
    return found


def training_of_heads(format: str, facts: Mapping[str, Any]) -> Step:
    """The step that trains a new head for models of a format: one that is made for it before one for what it is like.

    Raises:
        PlanError: nothing that is installed does.
    """
    steps: list[Step] = [catalog.load_step(entry.name)() for entry in catalog.steps()]
    able = [step for step in steps if step.trains_heads and fits(format, step.consumes) and not step.check(facts)]
    if not able:
        raise PlanError([f"The model has no head, and nothing here trains one for models of format {format}."])
    return min(able, key=lambda step: format not in step.consumes)


def unpacked_formats() -> tuple[str, ...]:
    """Formats whose live models are float networks, as a model is brought: what a student can learn from."""
    every = {name: format_named(name) for name in catalog.names("formats")}
    return tuple(name for name, format in every.items() if format.original and not format.packed)


def opens_baselines_only(engine: Engine | type[Engine]) -> bool:
    """Whether an engine opens nothing but cheap baselines: it takes nothing of a model."""
    known = [known_format(name) for name in engine.stores]
    return all(format is not None and format.baseline for format in known)


def runs_baselines(engine: str) -> bool:
    """As :func:`opens_baselines_only`, by catalogue name; False for an engine that is not installed here."""
    return engine in catalog.names("engines") and opens_baselines_only(catalog.load("engines", engine))


def is_packed(format: str) -> bool:
    """Whether files of a format hold numbers of few bits (see ``Format.packed``)."""
    known = known_format(format)
    return known is not None and known.packed
