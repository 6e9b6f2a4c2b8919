"""Models that a server opens: what the user named, verified, in as many processes as are sensible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

from lighten.isolate.machine import allowed_cores
from lighten.measure.memory_estimate import check_fits, facts_of_large
from lighten.serve.guarding import Guarding
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.servable import Servable
from lighten.serve.traffic import Traffic
from lighten.serve.writing_model import WritingModel
from lighten.verbs.load import check_models_fit
from lighten.verbs.serve_ahead import ServedVersion, bytes_of, servable
from lighten.verbs.serve_options import FIRST, Named, ServeOptions

UNLOAD = "unload another version first: lighten versions NAME --unload VERSION"


class Openers:
    """Opens the versions that the user named, at the start and later: never another path.

    Args:
        scratch: a folder for models that must be copied, which outlives them. begun: what was found of them already.

    Attributes:
        guarding: guards of what it opens.
    """

    def __init__(
        self,
        named: Sequence[Named],
        options: ServeOptions,
        limits: Limits,
        scratch: Path,
        begun: Mapping[Named, Servable] | None = None,
    ) -> None:
        self._named = {(one.name, one.version): one for one in named}
        self._options, self._limits, self._scratch, self._numbers = options, limits, scratch, count()
        self._begun = dict(begun or {})
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
        if one in self._begun:
            return self._begun.pop(one)
        return servable(one, self._scratch / str(next(self._numbers)), apart=self._options.apart)

    def told(self, source: Servable, traffic: Mapping[str, Traffic], engine: str) -> ServedVersion:
        """What is said of a model once it answers. engine: that runs it, with its version."""
        path = self._named[source.name, source.version].model
        roles = tuple(traffic[source.name].roles(source.version))
        invariant = source.batch_invariant
        return ServedVersion(source.name, source.version, path, source.artifact.id, engine, invariant, roles)


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
