"""Tensors of the Open Inference Protocol, version 2: JSON values, and the bytes of its binary extension.

Specification: kserve/open-inference-protocol, ``inference_rest.md`` and ``binary_tensor_data.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from lighten.serve.refusals import unreadable, unusable

STRINGS, FLOATS = "BYTES", "FP32"
LENGTH = struct.Struct("<I")
BINARY_SIZE = "binary_data_size"
DIMENSIONS, LARGEST = 8, 1 << 31
"""Most dimensions of a tensor, and most values along each."""
HEADER = b"inference-header-content-length"
"""Header that says how many bytes of a body are JSON; the rest are tensors, one after the other."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array.

    Attributes:
        datatype: ``BYTES`` for texts, ``FP32`` for numbers. data: flat, in row-major order.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Sequence[Any]

    def head(self) -> dict[str, Any]:
        """What is said of it in either form."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}

    def in_json(self) -> dict[str, Any]:
        """With its values as JSON."""
        return {**self.head(), "data": list(self.data)}

    def in_binary(self) -> tuple[dict[str, Any], bytes]:
        """As what stands in the JSON, and the bytes that follow it."""
        if self.datatype == STRINGS:
            packed = packed_strings([text.encode("utf-8", "replace") for text in self.data])
        else:
            packed = struct.pack(f"<{len(self.data)}f", *self.data)
        return {**self.head(), "parameters": {BINARY_SIZE: len(packed)}}, packed


def split_body(body: bytes, told: bytes | None) -> tuple[bytes, bytes]:
    """The JSON of a body, and the bytes behind it.

    Args:
        told: of the header ``HEADER``; None where it is all JSON.

    Raises:
        Refusal: the header says something that cannot be.
    """
    if told is None:
        return body, b""
    if not told.isdigit() or len(told) > 18 or int(told) > len(body):
        seen = f"The header says that {told[:20].decode('latin-1')!r} bytes are JSON, and the body has {len(body)}."
        raise unreadable(seen, allowed="the number of bytes that are JSON")
    return body[: int(told)], body[int(told) :]


def input_values(inputs: Any, behind: bytes) -> list[Any]:
    """The values of the one input that a model of this server has: texts, or bytes.

    Args:
        inputs: of the request. behind: bytes that follow its JSON.

    Raises:
        Refusal: there is another number of inputs, or it is none of texts or bytes, or its sizes do not agree.
    """
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise unusable("The request has no list of inputs.", allowed="a list with one tensor")
    if len(inputs) != 1:
        raise unusable(f"The request has {len(inputs)} inputs.", allowed="one tensor of datatype BYTES")
    (tensor,) = inputs
    if tensor.get("datatype") != STRINGS:
        raise unusable(f"The input's datatype is {tensor.get('datatype')!r:.40}.", allowed=STRINGS)
    count, size = _count(tensor.get("shape")), _parameters(tensor).get(BINARY_SIZE)
    if size is None:
        if behind:
            raise unreadable(f"{len(behind)} bytes follow the JSON, and no input says that they are its own.")
        found = flat(tensor.get("data"))
    elif not isinstance(size, int) or isinstance(size, bool) or size != len(behind):
        raise unreadable(f"{BINARY_SIZE} is {size!r:.40}, and {len(behind)} bytes follow the JSON.")
    elif "data" in tensor:
        raise unusable(f"The input has both data and {BINARY_SIZE}.", allowed="one of them")
    else:
        found = list(unpacked_strings(behind))
    if len(found) != count:
        raise unusable(f"The input has {len(found)} values, and its shape says {count}.", allowed="a shape that fits")
    return found


def flat(data: Any) -> list[Any]:
    """The values of nested lists, in order.

    Raises:
        Refusal: it is no list.
    """
    if not isinstance(data, list):
        raise unusable("The input has no data.", allowed="a list of texts")
    found: list[Any] = []
    for one in data:
        found.extend(flat(one) if isinstance(one, list) else (one,))
    return found


def packed_strings(values: Sequence[bytes]) -> bytes:
    """Each with its length before it, four bytes, the lowest first."""
    return b"".join(part for value in values for part in (LENGTH.pack(len(value)), value))


def unpacked_strings(data: bytes) -> list[bytes]:
    """What :func:`packed_strings` packed.

    Raises:
        Refusal: the lengths do not fit.
    """
    found, at = [], 0
    while at < len(data):
        end = at + LENGTH.size
        size = LENGTH.unpack_from(data, at)[0] if end <= len(data) else -1
        if size < 0 or end + size > len(data):
            raise unreadable("The bytes of the input are no strings with their lengths before them.")
        found.append(data[end : end + size])
        at = end + size
    return found


def _count(shape: Any) -> int:
    """Values that a tensor of a shape has."""
    if not isinstance(shape, list) or not 0 < len(shape) <= DIMENSIONS or not all(map(_is_size, shape)):
        allowed = f"a list of 1 to {DIMENSIONS} whole numbers up to {LARGEST:,}, such as [2]"
        raise unusable(f"The input's shape is {shape!r:.60}.", allowed=allowed)
    return prod(shape)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _parameters(tensor: Mapping[str, Any]) -> Mapping[str, Any]:
    found = tensor.get("parameters", {})
    if not isinstance(found, dict):
        raise unusable("The parameters are no object.", allowed="an object")
    return found
