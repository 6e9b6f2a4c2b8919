"""``/openapi.json``: the paths of a server, described for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from lighten.serve.http import Reply, Request, Route, json_reply

VERSION = "3.1.0"
REFUSALS: Mapping[str, str] = {
    "400": "The body cannot be read",
    "401": "No key that is known",
    "403": "Asked by a page of another site, or with a key that is no operator's where one is needed",
    "404": "No such model, version or path; those there are stand in the answer",
    "405": "The path takes other methods",
    "408": "The request was sent too slowly",
    "409": "As things stand, what is asked for cannot be done",
    "413": "More than one request may hold",
    "415": "A coding of the body that is not taken",
    "421": "A name of another site, where no keys are asked for",
    "422": "An input that cannot be answered",
    "429": "Too much waits already; Retry-After says when to ask again",
    "500": "The model did not answer",
    "503": "Loading, restarting or draining",
    "504": "Not answered before its deadline",
}
"""What every path may answer, beside what it says itself."""


def route(described: Iterable[Route], *, locked: bool) -> Route:
    """The route of the document.

    Args:
        described: every route that is to stand in it. locked: whether keys are asked for.
    """
    document = document_of(described, locked=locked)

    async def answer(request: Request) -> Reply:
        return json_reply(document)

    told = {"responses": {"200": {"description": "This document"}}}
    return Route("GET", "/openapi.json", answer, "This document", told)


def document_of(described: Iterable[Route], *, locked: bool) -> dict[str, Any]:
    """Routes as OpenAPI has them."""
    paths: dict[str, Any] = {}
    for one in described:
        named = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", one.path)
        ]
        refused = {status: {"description": told} for status, told in REFUSALS.items()}
        operation = {"summary": one.summary, **one.schema}
        operation["responses"] = {**refused, **one.schema.get("responses", {})}
        if named:
            operation["parameters"] = named
        if locked and not one.unlocked:
            operation["security"] = [{"key": []}]
        paths.setdefault(one.path, {})[one.method.lower()] = operation
    document: dict[str, Any] = {
        "openapi": VERSION,
        "info": {"title": "lighten", "version": version("lighten")},
        "paths": dict(sorted(paths.items())),
    }
    if locked:
        document["components"] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    return document
