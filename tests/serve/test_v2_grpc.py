"""The Open Inference Protocol over gRPC: tensors typed and as bytes, metadata, and the same answers as over REST."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.serve.grpc_messages import message
from lighten.serve.keys import make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.servable import Servable
from lighten.serve.tensors import packed_strings, unpacked_strings
from lighten.tasks.image_classification import ImageClassification
from lighten.testing.asgi import ask
from lighten.testing.require import client

grpc = pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")

Called = Callable[..., Any]
ServableOf = Callable[..., Servable]
SERVICE = "inference.GRPCInferenceService"
INFER = f"{SERVICE}/ModelInfer"


def asking(*texts: str | bytes, raw: bool = False, **changed: Any) -> Any:
    """A request for texts. changed: of its tensor."""
    found = message("ModelInferRequest")(model_name="m", id="7")
    values = [text.encode() if isinstance(text, str) else text for text in texts]
    tensor = found.inputs.add(**{"name": "input", "datatype": "BYTES", "shape": [len(texts)], **changed})
    if raw:
        found.raw_input_contents.append(packed_strings(values))
    else:
        tensor.contents.bytes_contents.extend(values)
    return found


async def refused(line: Any, asked: Any) -> tuple[str, str]:
    """Status and words of a call that is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await line.call(INFER, asked)
    return error.value.code().name, error.value.details()


