"""Models of a server, by name and version: loading, readiness, draining."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from time import monotonic

from lighten.serve.metrics import Sample
from lighten.serve.model import ServedModel
from lighten.serve.refusals import Refusal, no_such, unavailable

LOOK_SECONDS = 0.02
"""How often it is looked whether everything was answered, while draining."""


class Models:
    """Every model that is served. Of several versions of a name, the last one is asked where none is said.

    Args:
        served: in the order in which the user gave them.

    Attributes:
        draining: whether no request is taken any more.
    """

    def __init__(self, served: Sequence[ServedModel]) -> None:
        self.draining = False
        self._by_name: dict[str, dict[str, ServedModel]] = {}
        for model in served:
            self._by_name.setdefault(model.name, {})[model.version] = model

    def __iter__(self) -> Iterator[ServedModel]:
        for versions in self._by_name.values():
            yield from versions.values()

    def __len__(self) -> int:
        return sum(map(len, self._by_name.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Of all models."""
        return tuple(self._by_name)

    @property
    def open(self) -> int:
        """Requests that are on their way."""
        return sum(model.open for model in self)

    @property
    def ready(self) -> bool:
        """Whether every model answers, and requests are taken."""
        return not self.draining and all(model.ready for model in self)

    @property
    def state(self) -> str:
        """In one word."""
        if self.draining:
            return "draining"
        return "ready" if self.ready else next(str(model.state) for model in self if not model.ready)

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a model.

        Raises:
            Refusal: there is none of this name.
        """
        if name not in self._by_name:
            raise no_such("model", name, self._by_name)
        return tuple(self._by_name[name])

    def find(self, name: str, version: str = "") -> ServedModel:
        """A version of a model, the last one where none is said.

        Raises:
            Refusal: there is none.
        """
        versions = self.versions(name)
        if version and version not in versions:
            raise no_such(f"version of {name!r} named", version, versions)
        return self._by_name[name][version or versions[-1]]

    def open_for(self, name: str, version: str = "") -> ServedModel:
        """The same, for a request that is to be answered.

        Raises:
            Refusal: there is none, or no request is taken any more.
        """
        found = self.find(name, version)
        if self.draining:
            raise self.refusal()
        return found

    def refusal(self) -> Refusal:
        """Why no request is taken while the server drains."""
        return unavailable("The server is draining: it answers what it has and then ends.", code="draining")

    def samples(self) -> list[Sample]:
        """What is to be told of each in ``/metrics``."""
        return [(model.name, model.version, model.counts, model.gauges()) for model in self]

    async def load(self) -> None:
        """Open all of them, side by side.

        Raises:
            LightenError: why one cannot be opened.
        """
        for model in self:
            model.start()
        for model in self:
            await model.loaded()

    async def drain(self, grace: float) -> None:
        """Take no request any more, and finish what there is.

        Args:
            grace: seconds after which what is left is given up.
        """
        self.draining = True
        until = monotonic() + grace
        while self.open and monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self, seconds: float = 0.0) -> None:
        """End all of them; see :meth:`ServedModel.stop`."""
        self.draining = True
        await asyncio.gather(*(model.stop(seconds) for model in self))
