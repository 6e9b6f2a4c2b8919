"""The Open Inference Protocol, version 2, over REST: what KServe, Triton and their clients speak.

What it says stands in ``inference.py``. Texts and files come as BYTES in JSON (files in base64), arrays of numbers as
such. Extensions: binary tensor data, and the model repository, whose loading and unloading stands in ``versions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lighten.serve.aside import aside
from lighten.serve.health import readiness
from lighten.serve.http import BYTES, MANY, Reply, Request, Route, json_reply, write_json, write_json_by_values
from lighten.serve.inference import INPUT, index_of, infer, is_ready, metadata_of, server_metadata
from lighten.serve.intake import type_name
from lighten.serve.json_body import SHORT, read_json
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.parameters import deadline_in, parameters_of
from lighten.serve.refusals import Refusal, unusable
from lighten.serve.tensors import BINARY_SIZE, HEADER, NUMBERS, STRINGS, Tensor, input_tensor, split_body

EXTENSIONS = ("binary_tensor_data", "model_repository")
BODY: Mapping[str, Any] = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": ["string", "null"]},
        "parameters": {"type": "object"},
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype"],
                "properties": {
                    "name": {"const": INPUT},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                    "datatype": {"enum": [STRINGS, *NUMBERS]},
                    "parameters": {"type": "object"},
                    "data": {"type": "array"},
                },
                "anyOf": [
                    {"required": ["data"]},
                    {"required": ["parameters"], "properties": {"parameters": {"required": [BINARY_SIZE]}}},
                ],
            },
        },
        "outputs": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
}
"""JSON Schema of an inference request."""
INDEX: Mapping[str, Any] = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
"""JSON Schema of what the index is asked for."""


def words(refusal: Refusal) -> dict[str, str]:
    """An error as this protocol has it: one text."""
    return {"error": refusal.line}


def routes(models: Models, limits: Limits) -> list[Route]:
    """All routes of this protocol, those of a model with and without a version."""

    def model_of(request: Request) -> ServedModel:
        return models.find(request.params["name"], request.params.get("version", ""))

    async def server(request: Request) -> Reply:
        return json_reply(server_metadata(EXTENSIONS))

    async def live(request: Request) -> Reply:
        return json_reply({"live": True})

    async def ready(request: Request) -> Reply:
        return readiness(models)

    async def metadata(request: Request) -> Reply:
        return json_reply(metadata_of(model_of(request), models))

    async def model_ready(request: Request) -> Reply:
        model = model_of(request)
        able = is_ready(model, models)
        return json_reply({"name": model.name, "ready": able}, 200 if able else 503)

    async def answer(request: Request) -> Reply:
        name, version = request.params["name"], request.params.get("version", "")
        models.check(name, version)
        text, behind = split_body(await request.body(), request.headers.get(HEADER))
        body = without_nulls(await read_json(text, limits))
        if len(text) > SHORT:
            given = await aside(input_tensor, body.get("inputs"), behind)
        else:
            given = input_tensor(body.get("inputs"), behind)
        wanted = wanted_of(body)
        deadline = deadline_in(parameters_of(body), limits)
        model = models.open_for(name, version)
        found = await infer(model, given, list(wanted), deadline, request.presence)
        if sum(len(tensor.data) for tensor in found) > MANY:
            return await aside(reply_of, body, model, found, wanted, write_json_by_values)
        return reply_of(body, model, found, wanted)

    async def index(request: Request) -> Reply:
        body = await request.body()
        asked = await read_json(body, limits) if body.strip() else {}
        only = asked.get("ready", False) if isinstance(asked, dict) else None
        if not isinstance(only, bool):
            raise unusable("The request is none of the index.", allowed='nothing, {} or {"ready": true}')
        return json_reply(index_of(models, ready=only))

    said = {"responses": {"200": {"description": "Yes"}, "503": {"description": "No"}}}
    told = {"responses": {"200": {"description": "Metadata"}}}
    listed = {**told, "requestBody": {"content": {"application/json": {"schema": INDEX}}}}
    tensors = {"application/json": {"schema": {"type": "object"}}, "application/octet-stream": {}}
    answered = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
        "responses": {"200": {"description": "Output tensors", "content": tensors}},
    }
    found = [
        Route("GET", "/v2", server, "Metadata of the server", told, words),
        Route("GET", "/v2/health/live", live, "Whether the server runs", said, words, unlocked=True),
        Route("GET", "/v2/health/ready", ready, "Whether every model answers", said, words, unlocked=True),
        Route("POST", "/v2/repository/index", index, "Models, their versions and states", listed, words),
    ]
    for path, what in (("/v2/models/{name}", "a model"), ("/v2/models/{name}/versions/{version}", "a version")):
        found += [
            Route("GET", path, metadata, f"Metadata of {what}", told, words),
            Route("GET", f"{path}/ready", model_ready, f"Whether {what} answers", said, words),
            Route("POST", f"{path}/infer", answer, f"Output tensors of {what}", answered, words),
        ]
    return found


def without_nulls(body: Any) -> dict[str, Any]:
    """A request without what it leaves open by saying null, as some clients do of all that is optional.

    Raises:
        Refusal: it is no object, or its ``id`` is no text.
    """
    if not isinstance(body, dict):
        raise unusable(f"The body is {type_name(body)}.", allowed="an object with inputs")
    found = {name: value for name, value in body.items() if value is not None}
    if not isinstance(found.get("id", ""), str):
        raise unusable(f"The id is {type_name(found['id'])}.", allowed="a text")
    try:
        found.get("id", "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise unusable("The id holds half a character (a lone surrogate).", allowed="Unicode text") from error
    return found


def wanted_of(body: Mapping[str, Any]) -> dict[str, bool]:
    """Outputs that a request names, each with whether it is to be binary; empty where all are wanted.

    Raises:
        Refusal: they are no list of objects with names.
    """
    outputs, every = body.get("outputs", []), _binary(body, "binary_data_output", default=False)
    if not isinstance(outputs, list) or not all(map(_named, outputs)):
        raise unusable("The outputs are no list of objects with names.", allowed='[{"name": "label"}]')
    return {one["name"]: _binary(one, "binary_data", default=every) for one in outputs}


def reply_of(
    body: Mapping[str, Any],
    model: ServedModel,
    tensors: Sequence[Tensor],
    wanted: Mapping[str, bool],
    write: Callable[[Any], bytes] = write_json,
) -> Reply:
    """Tensors, each in the form that the request wants it in. write: makes JSON."""
    every = _binary(body, "binary_data_output", default=False)
    told: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if body.get("id"):
        told["id"] = body["id"]
    outputs, packed = [], []
    for tensor in tensors:
        if wanted.get(tensor.name, every):
            head, data = tensor.in_binary()
            outputs.append(head)
            packed.append(data)
        else:
            outputs.append(tensor.in_json())
    text = write({**told, "outputs": outputs})
    if not packed:
        return Reply(text)
    length = (HEADER, str(len(text)).encode())
    return Reply(b"".join((text, *packed)), kind=BYTES, headers=[length])


def _named(output: Any) -> bool:
    return isinstance(output, dict) and isinstance(output.get("name"), str)


def _binary(told: Mapping[str, Any], name: str, *, default: bool) -> bool:
    found = parameters_of(told).get(name, default)
    if not isinstance(found, bool):
        raise unusable(f"The parameter {name} is {found!r:.40}.", allowed="true or false")
    return found
