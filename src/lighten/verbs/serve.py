"""serve: models behind HTTP, with a contract that holds under load."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from lighten.core.errors import InputError
from lighten.core.home import expanded
from lighten.core.training import model_of_run
from lighten.isolate.machine import allowed_cores
from lighten.serve import health, openai, openapi, predict, review, v2
from lighten.serve.app import App
from lighten.serve.hosts import is_loopback
from lighten.serve.keys import Keys, make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.review import Review
from lighten.serve.servable import Servable
from lighten.serve.server import address_of, check_extra, listen, run
from lighten.serve.writing_model import WritingModel
from lighten.verbs.load import check_models_fit, resolved
from lighten.verbs.question import question_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TOLD = re.compile(rf"(?P<name>{NAME.pattern})(?::(?P<version>{NAME.pattern}))?=(?P<path>.+)", re.S)
"""A model with the name that it is to have, and its version: ``reviews:2=runs/reviews/winner``."""
COMMON = ("winner", "model", "original")
"""Names of folders that say nothing of what is in them: the folder above does."""
FIRST = "1"
"""Version of a model whose user names none."""


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A model that is served: its name and version, what the user gave, the artifact's id, and its engine."""

    name: str
    version: str
    model: str
    artifact: str
    engine: str


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and where."""

    address: str
    models: tuple[ServedVersion, ...]

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self) | {"models": [asdict(model) for model in self.models]}


@dataclass(frozen=True, slots=True)
class Named:
    """A model with the name and the version by which it is asked."""

    name: str
    version: str
    model: str


def serve(
    models: str | Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    replicas: int = 1,
    threads: int = 0,
    keys: str | Path | None = None,
    without_keys: bool = False,
    review: str | Path | None = None,
    limits: Sequence[str] = (),
    on_ready: Callable[[Serving], object] | None = None,
) -> None:
    """Serve models over HTTP until SIGTERM or Ctrl-C; what runs then is finished within the grace time.

    Args:
        models: winners, run folders, or any artifacts that can be opened, each a path, or ``NAME=PATH``, or
            ``NAME:VERSION=PATH``. Of several versions of a name, the last one is asked where none is said.
        host, port: where to listen; port 0 for one that is free. Others than this machine are let in with ``keys``
            only, unless ``without_keys`` says that everybody may ask.
        replicas: processes of each model. threads: cores for all of them; 0 for all that this process may use.
        keys: file of hashed keys (see :func:`new_key`).
        review: file of cases that people are to judge; None for none.
        limits: changes of ``serve.limits.Limits``, each ``name=value``.
        on_ready: called once every model answers.

    Raises:
        InputError: names, limits, keys or an address that cannot be used. ModelError, UnsafeFile: no usable model.
        MissingExtra: what serves is not installed. CandidateFailed: a model that cannot be opened.
    """
    check_extra()
    bounds, cores = Limits().changed(limits), threads or allowed_cores()
    asked = named([models] if isinstance(models, str) else models)
    known = read_keys(keys) if keys is not None else None
    if replicas < 1:
        raise InputError(f"{replicas} replicas were asked for.", allowed="1 or more")
    check_models_fit([one.model for one in asked for _ in range(replicas)])
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-models-")))
        sources = [servable(one, scratch / str(number)) for number, one in enumerate(asked)]
        listening = stack.enter_context(listen(host, port, known, unlocked=without_keys))
        share = max(1, cores // replicas)
        served = Models([model_of(source, bounds, replicas=replicas, threads=share) for source in sources])
        cases = stack.enter_context(closing(Review(review, bounds))) if review is not None else None
        local = known is None and not without_keys and is_loopback(host)
        app = application(served, bounds, known, local=local, cases=cases)
        versions = [
            ServedVersion(s.name, s.version, one.model, s.artifact.id, s.engine.version())
            for s, one in zip(sources, asked, strict=True)
        ]
        told = Serving(address_of(listening), tuple(versions))
        run(served, app, listening, bounds, lambda: on_ready(told) if on_ready is not None else None)


def new_key(keys: str | Path, name: str) -> str:
    """Make a key, and keep its hash in a file. Returns the key, which is kept nowhere.

    Raises:
        InputError: no such name, one that has a key, or a file that cannot be written.
    """
    return make_key(keys, name)


def application(
    models: Models, limits: Limits, keys: Keys | None = None, *, local: bool = False, cases: Review | None = None
) -> App:
    """The ASGI application over models, with every protocol that there is.

    Args:
        keys, local: see ``App``. cases: for people to judge; None where none are kept.
    """
    app = App((), limits, keys, local=local)
    routes = [
        *predict.routes(models, limits),
        *v2.routes(models, limits),
        *openai.routes(models, limits),
        *review.routes(cases),
        *health.routes(models, lambda: app.strays, [cases.families] if cases is not None else []),
    ]
    app.answer([*routes, openapi.route(routes, locked=keys is not None)])
    return app


def model_of(source: Servable, limits: Limits, *, replicas: int, threads: int) -> ServedModel:
    """A model as it is served: one that writes can be asked to.

    Raises:
        ModelError: its chat template cannot be used.
    """
    kind = WritingModel if source.task.writes else ServedModel
    return kind(source, limits, replicas=replicas, threads=threads)


def named(models: Sequence[str]) -> list[Named]:
    """Models with their names and versions.

    Raises:
        InputError: there is none, or two have the same name and version, or a folder's name cannot be theirs.
    """
    if not models:
        raise InputError("No model was given.", allowed="winners, run folders, artifacts", fix="lighten serve runs/x")
    found: list[Named] = []
    for told in models:
        match = TOLD.fullmatch(told)
        path = match["path"] if match else told
        name = match["name"] if match else name_of(path)
        version = (match["version"] if match else None) or FIRST
        twin = next((one for one in found if (one.name, one.version) == (name, version)), None)
        if twin is not None:
            fix = f"name one of them: {name}:2={path} for a second version, or OTHER={path}"
            raise InputError(f"{twin.model} and {path} would both be called {name!r}, version {version}.", fix=fix)
        found.append(Named(name, version, path))
    return found


def name_of(model: str) -> str:
    """The name of a model by where it lies: its folder's, or that of the one above where its own says nothing.

    Raises:
        InputError: there is none in it.
    """
    parts = [part for part in PurePath(model).parts if part not in ("/", "..", ".")]
    if not parts or parts[-1] in COMMON:
        parts = [part for part in Path(model).absolute().parts if part not in ("/", "..", ".")]
    told = next((part for part in reversed(parts) if part not in COMMON), "")
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", told).strip("-._")[:64]
    if not NAME.fullmatch(found):
        raise InputError(f"{model} says no name that a model could have.", fix=f"give it one: NAME={model}")
    return found


def servable(one: Named, scratch: Path) -> Servable:
    """What a user named, ready to be served. Its files are verified.

    Args:
        scratch: a folder that does not exist yet, for a model that must be copied.

    Raises:
        ModelError, UnsafeFile: it cannot be used.
    """
    artifact, engine = resolved(str(model_of_run(expanded(one.model))), scratch)
    question = question_of(artifact)
    return Servable(one.name, one.version, artifact, engine, question.task, question.labels, question.options)
