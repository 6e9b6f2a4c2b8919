"""Messages that would become too much are refused by their bytes, and others are parsed as they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.serve.grpc_messages import message
from lighten.serve.grpc_wire import MOST_FIELDS, MOST_PACKED, SHORT, check_fields, kinds_of, parse
from lighten.serve.refusals import Refusal

pytest.importorskip("google.protobuf", reason="pip install 'lighten[grpc]'")
ASKED = "ModelInferRequest"


def within(number: int, data: bytes) -> bytes:
    """A field that has a length."""
    size, told = len(data), bytearray()
    while size > 127:
        told.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(told) + bytes([size]) + data


def test_large_messages_are_parsed_as_they_are() -> None:
    asked = message(ASKED)(model_name="m", raw_input_contents=[b"x" * 1_000_000])
    asked.inputs.add(name="input", datatype="BYTES", shape=[-1, 3]).parameters["a"].double_param = 0.5
    asked.inputs[0].contents.bytes_contents.extend([b"y" * 300] * 1000)
    asked.inputs[0].contents.fp32_contents.extend([0.5] * 1000)
    assert parse(asked.SerializeToString(), ASKED) == asked
    assert kinds_of(ASKED)[5] == "InferInputTensor" and kinds_of("{InferParameter}") == {
        1: "string",
        2: "InferParameter",
    }


BOMBS = {
    "empty inputs": b"\x2a\x00" * (MOST_FIELDS + 1),
    "empty outputs": b"\x32\x00" * (MOST_FIELDS + 1),
    "empty raws": b"\x3a\x00" * (MOST_FIELDS + 1),
    "empty texts": within(5, within(5, b"\x42\x00" * MOST_FIELDS)),
    "parameters": within(4, b"\x0a\x01a") * (MOST_FIELDS // 2 + 1),
    "sizes": within(5, b"\x18\x01" * MOST_FIELDS),
    "numbers": within(5, within(5, within(4, bytes(MOST_PACKED + 1)))),
    "packed sizes": within(5, within(3, bytes(MOST_PACKED + 1))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_become_too_much_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse(BOMBS[name], ASKED)
    assert refusal.value.status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * (SHORT + 1),
        within(7, b"x" * SHORT)[:-1],
        within(5, within(5, b"x" * SHORT) + b"\x0a"),
        within(7, b"x" * SHORT) + b"\x0b",
        within(7, b"x" * SHORT) + b"\x08",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        parse(data, ASKED)


@given(st.binary(max_size=60))
def test_whatever_is_parsed_was_let_pass(data: bytes) -> None:
    from google.protobuf.message import DecodeError

    try:
        message(ASKED).FromString(data)
    except DecodeError:
        return
    if any(byte & 7 == 3 for byte in data):
        return  # a group, which only other versions of the format have
    check_fields(data, ASKED)


def test_short_messages_are_not_looked_at() -> None:
    asked: Any = parse(b"\x2a\x00" * 100, ASKED)
    assert len(asked.inputs) == 100
