"""``/versions``: who answers for a name, and how that is changed at runtime; and the same over the repository of the
Open Inference Protocol, whose models are those that the user named at the start. No path comes from the network.

Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from lighten.core import catalog
from lighten.serve.hosts import check_same_site
from lighten.serve.http import Reply, Request, Route, json_reply
from lighten.serve.intake import type_name
from lighten.serve.json_body import read_json
from lighten.serve.limits import Limits
from lighten.serve.metrics import Family, labels_of
from lighten.serve.model import ServedModel
from lighten.serve.models import Change, Models
from lighten.serve.refusals import no_such, unusable
from lighten.serve.shadow import Disagreement, Shadow
from lighten.serve.traffic import PREVIOUS, Share
from lighten.serve.v2 import words

SERVE, CANARY, SHADOW, ROLL_BACK = "serve", "canary", "shadow", "rollback"
SHARE: Mapping[str, Any] = {
    "anyOf": [
        {"type": "null"},
        {
            "type": "object",
            "required": ["version", "share"],
            "additionalProperties": False,
            "properties": {
                "version": {"type": "string"},
                "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            },
        },
    ]
}
CHANGE: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        SERVE: {"type": "string", "description": "The version that answers."},
        CANARY: {**SHARE, "description": "One that answers a share of the requests instead; null for none."},
        SHADOW: {**SHARE, "description": "One that is asked a share of the requests afterwards; null for none."},
        ROLL_BACK: {"const": True, "description": "Have the version answer that did before; stands alone."},
    },
}
"""JSON Schema of a change."""
REPOSITORY: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"version": {"type": "string"}, "unload_dependents": {"type": "boolean"}},
        }
    },
}
"""JSON Schema of what is asked of the repository. version is ours: the protocol knows none here."""


@dataclass(frozen=True, slots=True)
class VersionState:
    """How it stands with a version.

    Attributes:
        state: of the worker that is best off, ``unloaded`` or ``unloading``. failure: why it could not be opened the
            last time. roles: what it is for its name.
        engine, artifact, labels: what is open; empty where nothing is. memory: bytes that its processes hold now.
        running: requests on their way. answered, failed, refused: requests, since it was opened.
    """

    version: str
    state: str
    failure: str
    roles: tuple[str, ...]
    engine: str = ""
    artifact: str = ""
    labels: tuple[str, ...] = ()
    memory: int = 0
    running: int = 0
    answered: int = 0
    failed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ModelVersions:
    """Versions of a name.

    Attributes:
        serve, previous: the version that answers, and the one that did before; empty where none did.
        canary, shadow: versions with their shares. disagreement: of the shadow with the version that answers.
    """

    name: str
    serve: str
    previous: str
    canary: Share | None
    shadow: Share | None
    versions: tuple[VersionState, ...]
    disagreement: Disagreement | None

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)


def routes(models: Models, shadow: Shadow, limits: Limits) -> list[Route]:
    """All routes of it."""

    async def every(request: Request) -> Reply:
        return json_reply({"models": [told(name, models, shadow).to_json() for name in models.names]})

    async def one(request: Request) -> Reply:
        models.versions(request.params["name"])
        return json_reply(told(request.params["name"], models, shadow).to_json())

    async def change(request: Request) -> Reply:
        check_same_site(request.headers)
        name = request.params["name"]
        models.versions(name)
        asked = change_in(await request.json())
        if asked is None:
            await models.roll_back(name)
        else:
            await models.change(name, asked)
        return json_reply(told(name, models, shadow).to_json())

    async def open_again(request: Request) -> Reply:
        await load(models, *await _named(request, models, limits))
        return json_reply({})

    async def unload(request: Request) -> Reply:
        await models.unload_version(*await _named(request, models, limits))
        return json_reply({})

    listed = {"responses": {"200": {"description": "Versions, who answers, and where they disagree"}}}
    changed = {**listed, "requestBody": _body(CHANGE)}
    done = {
        "requestBody": {**_body(REPOSITORY), "required": False},
        "responses": {"200": {"description": "It is done"}},
    }
    path = "/v2/repository/models/{name}"
    return [
        Route("GET", "/versions", every, "Versions of all models", listed),
        Route("GET", "/versions/{name}", one, "Versions of a model", listed),
        Route("POST", "/versions/{name}", change, "Have other versions answer", changed, operates=True),
        Route("POST", f"{path}/load", open_again, "Open a model, or open it anew", done, words, operates=True),
        Route("POST", f"{path}/unload", unload, "Close a model once it has answered", done, words, operates=True),
    ]


async def load(models: Models, name: str, version: str) -> None:
    """Open a version, or open it anew; where none is said, all that take part in answering.

    Raises:
        Refusal: there is none, or why it cannot be opened.
    """
    roles = models.traffic[name].roles
    taking = [one for one in models.versions(name) if set(roles(one)) - {PREVIOUS}]
    for one in [version] if version else taking:
        await models.load_version(name, one)


def told(name: str, models: Models, shadow: Shadow) -> ModelVersions:
    """How it stands with a name."""
    traffic, loaded, found = models.traffic[name], models.loaded(name), shadow.disagreement(name)
    every = []
    for version in models.versions(name):
        state, failure = models.state_of(name, version)
        one = VersionState(version, state, failure, tuple(traffic.roles(version)))
        every.append(_opened(one, loaded[version]) if version in loaded else one)
    told = found.summary() if found is not None else None
    return ModelVersions(name, traffic.serving, traffic.previous, traffic.canary, traffic.shadow, tuple(every), told)


def _opened(one: VersionState, model: ServedModel) -> VersionState:
    source, counts = model.source, model.counts
    return replace(
        one,
        engine=catalog.name_of(source.engine),
        artifact=source.artifact.id,
        labels=source.labels,
        memory=model.memory,
        running=model.open,
        answered=counts.answered,
        failed=counts.failed,
        refused=sum(counts.refused.values()),
    )


def families(models: Models) -> list[Family]:
    """What ``/metrics`` tells of who answers."""
    shares: list[tuple[str, float]] = []
    for name in models.names:
        traffic = models.traffic[name]
        canary = traffic.canary.share if traffic.canary is not None else 0.0
        shares.append((f'{labels_of(name, traffic.serving)},role="serves"', 1.0 - canary))
        for role, one in ((CANARY, traffic.canary), (SHADOW, traffic.shadow)):
            if one is not None:
                shares.append((f'{labels_of(name, one.version)},role="{role}"', one.share))
    memory = [(labels_of(model.name, model.version), float(model.memory)) for model in models]
    return [
        Family(
            "lighten_version_share", "gauge", "Share of the requests that a version is to get, by its part.", shares
        ),
        Family("lighten_model_memory_bytes", "gauge", "Memory that the processes of a version hold.", memory),
    ]


def change_in(body: Any) -> Change | None:
    """What a body asks for; None for the version before.

    Raises:
        Refusal: it has another shape.
    """
    known = (SERVE, CANARY, SHADOW, ROLL_BACK)
    if not isinstance(body, dict) or not body:
        seen = "The body is empty." if body == {} else f"The body is {type_name(body)}."
        raise unusable(seen, allowed=", ".join(known), fix='send {"serve": "VERSION"}')
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        raise no_such("change named", unknown, known)
    if ROLL_BACK in body:
        if body != {ROLL_BACK: True}:
            raise unusable("rollback stands beside something else, or is not true.", allowed='{"rollback": true}')
        return None
    serve = body.get(SERVE)
    if SERVE in body and (not isinstance(serve, str) or not serve):
        raise unusable(f"{SERVE} is {type_name(serve)}.", allowed="a version")
    return Change(serve, *(share_in(name, body[name]) if name in body else None for name in (CANARY, SHADOW)))


def share_in(name: str, told: Any) -> Share:
    """A version and its share; null is one without a name.

    Raises:
        Refusal: it is neither.
    """
    if told is None:
        return Share("", 0.0)
    allowed = 'null, or {"version": "2", "share": 0.05} with a share of more than 0 and at most 1'
    if not isinstance(told, dict) or set(told) != {"version", "share"}:
        raise unusable(f"{name} is {type_name(told)} of another shape.", allowed=allowed)
    version, share = told["version"], told["share"]
    number = isinstance(share, int | float) and not isinstance(share, bool) and isfinite(share)
    if not isinstance(version, str) or not version or not number or not 0 < share <= 1:
        raise unusable(f"{name} has {version!r:.40} and {share!r:.40}.", allowed=allowed)
    return Share(version, float(share))


async def _named(request: Request, models: Models, limits: Limits) -> tuple[str, str]:
    """Name and version that a request to the repository means.

    Raises:
        Refusal: there is none, or it asks for more than this server does.
    """
    check_same_site(request.headers)
    name = request.params["name"]
    models.versions(name)
    body = await request.body()
    asked = await read_json(body, limits) if body.strip() else {}
    parameters = asked.get("parameters", {}) if isinstance(asked, dict) else None
    if not isinstance(parameters, dict):
        raise unusable(f"The body is {type_name(asked)}.", allowed='{"parameters": {"version": "2"}}, or nothing')
    return name, version_in(parameters, name, models)


def version_in(parameters: Mapping[str, Any], name: str, models: Models) -> str:
    """The version that parameters of a request to the repository say; empty where they say none.

    Raises:
        Refusal: there is none, or they ask for more than this server does.
    """
    known = models.versions(name)
    unknown = [one for one in parameters if one not in ("version", "unload_dependents")]
    if unknown:
        seen = f"The parameter {unknown[0]!r:.60} is given."
        fix = "models are those that the server was started with: no configuration and no file is taken"
        raise unusable(seen, allowed="version, unload_dependents", fix=fix)
    if not isinstance(parameters.get("unload_dependents", False), bool):
        raise unusable(f"unload_dependents is {type_name(parameters['unload_dependents'])}.", allowed="true or false")
    version = parameters.get("version", "")
    if not isinstance(version, str):
        raise unusable(f"The version is {type_name(version)}.", allowed="a text")
    if version and version not in known:
        raise no_such(f"version of {name!r} named", version, known)
    return version


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}
