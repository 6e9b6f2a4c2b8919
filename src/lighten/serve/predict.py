"""``POST /predict/NAME``: inputs in, predictions out, for people in a hurry."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from lighten.serve.form import FIELD, FORM, fields_in
from lighten.serve.http import BYTES, Reply, Request, Route, long_json_reply
from lighten.serve.intake import type_name
from lighten.serve.limits import Limits
from lighten.serve.models import Models
from lighten.serve.refusals import unusable

TAKEN = ("inputs", "timeout", "version")
ASKED = '{"inputs": ["...", "..."]}'
BODY: Mapping[str, Any] = {
    "type": "object",
    "required": ["inputs"],
    "additionalProperties": False,
    "properties": {
        "inputs": {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [{"type": "string"}, {"type": "object"}]},
            "description": "Texts, objects with the columns of a prompt, or contents of files in base64.",
        },
        "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds until it is given up."},
        "version": {"type": "string", "description": "Version of the model; the last one by default."},
    },
}
"""JSON Schema of a request."""
ANSWER: Mapping[str, Any] = {
    "type": "object",
    "required": ["model", "version", "predictions"],
    "properties": {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "predictions": {"type": "array", "items": {"type": "object"}},
    },
}
"""JSON Schema of a reply."""


def routes(models: Models, limits: Limits) -> list[Route]:
    """The one route of this protocol."""

    async def answer(request: Request) -> Reply:
        name = request.params["name"]
        models.check(name)  # before the body is read
        kind = request.headers.get(b"content-type", b"")
        plain = kind.split(b";")[0].strip().lower()
        if plain in (BYTES, FORM):
            body = await request.body()
            values: list[Any] = [body] if plain == BYTES else fields_in(body, kind, limits.inputs)
            deadline, version = limits.deadline, ""
        else:
            values, deadline, version = asked(await request.json(), limits)
        model = models.open_for(name, version)
        found = await model.predict(values, deadline, request.presence)
        told = [one.to_json() for one in found]
        said = {"model": model.name, "version": model.version, "predictions": told}
        return await long_json_reply(said, len(found) * max(1, len(model.source.labels), len(found[0].vector)))

    octets: Mapping[str, Any] = {"type": "string", "format": "binary"}
    fields = {"type": "object", "required": [FIELD], "additionalProperties": False,
              "properties": {FIELD: {"type": "array", "minItems": 1, "items": octets}}}  # fmt: skip
    schema = {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": BODY},
                "application/octet-stream": {"schema": octets},
                "multipart/form-data": {"schema": fields},
            },
        },
        "responses": {"200": {"description": "Predictions", "content": {"application/json": {"schema": ANSWER}}}},
    }
    return [Route("POST", "/predict/{name}", answer, "Predictions of a model", schema)]


def asked(body: Any, limits: Limits) -> tuple[list[Any], float, str]:
    """Inputs, seconds and version that a body asks for.

    Raises:
        Refusal: it has another shape.
    """
    if not isinstance(body, dict):
        raise unusable(f"The body is {type_name(body)}.", allowed=ASKED)
    unknown = [name for name in body if name not in TAKEN]
    if unknown or "inputs" not in body:
        seen = f"The body has {unknown[0]!r:.60}." if unknown else "The body has no inputs."
        raise unusable(seen, allowed=", ".join(TAKEN), fix=f"send {ASKED}")
    inputs, version = body["inputs"], body.get("version", "")
    if not isinstance(inputs, list):
        raise unusable(f"The inputs are {type_name(inputs)}.", allowed="a list", fix=f"send {ASKED}")
    if not isinstance(version, str):
        raise unusable(f"The version is {type_name(version)}.", allowed="a text")
    return inputs, deadline_of(body.get("timeout", limits.deadline), limits), version


def deadline_of(seconds: Any, limits: Limits) -> float:
    """Seconds that a request gives itself, at most what the server gives it.

    Raises:
        Refusal: it is no time.
    """
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or (isinstance(seconds, float) and not isfinite(seconds)) or seconds <= 0:
        raise unusable(f"The timeout is {seconds!r:.40}.", allowed="seconds, more than 0")
    return float(min(seconds, limits.deadline))
