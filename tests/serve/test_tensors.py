"""Tensors of the Open Inference Protocol: JSON and bytes say the same, and what does not fit is refused."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.serve.refusals import Refusal
from lighten.serve.tensors import MOST_STRINGS, Tensor, flat, input_tensor, packed_strings, split_body, unpacked_strings


def tensor(**changed: Any) -> dict[str, Any]:
    found = {"name": "input", "datatype": "BYTES", "shape": [2], "data": ["a", "b"], **changed}
    return {name: value for name, value in found.items() if value is not None}


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_strings_come_back_as_they_were(values: list[bytes]) -> None:
    assert unpacked_strings(packed_strings(values)) == values


@pytest.mark.parametrize("data", [b"\1", b"\5\0\0\0ab", b"\xff\xff\xff\xff"])
def test_lengths_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(Refusal, match="no strings with their lengths"):
        unpacked_strings(data)


def test_no_more_strings_are_read_than_any_request_may_have() -> None:
    assert len(unpacked_strings(bytes(4 * MOST_STRINGS))) == MOST_STRINGS
    with pytest.raises(Refusal) as refusal:
        unpacked_strings(bytes(4 * MOST_STRINGS + 4))
    assert refusal.value.status == 413


def test_both_forms_hold_the_same() -> None:
    texts = Tensor("label", "BYTES", (2,), ["good", "schön"])
    head, data = texts.in_binary()
    assert texts.in_json() == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["good", "schön"]}
    assert head["parameters"] == {"binary_data_size": len(data)}
    assert [one.decode() for one in unpacked_strings(data)] == ["good", "schön"]
    head, data = Tensor("scores", "FP32", (1, 2), [0.25, 0.75]).in_binary()
    assert head["shape"] == [1, 2] and struct.unpack("<2f", data) == (0.25, 0.75)


def test_a_body_is_split_where_its_header_says() -> None:
    assert split_body(b"{}", None) == (b"{}", b"")
    assert split_body(b"{}\1\2", b"2") == (b"{}", b"\1\2")
    for told in (b"9", b"-1", b"x", b"", b"9" * 40):
        with pytest.raises(Refusal, match="bytes are JSON"):
            split_body(b"{}", told)


def test_texts_come_from_json_of_any_shape_and_from_bytes() -> None:
    assert input_tensor([tensor()], b"") == Tensor("input", "BYTES", (2,), ["a", "b"])
    assert input_tensor([tensor(shape=[2, 1], data=[["a"], ["b"]])], b"").data == ["a", "b"]
    packed = packed_strings([b"a", b"\xff"])
    asked = tensor(data=None, parameters={"binary_data_size": len(packed)})
    assert input_tensor([asked], packed).data == [b"a", b"\xff"]
    assert input_tensor([{**tensor(), "parameters": None}], b"").data == ["a", "b"]  # null is what is left open
    assert flat([[["a"]], "b"]) == ["a", "b"]


@pytest.mark.parametrize(("datatype", "values"), [("UINT8", [0, 7, 255]), ("FP32", [0.0, 0.25, 1.0])])
def test_numbers_come_from_json_and_from_bytes(datatype: str, values: list[Any]) -> None:
    numbers = {"datatype": datatype, "shape": [3, 1]}
    found = input_tensor([tensor(data=[[one] for one in values], **numbers)], b"")
    packed = np.array(values, {"UINT8": "u1", "FP32": "<f4"}[datatype]).tobytes()
    again = input_tensor([tensor(data=None, parameters={"binary_data_size": len(packed)}, **numbers)], packed)
    assert list(found.data) == list(again.data) == values and found.shape == again.shape == (3, 1)


@pytest.mark.parametrize(
    ("inputs", "behind", "status"),
    [
        (None, b"", 422),
        ([], b"", 422),
        ([1], b"", 422),
        ([tensor(), tensor()], b"", 422),
        ([tensor(datatype="INT64")], b"", 422),
        ([tensor(datatype=["BYTES"])], b"", 422),
        ([tensor(datatype="FP32")], b"", 422),
        ([tensor(datatype="FP32", data=[1.0, True])], b"", 422),
        ([tensor(datatype="FP32", data=[1.0, 1e39])], b"", 422),
        ([tensor(datatype="FP32", data=[1, -(10**400)])], b"", 422),
        ([tensor(datatype="UINT8", data=[1, 256])], b"", 422),
        ([tensor(datatype="UINT8", data=[1, -1])], b"", 422),
        ([tensor(datatype="UINT8", data=[1, 1.0])], b"", 422),
        ([tensor(datatype="FP32", data=None, parameters={"binary_data_size": 5})], b"12345", 400),
        ([tensor(datatype="FP32", data=None, parameters={"binary_data_size": 4})], b"1234", 422),
        ([tensor(name=7)], b"", 422),
        ([tensor(parameters={"shared_memory_region": "r"})], b"", 422),
        ([tensor(shape=[3])], b"", 422),
        ([tensor(shape=None)], b"", 422),
        ([tensor(shape=[-1])], b"", 422),
        ([tensor(shape=[True])], b"", 422),
        ([tensor(shape=[10**4000, 10**4000])], b"", 422),
        ([tensor(shape=[1 << 31] * 8)], b"", 422),
        ([tensor(shape=[1] * 9)], b"", 422),
        ([tensor(data="ab")], b"", 422),
        ([tensor(parameters=[])], b"", 422),
        ([tensor()], b"xx", 400),
        ([tensor(parameters={"binary_data_size": 2})], b"xx", 422),
        ([tensor(data=None, parameters={"binary_data_size": 3})], b"xx", 400),
        ([tensor(data=None, parameters={"binary_data_size": "2"})], b"xx", 400),
    ],
)
def test_what_does_not_fit_is_refused(inputs: Any, behind: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        input_tensor(inputs, behind)
    assert refusal.value.status == status
