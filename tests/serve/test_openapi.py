"""The OpenAPI document has every path that is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lighten.serve.keys import Keys
from lighten.testing.asgi import ask

Opened = Callable[..., Any]


def test_every_route_stands_in_the_document(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            document = (await ask(stage.app, "/openapi.json")).json
            paths = {(route.path, route.method.lower()) for route in stage.app.routes.every}
            told = {(path, method) for path, methods in document["paths"].items() for method in methods}
            assert paths - told == {(path, "get") for path in ("/openapi.json", "/", "/page/{file}")} and told <= paths
            predict = document["paths"]["/predict/{name}"]["post"]
            assert predict["parameters"][0]["name"] == "name"
            assert {"200", "404", "413", "422", "429", "503", "504"} <= set(predict["responses"])
            assert document["openapi"] == "3.1.0" and "components" not in document

    asyncio.run(body())


def test_what_needs_a_key_says_so(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False, keys=Keys({"ci": b"x" * 32})) as stage:
            route = next(one for one in stage.app.routes.every if one.path == "/openapi.json")
            document = json.loads((await route.handler(None)).body)  # type: ignore[arg-type]
            assert "security" in document["paths"]["/predict/{name}"]["post"]
            assert "security" not in document["paths"]["/health/live"]["get"]
            assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"

    asyncio.run(body())
