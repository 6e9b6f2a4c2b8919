"""Models that a server opens: what the user named, verified, in as many processes as are sensible."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lighten.core.artifact import RECORD
from lighten.core.home import expanded
from lighten.core.matching import format_of
from lighten.core.training import model_of_run
from lighten.isolate.machine import allowed_cores
from lighten.measure.memory_estimate import check_fits, facts_of_large
from lighten.serve.guarding import Guarding
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.servable import Servable
from lighten.serve.traffic import Traffic
from lighten.serve.writing_model import WritingModel
from lighten.verbs.load import check_models_fit, resolved
from lighten.verbs.question import question_of
from lighten.verbs.serve_options import FIRST, Named, ServeOptions

UNLOAD = "unload another version first: lighten versions NAME --unload VERSION"


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


class Openers:
    """Opens the versions that the user named, at the start and later: never another path.

    Args:
        scratch: a folder for models that must be copied, which outlives them.

    Attributes:
        guarding: guards of what it opens.
    """

    def __init__(self, named: Sequence[Named], options: ServeOptions, limits: Limits, scratch: Path) -> None:
        self._named = {(one.name, one.version): one for one in named}
        self._options, self._limits, self._scratch, self._numbers = options, limits, scratch, count()
        self.guarding = Guarding((), {})

    def __call__(self, name: str, version: str) -> ServedModel:
        """A version anew from its files, at runtime.

        Raises:
            TooLarge: there is no memory for it beside what is open. ModelError, UnsafeFile: it cannot be used.
        """
        one = self._named[name, version]
        check_models_fit([one.model] * (self._options.replicas or 1))
        source = self.find(one)
        held = replicas_of(source, self._options.replicas, self._cores) * bytes_of(one.model)
        try:
            check_fits(one.model, "To open", {"its files in each replica": held}, fix=UNLOAD)
            return self._guarded(source)
        except BaseException:
            source.discard()
            raise

    def open(self, one: Named) -> ServedModel:
        """One of them, whose files are verified. Raises what a call does, but does not look for memory."""
        return self._guarded(self.find(one))

    def helper(self, name: str, path: str) -> ServedModel:
        """A model that guards ask, and nobody else. Raises what :meth:`open` does."""
        return model_of(self.find(Named(name, FIRST, path)), self._limits, replicas=1, cores=self._cores)

    @property
    def _cores(self) -> int:
        return self._options.threads or allowed_cores()

    def _guarded(self, source: Servable) -> ServedModel:
        made = model_of(source, self._limits, replicas=self._options.replicas, cores=self._cores)
        made.guards = self.guarding.chain(made.source)
        return made

    def find(self, one: Named) -> Servable:
        """One of them, not opened. Its files are verified. Raises what :meth:`open` does."""
        return servable(one, self._scratch / str(next(self._numbers)), apart=self._options.apart)

    def told(self, source: Servable, traffic: Mapping[str, Traffic]) -> ServedVersion:
        """What is said of a model once it answers."""
        path = self._named[source.name, source.version].model
        roles = tuple(traffic[source.name].roles(source.version))
        version, invariant = source.engine.version(), source.batch_invariant
        return ServedVersion(source.name, source.version, path, source.artifact.id, version, invariant, roles)


def bytes_of(model: str) -> int:
    """Of the files of a model; 0 where it is not on this machine. A session takes about as much, or more."""
    folder = model_of_run(expanded(model))
    place = folder / "winner" if (folder / "winner" / RECORD).is_file() and not (folder / RECORD).is_file() else folder
    files = [place] if place.is_file() else place.rglob("*") if place.is_dir() else []
    return sum(file.stat().st_size for file in files if file.is_file())


def model_of(source: Servable, limits: Limits, *, replicas: int, cores: int) -> ServedModel:
    """A model as it is served: one that writes can be asked to.

    Args:
        replicas: processes of it; 0 for as many as are sensible on so many cores, which they share.

    Raises:
        ModelError: its chat template cannot be used.
    """
    number = replicas_of(source, replicas, cores)
    return kind_of(source)(source, limits, replicas=number, threads=max(1, cores // number))


def replicas_of(source: Servable, replicas: int, cores: int) -> int:
    """How many processes a model has; see :func:`model_of`."""
    large = facts_of_large(source.artifact.path) is not None
    return replicas or (1 if large else kind_of(source).replicas_on(cores))


def kind_of(source: Servable) -> type[ServedModel]:
    """As what a model is served."""
    return WritingModel if source.task.writes else ServedModel


def servable(one: Named, scratch: Path, *, apart: bool = False) -> Servable:
    """What a user named, ready to be served. Its files are verified.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied.
        apart: see :func:`serve`.

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
