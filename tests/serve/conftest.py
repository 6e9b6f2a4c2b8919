"""Models whose engine is a fake, opened as a server opens them, and servers in processes of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.recipe import record_of
from lighten.core.task import Task
from lighten.serve.app import App
from lighten.serve.grpc_messages import message
from lighten.serve.grpc_server import GrpcServer
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.servable import Servable
from lighten.serve.writing_model import WritingModel
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.asgi import Answer, ask
from lighten.testing.scribe import TEMPLATE
from lighten.testing.serving import Running, running
from lighten.verbs.serve import application, grpc_application
from lighten.verbs.serve_models import model_of as served

LABELS = ("even", "odd")
ServableOf = Callable[..., Servable]
Opened = Callable[..., AbstractAsyncContextManager["Stage"]]


@dataclass(frozen=True)
class Stage:
    """Models that are open, and the application over them."""

    models: Models
    app: App

    @property
    def model(self) -> ServedModel:
        """The first of them."""
        return next(iter(self.models))


@pytest.fixture
def servable_of(fake_engine: type, artifact: Artifact) -> ServableOf:
    """``servable_of(name="m", version="1", fault="segv", after=1)``: a model whose engine misbehaves as told."""

    def make(name: str = "m", version: str = "1", task: Task | None = None, **settings: Any) -> Servable:
        engine = fake_engine(**settings)
        return Servable(name, version, artifact, engine, task or TextClassification(), LABELS)

    return make


@pytest.fixture
def opened(servable_of: ServableOf) -> Opened:
    """``async with opened(limits, replicas=2, **settings) as stage``: one model that answers, or the given ones."""

    @asynccontextmanager
    async def stage(
        limits: Limits | None = None,
        *sources: Servable,
        replicas: int = 1,
        load: bool = True,
        keys: Any = None,
        traffic: Any = None,
        unloaded: Sequence[tuple[str, str]] = (),
        opener: Callable[[str, str], Servable] | None = None,
        **more: Any,
    ) -> AsyncIterator[Stage]:
        bounds = limits or Limits()
        about = {name: more.pop(name) for name in ("cases", "operators") if name in more}
        every = sources or (servable_of(**more),)
        made = [ServedModel(source, bounds, replicas=replicas) for source in every]
        later = (lambda name, version: ServedModel(opener(name, version), bounds)) if opener else None
        models = Models(made, traffic, unloaded=unloaded, opener=later)
        try:
            if load:
                await models.load()
            yield Stage(models, application(models, bounds, keys, local=keys is None, **about))
        finally:
            await models.stop()

    return stage


@dataclass(frozen=True)
class Line:
    """Models that are open behind gRPC, and a channel to them."""

    stage: Stage
    server: GrpcServer
    channel: Any

    def call(self, procedure: str, asked: Any = None, reply: str = "", **more: Any) -> Any:
        """A call of ``Service/Name``. asked: its message, or bytes; without it an empty one."""
        name = procedure.rpartition("/")[2]
        if asked is None:
            asked = message(f"{name}Request")()
        called = self.channel.unary_unary(
            f"/{procedure}",
            request_serializer=lambda told: told if isinstance(told, bytes) else told.SerializeToString(),
            response_deserializer=message(reply or f"{name}Response").FromString,
        )
        return called(asked, **more)


@pytest.fixture
def called(opened: Opened) -> Callable[..., AbstractAsyncContextManager[Line]]:
    """``async with called(limits, keys=..., milliseconds=5) as line``: what ``opened`` opens, behind gRPC."""
    grpc = pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")

    @asynccontextmanager
    async def line(
        limits: Limits | None = None, *sources: Servable, keys: Any = None, **more: Any
    ) -> AsyncIterator[Line]:
        bounds = limits or Limits()
        async with opened(bounds, *sources, keys=keys, **more) as stage:
            server = grpc_application(stage.models, bounds, ("127.0.0.1", 0), keys, stage.app)
            await server.start()
            try:
                async with grpc.aio.insecure_channel(server.address) as channel:
                    yield Line(stage, server, channel)
            finally:
                await server.stop(0)

    return line


@pytest.fixture(scope="module")
def model_of() -> Callable[[Path, Any], Path]:
    """``model_of(folder, engine)``: an artifact that the fake engine opens with its own settings."""
    return model_folder


@pytest.fixture(scope="module")
def serving(fake_engine: type, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """``with serving("--limit", "slow=1", fault="segv", after=1) as running``: until the end of the block."""

    @contextmanager
    def run(*options: str, **settings: Any) -> Iterator[Running]:
        folder = model_folder(tmp_path_factory.mktemp("served") / "model", fake_engine(**settings))
        with running(f"m={folder}", "--replicas", "1", *options) as found:
            yield found

    return run


def model_folder(folder: Path, engine: Any) -> Path:
    """An artifact that the fake engine opens, with the settings that it is opened with."""
    folder.mkdir(parents=True)
    (folder / "fake.txt").write_text("fake", encoding="utf-8")
    meta = {"labels": list(LABELS), "asked": {"use": "text_classification"}, "engine": record_of(engine)}
    return Artifact.seal(folder, format="fake", meta=meta).path


@dataclass(frozen=True)
class Desk:
    """A model that writes, open, and the application over it."""

    models: Models
    app: App

    @property
    def model(self) -> WritingModel:
        """The model."""
        found = next(iter(self.models))
        assert isinstance(found, WritingModel)
        return found

    async def ask(self, path: str, body: Any = None, **more: Any) -> Answer:
        """Ask the application."""
        return await ask(self.app, path, body, **more)


@pytest.fixture
def writing(scribe: type, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Desk]]:
    """``async with writing(limits, milliseconds=5, replicas=2) as desk``: a model that writes letters in their order.

    Args:
        template: its chat template; empty for none. beside: templates of more versions, which are called 2 and so on.
    """

    def sealed(template: str) -> Artifact:
        folder = tmp_path / f"scribe-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "fake.txt").write_text("fake", encoding="utf-8")
        meta = {"labels": [], **({"chat_template": template} if template else {})}
        return Artifact.seal(folder, format="fake", meta=meta)

    @asynccontextmanager
    async def stage(
        limits: Limits | None = None,
        *,
        replicas: int = 1,
        load: bool = True,
        template: str = TEMPLATE,
        beside: Sequence[str] = (),
        traffic: Any = None,
        cases: Any = None,
        **settings: Any,
    ) -> AsyncIterator[Desk]:
        bounds, engine, task = limits or Limits(), scribe(**settings), TextGeneration()
        every = [
            Servable("m", str(number), sealed(one), engine, task) for number, one in enumerate([template, *beside], 1)
        ]
        models = Models([served(one, bounds, replicas=replicas, cores=replicas) for one in every], traffic)
        try:
            if load:
                await models.load()
            yield Desk(models, application(models, bounds, local=True, cases=cases))
        finally:
            await models.stop()

    return stage
