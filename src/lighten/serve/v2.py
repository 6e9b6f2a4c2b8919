"""The Open Inference Protocol, version 2, over REST: what KServe, Triton and their clients speak.

A model has one input, ``input``, BYTES: texts, or contents of files (bytes, or base64 in JSON). Of a classifier the
outputs are ``label`` and ``scores``; of others ``answer``, or what was measured. Extensions: binary tensor data, and
the model repository, whose loading and unloading stands in ``versions.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from lighten.core import catalog
from lighten.core.prediction import Prediction
from lighten.serve.health import readiness
from lighten.serve.http import BYTES, Reply, Request, Route, json_reply, read_json, write_json
from lighten.serve.intake import type_name
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.predict import deadline_of
from lighten.serve.refusals import Refusal, no_such, unusable
from lighten.serve.tensors import FLOATS, HEADER, STRINGS, Tensor, input_values, split_body

EXTENSIONS = ("binary_tensor_data", "model_repository")
INPUT, LABEL, SCORES, ANSWER = "input", "label", "scores", "answer"
MICROSECONDS, MOST_MICROSECONDS = 1e6, 1e12
"""A request's ``timeout`` is in microseconds, as Triton has it; 0 stands for the server's own."""
BODY: Mapping[str, Any] = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "shape", "datatype"],
                "properties": {
                    "name": {"type": "string"},
                    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                    "datatype": {"const": STRINGS},
                    "parameters": {"type": "object"},
                    "data": {"type": "array"},
                },
            },
        },
        "outputs": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
}
"""JSON Schema of an inference request."""


def words(refusal: Refusal) -> dict[str, str]:
    """An error as this protocol has it: one text."""
    return {"error": refusal.line}


def routes(models: Models, limits: Limits) -> list[Route]:
    """All routes of this protocol, those of a model with and without a version."""

    def model_of(request: Request) -> ServedModel:
        return models.find(request.params["name"], request.params.get("version", ""))

    async def server(request: Request) -> Reply:
        return json_reply({"name": "lighten", "version": version("lighten"), "extensions": EXTENSIONS})

    async def live(request: Request) -> Reply:
        return json_reply({"live": True})

    async def ready(request: Request) -> Reply:
        return readiness(models)

    async def metadata(request: Request) -> Reply:
        return json_reply(metadata_of(model_of(request), models))

    async def model_ready(request: Request) -> Reply:
        model = model_of(request)
        able = model.ready and not models.draining
        return json_reply({"name": model.name, "ready": able}, 200 if able else 503)

    async def infer(request: Request) -> Reply:
        name, version = request.params["name"], request.params.get("version", "")
        models.check(name, version)
        text, behind = split_body(await request.body(), request.headers.get(HEADER))
        body = read_json(text, limits.depth)
        if not isinstance(body, dict):
            raise unusable(f"The body is {type_name(body)}.", allowed="an object with inputs")
        values, wanted = input_values(body.get("inputs"), behind), wanted_of(body)
        model = models.open_for(name, version)
        check_outputs(wanted, model.source.labels)
        found = await model.predict(values, _deadline(body, limits), request.presence)
        return reply_of(body, model, tensors_of(found, model.source.labels), wanted)

    async def index(request: Request) -> Reply:
        body = await request.body()
        asked = read_json(body, limits.depth) if body.strip() else {}
        only = isinstance(asked, dict) and asked.get("ready") is True
        return json_reply([record for record in index_of(models) if not only or record["state"] == "READY"])

    said = {"responses": {"200": {"description": "Yes"}, "503": {"description": "No"}}}
    told = {"responses": {"200": {"description": "Metadata"}}}
    answered = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
        "responses": {"200": {"description": "Output tensors"}},
    }
    found = [
        Route("GET", "/v2", server, "Metadata of the server", told, words),
        Route("GET", "/v2/health/live", live, "Whether the server runs", said, words, unlocked=True),
        Route("GET", "/v2/health/ready", ready, "Whether every model answers", said, words, unlocked=True),
        Route("POST", "/v2/repository/index", index, "Models, their versions and states", told, words),
    ]
    for path, what in (("/v2/models/{name}", "a model"), ("/v2/models/{name}/versions/{version}", "a version")):
        found += [
            Route("GET", path, metadata, f"Metadata of {what}", told, words),
            Route("GET", f"{path}/ready", model_ready, f"Whether {what} answers", said, words),
            Route("POST", f"{path}/infer", infer, f"Output tensors of {what}", answered, words),
        ]
    return found


def metadata_of(model: ServedModel, models: Models) -> dict[str, Any]:
    """What a model takes and gives."""
    source = model.source
    outputs = [{"name": LABEL, "datatype": STRINGS, "shape": [-1]}]
    outputs += [{"name": SCORES, "datatype": FLOATS, "shape": [-1, len(source.labels)]}]
    return {
        "name": model.name,
        "versions": list(models.versions(model.name)),
        "platform": f"lighten_{catalog.name_of(source.engine)}",
        "inputs": [{"name": INPUT, "datatype": STRINGS, "shape": [-1]}],
        "outputs": outputs if source.labels else [{"name": ANSWER, "datatype": STRINGS, "shape": [-1]}],
        "parameters": {"labels": list(source.labels), "artifact": source.artifact.id},
    }


def index_of(models: Models) -> list[dict[str, str]]:
    """Every version of every model, as Triton's repository index has it."""
    found = []
    for name in models.names:
        loaded = models.loaded(name)
        for one in models.versions(name):
            able = one in loaded and loaded[one].ready and not models.draining
            state, failure = models.state_of(name, one)
            why = "" if able else models.state if models.draining else f"{state}: {failure}" if failure else state
            found.append({"name": name, "version": one, "state": "READY" if able else "UNAVAILABLE", "reason": why})
    return found


