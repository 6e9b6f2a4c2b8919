"""Messages lie on the wire as their specifications say: numbers and types of fields, byte by byte."""

from __future__ import annotations

import pytest

from lighten.serve.grpc_messages import FIELDS, message

pytest.importorskip("google.protobuf", reason="pip install 'lighten[grpc]'")


def test_every_message_of_the_table_can_be_made() -> None:
    for name in FIELDS:
        assert message(name)().SerializeToString() == b""


def test_a_request_lies_on_the_wire_as_the_protocol_has_it() -> None:
    asked = message("ModelInferRequest")(model_name="m", model_version="2", id="7", raw_input_contents=[b"\1"])
    asked.parameters["timeout"].int64_param = 5
    given = asked.inputs.add(name="input", datatype="BYTES", shape=[1])
    given.contents.bytes_contents.append(b"a")
    asked.outputs.add(name="label").parameters["binary_data"].bool_param = True
    parameter = b"\x22\x0d" + b"\x0a\x07timeout" + b"\x12\x02\x10\x05"
    contents = b"\x2a\x03" + b"\x42\x01a"
    tensor = b"\x0a\x05input" + b"\x12\x05BYTES" + b"\x1a\x01\x01" + contents
    output = b"\x0a\x05label" + b"\x12\x11" + b"\x0a\x0bbinary_data" + b"\x12\x02\x08\x01"
    assert asked.SerializeToString() == (
        b"\x0a\x01m" + b"\x12\x012" + b"\x1a\x017" + parameter
        + b"\x2a" + bytes([len(tensor)]) + tensor + b"\x32" + bytes([len(output)]) + output + b"\x3a\x01\x01"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "wire"),
    [
        ("bool_contents", True, b"\x0a\x01\x01"),
        ("int_contents", -1, b"\x12\x0a" + b"\xff" * 9 + b"\x01"),
        ("int64_contents", 3, b"\x1a\x01\x03"),
        ("uint_contents", 255, b"\x22\x02\xff\x01"),
        ("uint64_contents", 4, b"\x2a\x01\x04"),
        ("fp32_contents", 1.0, b"\x32\x04\x00\x00\x80\x3f"),
        ("fp64_contents", 1.0, b"\x3a\x08\x00\x00\x00\x00\x00\x00\xf0\x3f"),
        ("bytes_contents", b"ab", b"\x42\x02ab"),
    ],
)
def test_typed_contents_have_a_field_for_each_datatype(field: str, value: object, wire: bytes) -> None:
    assert message("InferTensorContents")(**{field: [value]}).SerializeToString() == wire


@pytest.mark.parametrize(
    ("field", "value", "wire"),
    [
        ("bool_param", False, b"\x08\x00"),
        ("int64_param", 0, b"\x10\x00"),
        ("string_param", "", b"\x1a\x00"),
        ("double_param", 0.0, b"\x21" + bytes(8)),
        ("uint64_param", 0, b"\x28\x00"),
    ],
)
def test_a_parameter_is_one_of_several_and_there_though_it_is_nothing(field: str, value: object, wire: bytes) -> None:
    told = message("InferParameter")(**{field: value})
    assert told.SerializeToString() == wire and told.WhichOneof("choice") == field


def test_replies_lie_on_the_wire_as_their_protocols_have_them() -> None:
    told = message("ModelInferResponse")(model_name="m", outputs=[{"name": "x"}], raw_output_contents=[b"\2"])
    assert told.SerializeToString() == b"\x0a\x01m" + b"\x2a\x03\x0a\x01x" + b"\x32\x01\x02"
    told = message("ModelMetadataResponse")(versions=["1"], platform="p", outputs=[{"name": "x", "shape": [-1]}])
    assert (
        told.SerializeToString() == b"\x12\x011" + b"\x1a\x01p" + b"\x2a\x0f\x0a\x01x\x1a\x0a" + b"\xff" * 9 + b"\x01"
    )
    told = message("RepositoryIndexResponse")(models=[{"name": "m", "version": "1", "state": "R", "reason": "r"}])
    assert told.SerializeToString() == b"\x0a\x0c" + b"\x0a\x01m\x12\x011\x1a\x01R\x22\x01r"
    assert message("HealthCheckResponse")(status=1).SerializeToString() == b"\x08\x01"
    delay = message("RetryInfo")(retry_delay={"seconds": 1, "nanos": 2})
    assert delay.SerializeToString() == b"\x0a\x04\x08\x01\x10\x02"
