"""``/v1/embeddings``: what is taken, what is given, what is refused by name."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lighten.serve.limits import Limits
from lighten.serve.openai_asked import Unfit
from lighten.serve.openai_embeddings import wanted_in
from lighten.tasks.text_embedding import TextEmbedding
from lighten.testing.asgi import ask

PATH = "/v1/embeddings"
Opened = Callable[..., Any]


def test_vectors_come_in_order_as_numbers_and_as_bytes(opened: Opened) -> None:
    async def body() -> None:
        async with opened(task=TextEmbedding()) as stage:
            found = await ask(stage.app, PATH, {"model": "m", "input": ["a", "bb"], "user": "me"})
            assert found.status == 200 and found.json["object"] == "list" and found.json["model"] == "m"
            first, second = found.json["data"]
            assert (first["index"], second["index"], first["object"]) == (0, 1, "embedding")
            assert len(first["embedding"]) == 2 and first["embedding"] != second["embedding"]
            assert found.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
            packed = await ask(stage.app, PATH, {"model": "m", "input": "a", "encoding_format": "base64"})
            told = np.frombuffer(base64.b64decode(packed.json["data"][0]["embedding"]), "<f4")
            assert told.tolist() == first["embedding"]

    asyncio.run(body())


def test_models_that_make_vectors_are_listed_and_asked_by_every_protocol(opened: Opened) -> None:
    async def body() -> None:
        async with opened(task=TextEmbedding()) as stage:
            listed = (await ask(stage.app, "/v1/models")).json["data"]
            assert [one["id"] for one in listed] == ["m"] and "max_model_len" not in listed[0]
            assert (await ask(stage.app, "/v1/models/m")).json["id"] == "m"
            plain = await ask(stage.app, "/predict/m", {"inputs": ["a"]})
            vector = plain.json["predictions"][0]["embedding"]
            tensor = {"name": "input", "datatype": "BYTES", "shape": [2], "data": ["a", "bb"]}
            v2 = await ask(stage.app, "/v2/models/m/infer", {"inputs": [tensor]})
            (output,) = v2.json["outputs"]
            assert (output["name"], output["datatype"], output["shape"]) == ("embedding", "FP32", [2, 2])
            assert output["data"][:2] == pytest.approx(vector)
            outputs = (await ask(stage.app, "/v2/models/m")).json["outputs"]
            assert outputs == [{"name": "embedding", "datatype": "FP32", "shape": [-1, -1]}]
            wanted = {"inputs": [tensor], "outputs": [{"name": "label"}]}
            assert (await ask(stage.app, "/v2/models/m/infer", wanted)).status in (400, 404)
            assert (await ask(stage.app, "/v1/completions", {"model": "m", "prompt": "a"})).status == 404

    asyncio.run(body())


def test_dimensions_are_the_models_own_or_refused(opened: Opened) -> None:
    async def body() -> None:
        async with opened(task=TextEmbedding()) as stage:
            told = {"model": "m", "input": "a"}
            assert (await ask(stage.app, PATH, {**told, "dimensions": 2})).status == 200
            found = await ask(stage.app, PATH, {**told, "dimensions": 1})
            assert found.status == 400 and found.json["error"]["param"] == "dimensions"
            assert "have 2 numbers" in found.json["error"]["message"]

    asyncio.run(body())


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"input": "a"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": []}, "input"),
        ({"model": "m", "input": ""}, "input"),
        ({"model": "m", "input": ["a", None]}, "input"),
        ({"model": "m", "input": [1, 2, 3]}, "input"),
        ({"model": "m", "input": [[1, 2], [3]]}, "input"),
        ({"model": "m", "input": ["a"] * 5}, "input"),
        ({"model": "m", "input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        ({"model": "m", "input": "a", "truncate": True}, "truncate"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(Unfit) as told:
        wanted_in(asked, Limits(inputs=4))
    assert told.value.param == param and told.value.status == 400


def test_another_model_is_refused_with_those_there_are(opened: Opened, servable_of: Callable[..., Any]) -> None:
    async def body() -> None:
        every = servable_of("m", task=TextEmbedding()), servable_of("label")
        async with opened(None, *every) as stage:
            other = await ask(stage.app, PATH, {"model": "n", "input": "a"})
            assert other.status == 404 and other.json["error"]["code"] == "model_not_found"
            wrong = await ask(stage.app, PATH, {"model": "label", "input": "a"})
            assert wrong.status == 400 and "Allowed: m" in wrong.json["error"]["message"]
            half = await ask(stage.app, PATH, {"model": "m", "input": "\ud800"})
            assert half.status == 400

    asyncio.run(body())


def test_openais_own_client_gets_vectors(opened: Opened) -> None:
    openai = pytest.importorskip("openai")
    import httpx2 as httpx  # what the client speaks through

    async def body() -> None:
        async with opened(task=TextEmbedding()) as stage:
            transport = httpx.ASGITransport(stage.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                client = openai.AsyncOpenAI(base_url="http://localhost/v1", api_key="none", http_client=http)
                found = await client.embeddings.create(model="m", input=["a", "bb"])
                assert [len(one.embedding) for one in found.data] == [2, 2] and found.usage.total_tokens == 3
                plain = await client.embeddings.create(model="m", input="a", encoding_format="float")
                assert plain.data[0].embedding == pytest.approx(found.data[0].embedding)

    asyncio.run(body())