def tensors_of(predictions: Sequence[Prediction], labels: Sequence[str]) -> list[Tensor]:
    """Predictions as tensors, the rows in order.

    Args:
        labels: in the order of the columns of ``scores``.
    """
    count, first = len(predictions), predictions[0]
    if first.measures:
        names = list(first.measures)
        return [Tensor(name, FLOATS, (count,), [one.measures[name] for one in predictions]) for name in names]
    if not first.scores:
        return [Tensor(ANSWER, STRINGS, (count,), [one.label for one in predictions])]
    scores = [one.scores[label] for one in predictions for label in labels]
    return [
        Tensor(LABEL, STRINGS, (count,), [one.label for one in predictions]),
        Tensor(SCORES, FLOATS, (count, len(labels)), scores),
    ]


def wanted_of(body: Mapping[str, Any]) -> dict[str, bool]:
    """Outputs that a request names, each with whether it is to be binary; empty where all are wanted.

    Raises:
        Refusal: they are no list of objects with names.
    """
    outputs, every = body.get("outputs", []), _binary(body, "binary_data_output", default=False)
    if not isinstance(outputs, list) or not all(map(_named, outputs)):
        raise unusable("The outputs are no list of objects with names.", allowed='[{"name": "label"}]')
    return {one["name"]: _binary(one, "binary_data", default=every) for one in outputs}


def check_outputs(wanted: Iterable[str], labels: Sequence[str]) -> None:
    """Refuse outputs that a classifier has none of, before it is asked.

    Raises:
        Refusal: it wants one that there is none of.
    """
    other = next((name for name in wanted if name not in (LABEL, SCORES)), None)
    if labels and other is not None:
        raise no_such("output", other, (LABEL, SCORES))


def reply_of(
    body: Mapping[str, Any], model: ServedModel, tensors: Sequence[Tensor], wanted: Mapping[str, bool]
) -> Reply:
    """Tensors as the request wants them.

    Raises:
        Refusal: it wants one that there is none of.
    """
    known = {tensor.name: tensor for tensor in tensors}
    every = _binary(body, "binary_data_output", default=False)
    chosen = wanted or dict.fromkeys(known, every)
    told: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if isinstance(body.get("id"), str) and body["id"]:
        told["id"] = body["id"]
    outputs, packed = [], []
    for name, binary in chosen.items():
        if name not in known:
            raise no_such("output", name, known)
        if binary:
            head, data = known[name].in_binary()
            outputs.append(head)
            packed.append(data)
        else:
            outputs.append(known[name].in_json())
    text = write_json({**told, "outputs": outputs})
    if not packed:
        return Reply(text)
    length = (HEADER, str(len(text)).encode())
    return Reply(b"".join((text, *packed)), kind=BYTES, headers=[length])


def _named(output: Any) -> bool:
    return isinstance(output, dict) and isinstance(output.get("name"), str)


def _binary(told: Mapping[str, Any], name: str, *, default: bool) -> bool:
    parameters = told.get("parameters", {})
    found = parameters.get(name, default) if isinstance(parameters, dict) else None
    if not isinstance(found, bool):
        raise unusable(f"The parameter {name} is {found!r:.40}.", allowed="true or false")
    return found


def _deadline(body: Mapping[str, Any], limits: Limits) -> float:
    told = body.get("parameters", {}).get("timeout")
    if isinstance(told, (int, float)) and not isinstance(told, bool):
        return deadline_of(max(-1, min(told, MOST_MICROSECONDS)) / MICROSECONDS if told else limits.deadline, limits)
    return limits.deadline if told is None else deadline_of(told, limits)
