"""Models that are begun with before the server is there: processes open them while this one imports what serves."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lighten.core.artifact import RECORD
from lighten.core.errors import LightenError
from lighten.core.home import expanded
from lighten.core.matching import format_of
from lighten.core.training import model_of_run
from lighten.isolate.machine import allowed_cores
from lighten.isolate.process import ChildProcess
from lighten.serve.limits import Limits
from lighten.serve.servable import Servable, processes_on
from lighten.verbs.load import resolved
from lighten.verbs.question import question_of
from lighten.verbs.serve_options import Named, Plan, ServeOptions

SMALL = 256 << 20
"""Bytes of a model's files up to which it is begun with before it is known that all fit into memory together."""


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A model that is served: its name and version, what the user gave, the artifact's id, its engine, whether an input
    is answered alike, but for rounding, whatever is asked beside it, and what it is for its name."""

    name: str
    version: str
    model: str
    artifact: str
    engine: str
    batch_invariant: bool
    roles: tuple[str, ...] = ()


def begun(plan: Plan, options: ServeOptions, limits: Limits, scratch: Path, stack: ExitStack) -> dict[Named, Servable]:
    """Small artifacts among the models that are to be open, each with a process that is opening it.

    With it the model is ready; its others come when the server is made, with the time of which they would compete.
    What is wrong with a model is said where it is opened: here it is left out.

    Args:
        scratch: an empty folder for what must be copied. stack: ends processes that nobody takes.
    """
    found: dict[Named, Servable] = {}
    cores = options.threads or allowed_cores()
    threads = max(1, cores // (options.replicas or processes_on(cores)))
    for number, one in enumerate(plan.opened):
        if not (place := folder_of(one.model) / RECORD).is_file() or bytes_of(str(place.parent)) > SMALL:
            continue
        source = _begun(one, scratch / f"ahead-{number}", options, ChildProcess(threads=threads), limits)
        if source is not None:
            stack.callback(source.discard)
            found[one] = source
    return found


def _begun(one: Named, scratch: Path, options: ServeOptions, child: ChildProcess, limits: Limits) -> Servable | None:
    """One of them; None where it is not begun with, and the process has ended."""
    source: Servable | None = None
    try:
        child.start()  # it has imports of its own to do, while the model's are done here
        source = servable(one, scratch, apart=options.apart)
        taken = not source.task.writes and source.begin(child, limits.hang)  # what writes has one process for all cores
    except LightenError:
        taken = False
    if source is not None and taken:
        return source
    if source is not None:
        source.discard()
    child.kill()
    child.close()
    return None


def folder_of(model: str) -> Path:
    """Where the files of a model lie, if it is on this machine: of a run, its winner."""
    folder = model_of_run(expanded(model))
    return folder / "winner" if (folder / "winner" / RECORD).is_file() and not (folder / RECORD).is_file() else folder


def bytes_of(model: str) -> int:
    """Of the files of a model; 0 where it is not on this machine. A session takes about as much, or more."""
    place = folder_of(model)
    files = [place] if place.is_file() else place.rglob("*") if place.is_dir() else []
    return sum(file.stat().st_size for file in files if file.is_file())


def servable(one: Named, scratch: Path, *, apart: bool = False) -> Servable:
    """What a user named, ready to be served. Its files are verified.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied.
        apart: see :func:`lighten.verbs.serve.serve`.

    Raises:
        ModelError, UnsafeFile: it cannot be used.
    """
    try:
        artifact, engine = resolved(str(model_of_run(expanded(one.model))), scratch)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    question, invariant = question_of(artifact), format_of(artifact).batch_invariant(artifact.path)
    if apart and not invariant:
        engine, invariant = engine.apart(), True
    labels, options = question.labels, question.options
    return Servable(one.name, one.version, artifact, engine, question.task, labels, options, invariant, scratch)
