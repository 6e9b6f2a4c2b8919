"""Conversions that keep every answer: from the format that a model lies in to one that somebody else opens."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import InputError
from lighten.core.matching import facts_of, fits, is_packed
from lighten.core.recipe import engine_from, record_of, step_from, task_from, task_record_of
from lighten.core.step import Needs, Step, after
from lighten.core.task import Task
from lighten.isolate.process import call
from lighten.pipeline.formats import open_model, save_model

A_DAY = 86_400.0
Conversion = Step | Engine
"""A step that is not ``lossy``, or an engine that builds a model of one format in its own."""


def way_to(artifact: Artifact, wanted: Collection[str]) -> tuple[Conversion, ...] | None:
    """The fewest conversions from an artifact's format to one of ``wanted``; none where it is one of them already.

    Returns:
        None where nothing that is installed keeps every answer on the way.
    """
    if fits(artifact.format, wanted):
        return ()
    known = facts_of(artifact)
    every, seen = deque([(artifact.format, tuple[Conversion, ...]())]), {artifact.format}
    while every:
        format, way = every.popleft()
        for conversion, made in _from(format, known if not way else {}):
            if made in wanted:
                return (*way, conversion)
            if made not in seen:
                seen.add(made)
                every.append((made, (*way, conversion)))
    return None


def _from(format: str, facts: Mapping[str, Any]) -> Iterator[tuple[Conversion, str]]:
    """Every conversion that takes models of a format, and the format that it makes."""
    for entry in catalog.steps():
        step = _usable(entry.kind, entry.name)
        exact = isinstance(step, Step) and not (step.lossy or step.needs or step.environment)
        if exact and fits(format, step.consumes) and not step.check(facts):
            yield step, after(step, format)
    for name in catalog.names("engines"):
        engine = _usable("engines", name)
        builds = isinstance(engine, Engine) and not engine.environment and not fits(format, engine.stores)
        if builds and fits(format, engine.consumes):
            yield from ((engine, made) for made in engine.stores if is_packed(made) == is_packed(format))


def _usable(kind: str, name: str) -> Any:
    """A step or engine with its defaults; None where it cannot be had here."""
    try:
        return catalog.load(kind, name)()
    except InputError:
        return None


def convert(
    artifact: Artifact, way: Sequence[Conversion], task: Task, labels: Sequence[str], folder: Path, *, threads: int
) -> Artifact:
    """What a way from :func:`way_to` makes, in the folder, which is made; in a process of its own.

    Raises:
        CandidateFailed: a conversion failed, or its answers were found to differ. ModelError: see ``Format.open``.
    """
    made = call(
        "lighten.pipeline.convert:carry_out",
        threads=threads,
        deadline=A_DAY,
        artifact=str(artifact.path.resolve()),
        way=[record_of(one) for one in way],
        task=task_record_of(task),
        labels=list(labels),
        folder=str(folder.resolve()),
        cores=threads,
    )
    return Artifact.open(Path(made), verify=False)


def carry_out(
    artifact: str, way: list[dict[str, Any]], task: dict[str, Any], labels: list[str], folder: str, cores: int
) -> str:
    """What the child does: every conversion in turn; gives the folder of the last."""
    made, asked = Artifact.open(Path(artifact), verify=False), task_from(task)
    for number, record in enumerate(way):
        target = Path(folder) / str(number)
        target.mkdir(parents=True)
        if record["use"] in catalog.names("engines"):
            engine = engine_from(record)
            format, more = engine.build(made, target), {"engine": record}
        else:
            step = step_from(record)
            format, more = after(step, made.format), {}
            save_model(step.run(open_model(made, tuple(labels)), Needs(asked, threads=cores)), format, target)
        meta = {name: value for name, value in made.meta.items() if name != "engine"}
        made = Artifact.seal(
            target, format=format, parent=made.id, step=record, seed=made.seed, versions=made.versions, meta=meta | more
        )
    return str(made.path)
