"""Models of a server, by name and version: loading, readiness, switching between versions, draining."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from lighten.core.errors import LightenError, TooLarge
from lighten.serve.likeness import odd_one, odd_pair, unlike
from lighten.serve.metrics import Sample
from lighten.serve.model import Observer, ServedModel
from lighten.serve.refusals import Refusal, conflict, no_such, unavailable
from lighten.serve.traffic import PREVIOUS, Share, Traffic
from lighten.serve.worker import State

log = logging.getLogger("lighten.serve")

LOOK_SECONDS = 0.02
"""How often it is looked whether everything was answered, while draining."""
STOP_SECONDS = 5.0
"""In which a replica that has nothing to do ends by itself."""
UNLOADED, LEAVING = "unloaded", "unloading"
"""States of versions beside those of workers: it is not open; it finishes what it has."""

Opener = Callable[[str, str], ServedModel]
"""``opener(name, version)``: a version that the user named at the start, made from its files. Called by a thread."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of the versions of a name; None leaves a thing as it is.

    Attributes:
        serve: the version that answers. canary, shadow: each with a share; a version that is empty takes it away.
    """

    serve: str | None = None
    canary: Share | None = None
    shadow: Share | None = None


class Models:
    """Every model that is served.

    Args:
        served: in the order in which the user gave them.
        traffic: by name; of a name that is not in it the last version that is open serves.
        unloaded: names and versions that the user named, too, and that are not to be open yet.
        opener: opens versions later; None where none can be. helpers: models that no client asks, only guards.

    Raises:
        InputError: a canary or a shadow does not take the requests of the version that serves.

    Attributes:
        draining: whether no request is taken any more. observer: hears of every answer (see ``Observer``).
    """

    def __init__(
        self,
        served: Sequence[ServedModel],
        traffic: Mapping[str, Traffic] | None = None,
        *,
        unloaded: Sequence[tuple[str, str]] = (),
        opener: Opener | None = None,
        helpers: Sequence[ServedModel] = (),
    ) -> None:
        self.draining, self.helpers = False, tuple(helpers)
        self._by_name: dict[str, dict[str, ServedModel | None]] = {}
        for model in served:
            self._by_name.setdefault(model.name, {})[model.version] = model
        for name, version in unloaded:
            self._by_name.setdefault(name, {})[version] = None
        told = traffic or {}
        self.traffic = {name: told.get(name) or Traffic(_last(every)) for name, every in self._by_name.items()}
        for name, one in self.traffic.items():
            for share in filter(None, (one.canary, one.shadow)):
                first, other = self._by_name[name].get(one.serving), self._by_name[name].get(share.version)
                if first is not None and other is not None and unlike(first, other):
                    raise odd_pair(first, other)
        self._opener = opener
        self._changing = asyncio.Lock()
        self._beside: set[ServedModel] = set()
        self._retiring: dict[asyncio.Task[None], ServedModel] = {}
        self._failures: dict[tuple[str, str], str] = {}
        self._observer: Observer | None = None

    def __iter__(self) -> Iterator[ServedModel]:
        """Those that are open, and take requests."""
        for versions in self._by_name.values():
            yield from (model for model in versions.values() if model is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all models."""
        return tuple(self._by_name)

    @property
    def open(self) -> int:
        """Requests that are on their way."""
        return sum(model.open for model in self) + sum(model.open for model in self._beside)

    @property
    def ready(self) -> bool:
        """Whether every name that is loaded is answered for, and requests are taken. A shadow that restarts is nobody's
        loss, and what was unloaded is not missed."""
        return not self.draining and not any(True for _ in self._lacking())

    @property
    def state(self) -> str:
        """In one word."""
        if self.draining:
            return "draining"
        return next((str(model.state) for model in self._lacking()), "ready")

    def _lacking(self) -> Iterator[ServedModel]:
        """Those that are opened for the first time, and those that are to serve, or to guard, and cannot."""
        for model in self:
            serves = self.traffic[model.name].serving == model.version
            if model.state is State.LOADING or (serves and not model.ready):
                yield model
        yield from (helper for helper in self.helpers if not helper.ready)

    @property
    def observer(self) -> Observer | None:
        """Who hears of every answer."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observer | None) -> None:
        self._observer = observer
        for model in self:
            model.observer = observer

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a model, open or not.

        Raises:
            Refusal: there is none of this name.
        """
        if name not in self._by_name:
            raise no_such("model", name, self._by_name)
        return tuple(self._by_name[name])

    def loaded(self, name: str) -> dict[str, ServedModel]:
        """Versions of a model that are open. Raises what :meth:`versions` does."""
        self.versions(name)
        return {version: model for version, model in self._by_name[name].items() if model is not None}

    def state_of(self, name: str, version: str) -> tuple[str, str]:
        """How it stands with a version, and why it could not be opened the last time, where it could not."""
        model = self._by_name[name][version]
        leaving = any((one.name, one.version) == (name, version) for one in self._beside)
        state = str(model.state) if model is not None else LEAVING if leaving else UNLOADED
        return state, self._failures.get((name, version), "")

    def find(self, name: str, version: str = "") -> ServedModel:
        """A version of a model, the one that serves where none is said.

        Raises:
            Refusal: there is none, or it is not open.
        """
        versions = self._by_name.get(name)
        if versions is None:
            raise no_such("model", name, self._by_name)
        if version and version not in versions:
            raise no_such(f"version of {name!r} named", version, versions)
        found = versions[version or self.traffic[name].serving]
        if found is None:
            seen = f"Version {version or self.traffic[name].serving} of {name!r} is not loaded."
            raise unavailable(seen, code=UNLOADED)
        return found

    def open_for(self, name: str, version: str = "") -> ServedModel:
        """The same, for a request that is to be answered: where none is said, the canary has its share.

        Whoever asks it waits for nothing in between, or holds it (see :meth:`ServedModel.held`).

        Raises:
            Refusal: there is none, or no request is taken any more.
        """
        if not version and name in self.traffic:
            version = self.traffic[name].draw()
            if version != self.traffic[name].serving:
                canary = self._by_name[name][version]
                version = version if canary is not None and canary.ready else ""
        found = self.find(name, version)
        if self.draining:
            raise self.refusal()
        return found

    def check(self, name: str, version: str = "") -> None:
        """Whether a request can be taken at all, before its body is read. Raises what :meth:`open_for` does."""
        self.find(name, version)
        if self.draining:
            raise self.refusal()

    def refusal(self) -> Refusal:
        """Why no request is taken while the server drains."""
        return unavailable("The server is draining: it answers what it has and then ends.", code="draining")

    def samples(self) -> list[Sample]:
        """What is to be told of each in ``/metrics``."""
        return [(model.name, model.version, model.counts, model.gauges()) for model in (*self, *self.helpers)]

    async def load(self) -> None:
        """Open all that are to be open, side by side.

        Raises:
            LightenError: why one cannot be opened.
        """
        every = [*self, *self.helpers]
        for model in every:
            model.start()
        for model in every:
            await model.loaded()

    async def load_version(self, name: str, version: str) -> None:
        """Open a version; one that is open is opened anew from its files, and answers until the new one can.

        Raises:
            Refusal: there is none, the server drains, or why it cannot be opened, such as that it has a part and does
                not take the requests of the others. Then everything is as it was.
        """
        async with self._changing:
            before = await self._load(name, version)
        if before is not None:
            self._leave(before)

    async def unload_version(self, name: str, version: str = "") -> None:
        """Close a version, or every version of a name, once what it has is answered; waits until it is closed.

        Raises:
            Refusal: there is none, or it takes part in answering while others are left.
        """
        async with self._changing:
            every = [version] if version else list(self.loaded(name))
            self.find(name, version) if version else None
            roles = [role for role in self.traffic[name].roles(version) if role != PREVIOUS] if version else []
            if roles:
                seen = f"Version {version} of {name!r} cannot be closed: its part is {', '.join(roles)}."
                raise conflict(seen, fix="have another version serve first, or take the canary or the shadow away")
            found = [model for model in (self._by_name[name][one] for one in every) if model is not None]
            for model in found:
                self._by_name[name][model.version] = None
        for model in found:
            self._leave(model)
        # One that was opened anew a moment ago may still be leaving, too.
        leaving = [task for task, one in self._retiring.items() if one.name == name and one.version in every]
        await asyncio.gather(*leaving)

    async def change(self, name: str, change: Change) -> None:
        """Have other versions answer. No request is lost: those that have begun are finished by who began them.

        Raises:
            Refusal: there is no such version, it cannot be opened, or takes other requests than those that answer now.
                Then those answer that did.
        """
        async with self._changing:
            known, traffic = self.versions(name), self.traffic[name]
            wanted = [change.serve, *(one.version for one in (change.canary, change.shadow) if one is not None)]
            for version in filter(None, wanted):
                if version not in known:
                    raise no_such(f"version of {name!r} named", version, known)
            serving = change.serve or traffic.serving
            for one in (change.canary, change.shadow):
                if one is not None and one.version == serving:
                    raise conflict(f"Version {serving} of {name!r} serves already.", fix="name another one")
            for version in dict.fromkeys(filter(None, [serving, *wanted])):
                if self._by_name[name][version] is None:
                    await self._load(name, version)
                self._check_able(name, serving, version)
            if (odd := odd_one(self.find(name, serving), self._taking(name))) is not None:
                raise conflict(odd.seen, fix=odd.fix)
            traffic.serve(serving)
            if change.canary is not None:
                traffic.canary = change.canary if change.canary.version else None
            if change.shadow is not None:
                traffic.shadow = change.shadow if change.shadow.version else None

    async def roll_back(self, name: str) -> None:
        """Have the version answer that did before.

        Raises:
            Refusal: there is no such model, or none did; or it cannot be opened.
        """
        self.versions(name)
        if not self.traffic[name].previous:
            raise conflict(f"No other version of {name!r} has served since the start.", fix="name the one to serve")
        await self.change(name, Change(serve=self.traffic[name].previous))

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
        await asyncio.gather(*(model.stop(seconds) for model in {*self, *self._beside, *self.helpers}))

    def _check_able(self, name: str, serving: str, version: str) -> None:
        """Raises Refusal where a version cannot take part beside the one that is to serve."""
        first, other = self.find(name, serving), self.find(name, version)
        if not other.ready:
            raise conflict(f"Version {version} of {name!r} is {other.state}.", fix="ask again once it is ready")
        if unlike(first, other):
            raise conflict((odd := odd_pair(first, other)).seen, fix=odd.fix)

    def _taking(self, name: str) -> list[ServedModel]:
        """Versions that are open and take part in answering."""
        roles = self.traffic[name].roles
        return [model for version, model in self.loaded(name).items() if set(roles(version)) - {PREVIOUS}]

    async def _load(self, name: str, version: str) -> ServedModel | None:
        """See :meth:`load_version`; nothing else changes meanwhile. Returns what was open in its place."""
        known = self.versions(name)
        if version not in known:
            raise no_such(f"version of {name!r} named", version, known)
        if self.draining:
            raise self.refusal()
        if self._opener is None:
            raise conflict("This server opens no model after its start.", fix="start it anew")
        try:
            made = await asyncio.get_running_loop().run_in_executor(None, self._opener, name, version)
            self._beside.add(made)
            try:
                await self._opened(made)
            finally:
                self._beside.discard(made)
        except LightenError as error:
            self._failures[name, version] = error.seen
            log.error("model %s version %s cannot be loaded: %s", name, version, error.seen)
            code = "no_memory" if isinstance(error, TooLarge) else "not_loaded"
            raise conflict(error.seen, allowed=error.allowed, fix=error.fix, code=code) from error
        self._failures.pop((name, version), None)
        made.observer = self._observer
        before, self._by_name[name][version] = self._by_name[name][version], made
        return before

    async def _opened(self, made: ServedModel) -> None:
        """Raises LightenError where it cannot be opened or take its part, Refusal where the server ends meanwhile."""
        try:
            has_part = set(self.traffic[made.name].roles(made.version)) - {PREVIOUS}
            if has_part and (odd := odd_one(made, self._taking(made.name))) is not None:
                raise odd
            if not self.draining:
                made.start()
                await made.loaded()
            if self.draining:
                raise self.refusal()
            failure = next((one.failure for one in made.replicas if one.failure is not None), None)
            if failure is not None:
                raise failure
        except BaseException:
            await made.stop(0.0)
            raise

    def _leave(self, model: ServedModel) -> asyncio.Task[None]:
        """A model gets no request any more, and is closed once it has answered those that it has."""
        self._beside.add(model)
        task = asyncio.get_running_loop().create_task(self._retire(model))
        self._retiring[task] = model
        task.add_done_callback(self._retiring.pop)
        return task

    async def _retire(self, model: ServedModel) -> None:
        until = monotonic() + max(model.limits.deadline, model.limits.write_deadline)
        try:
            while model.open and monotonic() < until:
                await asyncio.sleep(LOOK_SECONDS)
            await model.stop(STOP_SECONDS)
        finally:
            self._beside.discard(model)


def _last(versions: Mapping[str, ServedModel | None]) -> str:
    return [version for version, model in versions.items() if model is not None or not any(versions.values())][-1]