def test_typed_tensors_are_answered_typed(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            found = await line.call(INFER, asking("a", "bb", "schön"))
            assert (found.model_name, found.model_version, found.id) == ("m", "1", "7")
            label, scores = found.outputs
            assert (label.name, label.datatype, list(label.shape)) == ("label", "BYTES", [3])
            assert list(label.contents.bytes_contents) == [b"odd", b"even", b"odd"]
            assert (scores.name, scores.datatype, list(scores.shape)) == ("scores", "FP32", [3, 2])
            assert len(scores.contents.fp32_contents) == 6 and not found.raw_output_contents

    asyncio.run(body())


def test_raw_tensors_are_answered_raw(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            found = await line.call(INFER, asking("a", "日本", raw=True, shape=[2, 1]))
            labels, scores = found.raw_output_contents
            assert unpacked_strings(labels) == [b"odd", b"even"]
            assert struct.unpack("<4f", scores)[0] < 0.5 < struct.unpack("<4f", scores)[1]
            assert not any(output.HasField("contents") for output in found.outputs)

    asyncio.run(body())


def test_outputs_are_those_that_were_named(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            asked = asking("a", raw=True)
            asked.outputs.add(name="scores")
            asked.outputs.add(name="label")
            asked.outputs.add(name="scores")
            found = await line.call(INFER, asked)
            assert [one.name for one in found.outputs] == ["scores", "label"]
            assert [len(data) for data in found.raw_output_contents] == [8, 7]
            asked.outputs.add(name="logits")
            code, words = await refused(line, asked)
            assert code == "NOT_FOUND" and "label, scores" in words
            assert line.stage.model.counts.answered == 1  # what there is none of is not worked for

    asyncio.run(body())


def with_parameter(name: str, **value: Any) -> Any:
    asked = asking("a")
    for field, one in value.items():
        setattr(asked.parameters[name], field, one)
    return asked


def with_output_parameter(name: str) -> Any:
    asked = asking("a")
    asked.outputs.add(name="label").parameters[name].int64_param = 2
    return asked


def with_input_parameter(name: str) -> Any:
    asked = asking("a")
    asked.inputs[0].parameters[name].string_param = "region"
    return asked


def with_both() -> Any:
    asked = asking("a", raw=True)
    asked.inputs[0].contents.bytes_contents.append(b"a")
    return asked


def with_raw(*data: bytes) -> Any:
    asked = asking("a", raw=True)
    del asked.raw_input_contents[:]
    asked.raw_input_contents.extend(data)
    return asked


def with_floats() -> Any:
    asked = asking(shape=[1])
    asked.inputs[0].contents.fp32_contents.append(1.0)
    return asked


def with_inputs(count: int) -> Any:
    asked = asking("a")
    del asked.inputs[:]
    for _ in range(count):
        asked.inputs.add(name="input", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"a")
    return asked


CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: asking("a", name="text"), "no input 'text'. Allowed: input"),
    (lambda: asking("a", datatype="FP32"), "datatype is FP32"),
    (lambda: asking("a", datatype="INT64"), "datatype is 'INT64'"),
    (lambda: asking("a", shape=[2]), "1 values, and its shape says 2"),
    (lambda: asking("a", shape=[-1]), "shape is [-1]"),
    (lambda: asking("a", shape=[]), "shape is []"),
    (lambda: asking("a", shape=[1 << 40] * 8), "shape is"),
    (lambda: asking(), "no input"),
    (lambda: asking(b"\xff"), "it is not UTF-8"),
    (lambda: with_inputs(0), "0 inputs"),
    (lambda: with_inputs(2), "2 inputs"),
    (with_both, "both contents and raw_input_contents"),
    (lambda: with_raw(b"\1"), "no strings with their lengths"),
    (lambda: with_raw(b"", b""), "2 raw_input_contents"),
    (with_floats, "fp32_contents hold values"),
    (lambda: with_parameter("timeout", int64_param=-1), "timeout"),
    (lambda: with_parameter("timeout", string_param="1"), "timeout"),
    (lambda: with_parameter("sequence_id", int64_param=3), "sequence_id"),
    (lambda: with_output_parameter("classification"), "classification"),
    (lambda: with_input_parameter("shared_memory_region"), "shared_memory_region"),
]


def test_what_does_not_fit_is_an_invalid_argument_and_says_why(called: Called) -> None:
    async def body() -> None:
        async with called() as line:
            for make, seen in CASES:
                code, words = await refused(line, make())
                assert code == "INVALID_ARGUMENT" and seen in words
            assert line.stage.model.counts.batches == 0
            for name in ("own", "priority", "timeout"):
                await line.call(INFER, with_parameter(name, int64_param=0))

    asyncio.run(body())


def test_more_inputs_than_a_request_may_have_are_refused(called: Called) -> None:
    async def body() -> None:
        async with called(Limits(inputs=2)) as line:
            code, words = await refused(line, asking("a", "b", "c"))
            assert code == "RESOURCE_EXHAUSTED" and "at most 2" in words

    asyncio.run(body())


def test_long_requests_are_answered_in_both_forms_as_short_ones_are(called: Called) -> None:
    async def body() -> None:
        texts = ["x" * (length % 50) for length in range(10_500)]
        async with called(Limits(inputs=10_500)) as line:
            typed = (await line.call(INFER, asking(*texts))).outputs[0].contents.bytes_contents
            raw = unpacked_strings((await line.call(INFER, asking(*texts, raw=True))).raw_output_contents[0])
            assert list(typed) == raw == [b"odd" if len(text) % 2 else b"even" for text in texts]
            code, words = await refused(line, b"\x32\x00" * 70_000)
            assert code == "RESOURCE_EXHAUSTED" and "too many fields" in words
            assert line.stage.app.strays == {"too_large": 1}

    asyncio.run(body())


def test_an_unknown_model_or_version_is_named_with_those_there_are(called: Called, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with called(None, servable_of("m", "1"), servable_of("m", "2"), servable_of("other", "1")) as line:
            asked = asking("a")
            assert (await line.call(INFER, asked)).model_version == "2"
            asked.model_version = "1"
            assert (await line.call(INFER, asked)).model_version == "1"
            asked.model_version = "3"
            assert await refused(line, asked) == ("NOT_FOUND", "There is no version of 'm' named '3'. Allowed: 1, 2.")
            asked.model_name = "n"
            code, words = await refused(line, asked)
            assert code == "NOT_FOUND" and "Allowed: m, other." in words
            for name in ("ModelReady", "ModelMetadata"):
                with pytest.raises(grpc.aio.AioRpcError, match="There is no model 'n'"):
                    await line.call(f"{SERVICE}/{name}", message(f"{name}Request")(name="n"))

    asyncio.run(body())


def test_metadata_say_what_can_be_asked(called: Called, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with called(None, servable_of("m", "1"), servable_of("m", "2")) as line:
            server = await line.call(f"{SERVICE}/ServerMetadata")
            assert server.name == "lighten" and server.version and "model_repository" in server.extensions
            told = await line.call(f"{SERVICE}/ModelMetadata", message("ModelMetadataRequest")(name="m"))
            assert (told.name, list(told.versions), told.platform) == ("m", ["1", "2"], "lighten_fake")
            (given,) = told.inputs
            assert (given.name, given.datatype, list(given.shape)) == ("input", "BYTES", [-1])
            assert [(one.name, list(one.shape)) for one in told.outputs] == [("label", [-1]), ("scores", [-1, 2])]

    asyncio.run(body())


def test_readiness_and_the_index_follow_the_states(called: Called) -> None:
    async def body() -> None:
        async with called(load=False) as line:
            asked = message("ModelReadyRequest")(name="m")

            async def states() -> tuple[bool, bool, bool]:
                live, ready = await line.call(f"{SERVICE}/ServerLive"), await line.call(f"{SERVICE}/ServerReady")
                return live.live, ready.ready, (await line.call(f"{SERVICE}/ModelReady", asked)).ready

            assert await states() == (True, False, False)
            (one,) = (await line.call(f"{SERVICE}/RepositoryIndex")).models
            assert (one.name, one.version, one.state, one.reason) == ("m", "1", "UNAVAILABLE", "loading")
            await line.stage.models.load()
            assert await states() == (True, True, True)
            line.stage.models.draining = True
            assert await states() == (True, False, False)
            only = message("RepositoryIndexRequest")(ready=True)
            assert not (await line.call(f"{SERVICE}/RepositoryIndex", only)).models
            code, words = await refused(line, asking("a"))
            assert code == "UNAVAILABLE" and "draining" in words

    asyncio.run(body())


def test_models_are_loaded_and_unloaded_by_operators(called: Called, servable_of: ServableOf, tmp_path: Path) -> None:
    secrets = {name: make_key(tmp_path / "keys", name) for name in ("ci", "anna")}

    async def body() -> None:
        every = [servable_of("m", "1"), servable_of("m", "2")]
        keys = read_keys(tmp_path / "keys")
        async with called(None, *every, keys=keys, operators=["anna"], opener=servable_of) as line:

            async def change(name: str, who: str = "anna", **told: Any) -> str:
                asked = message(f"Repository{name}Request")(model_name="m")
                for parameter, value in told.items():
                    asked.parameters[parameter].string_param = value
                call = line.call(f"{SERVICE}/Repository{name}", asked, metadata=(("x-api-key", secrets[who]),))
                return f"{(await call.code()).name} {await call.details()}"

            async def states() -> list[str]:
                call = line.call(f"{SERVICE}/RepositoryIndex", metadata=(("x-api-key", secrets["ci"]),))
                return [one.state for one in (await call).models]

            for name in ("ModelLoad", "ModelUnload"):
                assert (await change(name, "ci")).startswith("PERMISSION_DENIED The key of 'ci'")
            assert (await change("ModelUnload")).startswith("OK") and await states() == ["UNAVAILABLE"] * 2
            known = (("x-api-key", secrets["ci"]),)
            asked = message("ModelReadyRequest")(name="m")
            assert not (await line.call(f"{SERVICE}/ModelReady", asked, metadata=known)).ready
            assert (await change("ModelLoad")).startswith("OK") and await states() == ["UNAVAILABLE", "READY"]
            assert (await change("ModelLoad", version="1")).startswith("OK") and await states() == ["READY"] * 2
            assert (await change("ModelLoad", version="../x")).startswith("NOT_FOUND")
            assert (await change("ModelLoad", config="{}")).startswith("INVALID_ARGUMENT The parameter 'config'")
            assert (await change("ModelUnload", version="2")).startswith("FAILED_PRECONDITION")

    asyncio.run(body())


def test_pictures_come_as_files_and_as_arrays(called: Called, servable_of: ServableOf) -> None:
    pytest.importorskip("PIL")
    levels = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)

    def picture(datatype: str, *, raw: bool, values: Any = levels) -> Any:
        asked = asking(datatype=datatype, shape=list(values.shape), raw=raw)
        if raw:
            asked.raw_input_contents[0] = values.tobytes()
        else:
            field = {"UINT8": "uint_contents", "FP32": "fp32_contents"}[datatype]
            getattr(asked.inputs[0].contents, field).extend(values.ravel().tolist())
        return asked

    async def body() -> None:
        async with called(None, servable_of(task=ImageClassification())) as line:
            floats = (levels / 255).astype("<f4")
            for asked in (
                picture("UINT8", raw=True),
                picture("UINT8", raw=False),
                picture("FP32", raw=True, values=floats),
                picture("FP32", raw=False, values=floats),
                asking(b"P5\n1 1\n255\n\0", b"P5\n1 1\n255\n\1", raw=True),
            ):
                found = await line.call(INFER, asked)
                assert list(found.outputs[0].shape) == [2] and found.model_name == "m"
            code, words = await refused(line, picture("FP32", raw=True, values=floats * 3))
            assert code == "INVALID_ARGUMENT" and "levels are not all between 0 and 1" in words
            code, words = await refused(line, picture("UINT8", raw=True, values=levels.transpose(0, 3, 1, 2)))
            assert code == "INVALID_ARGUMENT" and "height x width x channels" in words

    asyncio.run(body())


def test_both_protocols_give_the_same_answers(called: Called) -> None:
    drawn = random.Random(7)
    rows = ["".join(drawn.choices("abc déf日", k=drawn.randint(1, 40))) for _ in range(200)]

    async def body() -> None:
        async with called() as line:
            data = {"name": "input", "shape": [200], "datatype": "BYTES", "data": rows}
            rest = (await ask(line.stage.app, "/v2/models/m/infer", {"inputs": [data]})).json["outputs"]
            typed = (await line.call(INFER, asking(*rows))).outputs
            raw = (await line.call(INFER, asking(*rows, raw=True))).raw_output_contents
            labels = [label.encode() for label in rest[0]["data"]]
            assert labels == list(typed[0].contents.bytes_contents) == unpacked_strings(raw[0])
            scores = np.array(rest[1]["data"], np.float32)
            assert np.array_equal(scores, np.array(typed[1].contents.fp32_contents, np.float32))
            assert np.array_equal(scores, np.frombuffer(raw[1], "<f4"))

    asyncio.run(body())


def test_tritons_own_client_is_answered_as_it_is(serving: Callable[..., Any]) -> None:
    triton = client("tritonclient.grpc", "tritonclient[grpc]")
    with serving("--grpc-port", "0") as running, triton.InferenceServerClient(running.told["grpc"]) as asked:
        assert asked.is_server_live() and asked.is_server_ready() and asked.is_model_ready("m")
        assert asked.get_server_metadata().name == "lighten" and asked.get_model_metadata("m").versions == ["1"]
        assert asked.get_model_repository_index().models[0].state == "READY"
        given = triton.InferInput("input", [2], "BYTES")
        given.set_data_from_numpy(np.array(["a", "bb"], dtype=object))
        found = asked.infer("m", [given], request_id="7", timeout=20_000_000, client_timeout=20)
        assert found.as_numpy("label").tolist() == [b"odd", b"even"] and found.as_numpy("scores").shape == (2, 2)
        assert found.get_response().id == "7"
        chosen = asked.infer("m", [given], outputs=[triton.InferRequestedOutput("scores")])
        assert chosen.as_numpy("label") is None and chosen.as_numpy("scores").shape == (2, 2)
