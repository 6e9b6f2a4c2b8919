"""The Open Inference Protocol as its clients speak it: metadata, inference in JSON and in bytes, the index."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lighten.serve.servable import Servable
from lighten.serve.tensors import packed_strings, unpacked_strings
from lighten.tasks.image_classification import ImageClassification
from lighten.testing.asgi import ask
from lighten.testing.require import client

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]
INFER = "/v2/models/m/infer"


def asking(*texts: str, **more: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "input", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}], **more}


def test_texts_are_inferred_in_json(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            found = await ask(stage.app, INFER, asking("a", "bb", id="7"))
            assert found.status == 200
            assert {name: found.json[name] for name in ("model_name", "model_version", "id")} == {
                "model_name": "m", "model_version": "1", "id": "7",
            }  # fmt: skip
            label, scores = found.json["outputs"]
            assert label == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["odd", "even"]}
            assert (scores["name"], scores["datatype"], scores["shape"]) == ("scores", "FP32", [2, 2])
            assert scores["data"][0] + scores["data"][1] == pytest.approx(1)

    asyncio.run(body())


def test_tensors_come_and_go_as_bytes(opened: Opened) -> None:
    async def body() -> None:
        packed = packed_strings([b"a", "日本".encode()])
        asked = {"inputs": [{"name": "input", "shape": [2, 1], "datatype": "BYTES",
                             "parameters": {"binary_data_size": len(packed)}}],
                 "parameters": {"binary_data_output": True}}  # fmt: skip
        text = json.dumps(asked).encode()
        header = {"Inference-Header-Content-Length": str(len(text))}
        async with opened() as stage:
            found = await ask(stage.app, INFER, text + packed, headers=header)
            length = int(found.headers["inference-header-content-length"])
            told, data = json.loads(found.body[:length]), found.body[length:]
            sizes = [one["parameters"]["binary_data_size"] for one in told["outputs"]]
            assert sum(sizes) == len(data) and found.headers["content-type"] == "application/octet-stream"
            assert unpacked_strings(data[: sizes[0]]) == [b"odd", b"even"]
            assert struct.unpack("<4f", data[sizes[0] :])[0] < 0.5

    asyncio.run(body())


def test_outputs_are_those_that_were_named_each_in_its_own_form(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            wanted = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "label"}]
            found = await ask(stage.app, INFER, asking("a", outputs=wanted))
            length = int(found.headers["inference-header-content-length"])
            scores, label = json.loads(found.body[:length])["outputs"]
            assert label["data"] == ["odd"] and scores["parameters"] == {"binary_data_size": 8}
            found = await ask(stage.app, INFER, asking("a", outputs=[{"name": "logits"}]))
            assert found.status == 404 and "label, scores" in found.json["error"]
            assert stage.model.counts.answered == 1  # what there is none of is not worked for

    asyncio.run(body())


CASES: list[tuple[Any, int]] = [
    (b"[]", 422),
    (b"{", 400),
    ({"inputs": []}, 422),
    (asking("a", outputs={}), 422),
    (asking("a", id="\ud800"), 422),
    (asking("a", outputs=[{"name": 1}]), 422),
    (asking("a", id=7), 422),
    (asking("a", parameters=[]), 422),
    (asking("a", parameters={"sequence_id": 7}), 422),
    (asking("a", outputs=[{"name": "label", "parameters": {"classification": 1}}]), 422),
    (asking("a", id=None, outputs=None, parameters=None), 200),
    (asking("a", outputs=[{"name": "label", "parameters": None}]), 200),
    (asking("a", parameters={"binary_data_output": 1}), 422),
    (asking("a", parameters={"timeout": "1"}), 422),
    (asking("a", parameters={"timeout": -1}), 422),
    (asking("a", parameters={"timeout": -(10**400)}), 422),
    (asking("a", parameters={"timeout": 10**400}), 200),
    (asking("a", parameters={"timeout": 0}), 200),
    (asking(), 422),
]


def test_errors_are_one_text(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            for asked, status in CASES:
                found = await ask(stage.app, INFER, asked)
                assert found.status == status, asked
                assert status == 200 or isinstance(found.json["error"], str)

    asyncio.run(body())


def test_a_timeout_is_in_microseconds(opened: Opened) -> None:
    async def body() -> None:
        async with opened(milliseconds=300.0) as stage:
            found = await ask(stage.app, INFER, asking("a", parameters={"timeout": 50_000}))
            assert found.status == 504

    asyncio.run(body())


def test_metadata_say_what_can_be_asked(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, servable_of("m", "1"), servable_of("m", "2")) as stage:
            server = (await ask(stage.app, "/v2")).json
            assert server["name"] == "lighten" and "binary_tensor_data" in server["extensions"]
            for path in ("/v2/models/m", "/v2/models/m/versions/1"):
                told = (await ask(stage.app, path)).json
                assert told["name"] == "m" and told["versions"] == ["1", "2"]
                assert told["platform"] == "lighten_fake"
                assert told["inputs"] == [{"name": "input", "datatype": "BYTES", "shape": [-1]}]
                assert [one["name"] for one in told["outputs"]] == ["label", "scores"]
                assert told["parameters"]["labels"] == ["even", "odd"] and told["parameters"]["batch_invariant"] is True
            assert (await ask(stage.app, "/v2/models/m/versions/3")).status == 404
            assert (await ask(stage.app, "/v2/models/../x")).status == 404

    asyncio.run(body())


def test_readiness_and_the_index_follow_the_states(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            assert (await ask(stage.app, "/v2/health/live")).json == {"live": True}
            assert (await ask(stage.app, "/v2/health/ready")).status == 503
            assert (await ask(stage.app, "/v2/models/m/ready")).status == 503
            assert (await ask(stage.app, "/v2/repository/index", b"")).json == [
                {"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "loading"}
            ]
            await stage.models.load()
            assert (await ask(stage.app, "/v2/health/ready")).status == 200
            assert (await ask(stage.app, "/v2/models/m/versions/1/ready")).json == {"name": "m", "ready": True}
            stage.models.draining = True
            assert (await ask(stage.app, "/v2/repository/index", {"ready": True})).json == []
            assert (await ask(stage.app, INFER, asking("a"))).json == {
                "error": "The server is draining: it answers what it has and then ends. To do: ask again later."
            }

    asyncio.run(body())


def test_numbers_are_for_models_that_take_them(opened: Opened, servable_of: ServableOf) -> None:
    pytest.importorskip("PIL")
    levels = {"name": "input", "shape": [1, 2, 2, 3], "datatype": "UINT8", "data": [[[[9, 8, 7], [0, 0, 0]]] * 2]}
    floats = {**levels, "datatype": "FP32", "data": [0.5] * 12}

    async def body() -> None:
        async with opened() as stage:
            found = await ask(stage.app, INFER, {"inputs": [levels]})
            assert found.status == 422 and found.json["error"] == "The input's datatype is UINT8. Allowed: BYTES."
            other = await ask(stage.app, INFER, {"inputs": [{**asking("a")["inputs"][0], "name": "text"}]})
            assert other.status == 422 and "no input 'text'" in other.json["error"]
        async with opened(None, servable_of(task=ImageClassification())) as stage:
            for tensor in (levels, floats):
                found = await ask(stage.app, INFER, {"inputs": [tensor]})
                assert found.status == 200 and found.json["outputs"][0]["shape"] == [1]
            found = await ask(stage.app, INFER, {"inputs": [{**floats, "data": [2.0] * 12}]})
            assert found.status == 422 and "between 0 and 1" in found.json["error"]

    asyncio.run(body())


@pytest.mark.parametrize("binary", [True, False])
def test_tritons_own_client_is_answered_as_it_is(serving: Callable[..., Any], binary: bool) -> None:
    triton = client("tritonclient.http", "tritonclient[http]")
    with serving() as running, triton.InferenceServerClient(f"127.0.0.1:{running.port}") as asked:
        assert asked.is_server_live() and asked.is_server_ready() and asked.is_model_ready("m")
        assert asked.get_server_metadata()["name"] == "lighten"
        assert asked.get_model_metadata("m")["versions"] == ["1"]
        assert asked.get_model_repository_index()[0]["state"] == "READY"
        given = triton.InferInput("input", [2], "BYTES")
        given.set_data_from_numpy(np.array(["a", "日本"], dtype=object), binary_data=binary)
        wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("scores", "label")]
        for outputs in (None, wanted):
            found = asked.infer("m", [given], outputs=outputs, request_id="7", timeout=20_000_000)
            labels = [one.decode() if isinstance(one, bytes) else one for one in found.as_numpy("label").tolist()]
            assert labels == ["odd", "even"] and found.as_numpy("scores").shape == (2, 2)
            assert found.get_response()["id"] == "7"
