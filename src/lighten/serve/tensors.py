"""Tensors of the Open Inference Protocol, version 2: values in JSON, and the bytes of its binary extension.

Specification: kserve/open-inference-protocol, ``inference_rest.md``, and Triton's ``extension_binary_data.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.serve.parameters import parameters_of
from lighten.serve.refusals import too_large, unreadable, unusable

STRINGS, FLOATS, LEVELS = "BYTES", "FP32", "UINT8"
NUMBERS: Mapping[str, str] = {FLOATS: "<f4", LEVELS: "u1"}
"""Datatypes of numbers that are taken, by what numpy calls them in memory."""
MOST_FLOAT = 3.4028234663852886e38
"""Largest number of ``FP32``."""
LENGTH = struct.Struct("<I")
BINARY_SIZE = "binary_data_size"
MOST_STRINGS = 65_536
"""Most texts or contents of files in a tensor, whatever a server's own limit is."""
DIMENSIONS, LARGEST = 8, 1 << 31
"""Most dimensions of a tensor, and most values along each."""
HEADER = b"inference-header-content-length"
"""Header that says how many bytes of a body are JSON; the rest are tensors, one after the other."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array.

    Attributes:
        datatype: ``BYTES`` for texts and contents of files, ``FP32`` and ``UINT8`` for numbers.
        data: flat, in row-major order.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Sequence[Any] | NDArray[Any]

    def head(self) -> dict[str, Any]:
        """What is said of it in either form."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}

    def in_json(self) -> dict[str, Any]:
        """With its values as JSON."""
        return {**self.head(), "data": list(self.data)}

    def in_binary(self) -> tuple[dict[str, Any], bytes]:
        """As what stands in the JSON, and the bytes that follow it."""
        packed = self.packed()
        return {**self.head(), "parameters": {BINARY_SIZE: len(packed)}}, packed

    def packed(self) -> bytes:
        """Its values as bytes, without their names."""
        if self.datatype == STRINGS:
            return packed_strings([text.encode("utf-8", "replace") for text in self.data])
        return struct.pack(f"<{len(self.data)}f", *self.data)

    def checked(self) -> Tensor:
        """Itself, as an input.

        Raises:
            Refusal: it has another number of values than its shape says.
        """
        count = prod(self.shape)
        if len(self.data) != count:
            seen = f"The input has {len(self.data)} values, and its shape says {count}."
            raise unusable(seen, allowed="a shape that fits")
        return self


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


def input_tensor(inputs: Any, behind: bytes) -> Tensor:
    """The one input that a request in JSON has.

    Args:
        inputs: of the request. behind: bytes that follow its JSON.

    Raises:
        Refusal: there is another number of inputs, or it is none that any model takes, or its sizes do not agree.
    """
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise unusable("The request has no list of inputs.", allowed="a list with one tensor")
    (told,) = the_one(inputs)
    name, datatype, parameters = told.get("name"), check_datatype(told.get("datatype")), parameters_of(told)
    if not isinstance(name, str):
        raise unusable(f"The input's name is {name!r:.40}.", allowed="a text")
    shape, size = check_shape(told.get("shape")), parameters.get(BINARY_SIZE)
    data: Sequence[Any] | NDArray[Any]
    if size is None:
        if behind:
            raise unreadable(f"{len(behind)} bytes follow the JSON, and no input says that they are its own.")
        data = flat(told.get("data"))
        data = numbers(data, datatype) if datatype in NUMBERS else data
    elif not isinstance(size, int) or isinstance(size, bool) or size != len(behind):
        raise unreadable(f"{BINARY_SIZE} is {size!r:.40}, and {len(behind)} bytes follow the JSON.")
    elif told.get("data") is not None:
        raise unusable(f"The input has both data and {BINARY_SIZE}.", allowed="one of them")
    else:
        data = unpacked(behind, datatype)
    return Tensor(name, datatype, shape, data).checked()


def the_one(inputs: Sequence[Any]) -> Sequence[Any]:
    """Inputs of which there is one.

    Raises:
        Refusal: there are none, or several.
    """
    if len(inputs) != 1:
        raise unusable(f"The request has {len(inputs)} inputs.", allowed="one tensor")
    return inputs


def check_datatype(told: Any) -> str:
    """A datatype that some model takes.

    Raises:
        Refusal: it is another one.
    """
    if told == STRINGS or (isinstance(told, str) and told in NUMBERS):
        return str(told)
    raise unusable(f"The input's datatype is {told!r:.40}.", allowed=STRINGS)


def check_shape(shape: Any) -> tuple[int, ...]:
    """The shape of an input.

    Raises:
        Refusal: it is no list of sizes, or too large.
    """
    if not isinstance(shape, list) or not 0 < len(shape) <= DIMENSIONS or not all(map(_is_size, shape)):
        allowed = f"a list of 1 to {DIMENSIONS} whole numbers up to {LARGEST:,}, such as [2]"
        raise unusable(f"The input's shape is {shape!r:.60}.", allowed=allowed)
    return tuple(shape)


def flat(data: Any) -> list[Any]:
    """The values of nested lists, in order.

    Raises:
        Refusal: it is no list.
    """
    if not isinstance(data, list):
        raise unusable("The input has no data.", allowed="a list of values")
    found: list[Any] = []
    for one in data:
        found.extend(flat(one) if isinstance(one, list) else (one,))
    return found


def numbers(values: Sequence[Any], datatype: str) -> NDArray[Any]:
    """Values of a tensor of numbers, flat.

    Raises:
        Refusal: one of them is no number of this datatype.
    """
    fits = _is_level if datatype == LEVELS else _is_float
    for one in values:
        if not fits(one):
            raise unusable(f"The input has the value {one!r:.40}, which is none of {datatype}.", allowed=datatype)
    return np.array(values, np.float64 if datatype == FLOATS else NUMBERS[datatype])


def unpacked(data: bytes, datatype: str) -> Sequence[Any] | NDArray[Any]:
    """Values that stand one after the other, as the binary extension and ``raw_input_contents`` have them.

    Raises:
        Refusal: their length does not fit.
    """
    if datatype == STRINGS:
        return unpacked_strings(data)
    kind = np.dtype(NUMBERS[datatype])
    if len(data) % kind.itemsize:
        raise unreadable(f"{len(data)} bytes are no {datatype} of {kind.itemsize} bytes each.")
    return np.frombuffer(data, kind)


def packed_strings(values: Sequence[bytes]) -> bytes:
    """Each with its length before it, four bytes, the lowest first."""
    return b"".join(part for value in values for part in (LENGTH.pack(len(value)), value))


def unpacked_strings(data: bytes) -> list[bytes]:
    """What :func:`packed_strings` packed.

    Raises:
        Refusal: the lengths do not fit, or there are too many.
    """
    found, at = list[bytes](), 0
    while at < len(data):
        if len(found) == MOST_STRINGS:
            allowed, fix = f"at most {MOST_STRINGS:,}", "send them in several requests"
            raise too_large(f"The input has more than {MOST_STRINGS:,} values.", allowed, fix)
        end = at + LENGTH.size
        size = LENGTH.unpack_from(data, at)[0] if end <= len(data) else -1
        if size < 0 or end + size > len(data):
            raise unreadable("The bytes of the input are no strings with their lengths before them.")
        found.append(data[end : end + size])
        at = end + size
    return found


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _is_level(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 255


def _is_float(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MOST_FLOAT
