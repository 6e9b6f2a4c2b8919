"""The header of a safetensors file, read and checked without the library and without touching a weight.

Specification: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError

BITS: Mapping[str, int] = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8,
    "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip
"""Bits per element of each number format."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
"""Formats that the weights of a float network may have."""

LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the format's own library."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of a header.

    Attributes:
        dtype: one of ``BITS``.
        shape: elements per dimension.
        begin, end: bytes after the header, half open.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)


def read_header(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file by name, after checking that they fill the file without gap or overlap.

    Raises:
        ModelError: truncated, not safetensors, or offsets that do not add up.
    """
    raw, data = _raw_header(path)
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"its header is not JSON ({error})") from error
    if not isinstance(record, dict):
        raise _broken(path, "its header is not a JSON object")
    record.pop("__metadata__", None)
    tensors = {name: _tensor(path, name, entry) for name, entry in record.items()}
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != position:
            raise _broken(path, f"{name} starts at byte {tensor.begin} of the data, not at {position}: gap or overlap")
        position = tensor.end
    if position != data:
        seen = "is cut off" if position > data else "has bytes that belong to no tensor"
        raise _broken(path, f"it {seen}: the header describes {position:,} bytes of data, the file has {data:,}")
    return tensors


def _raw_header(path: Path) -> tuple[bytes, int]:
    """The header's bytes and the number of bytes that follow it."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > LONGEST_HEADER or 8 + length > size:
            raise _broken(path, f"it has {size:,} bytes and says that its header has {length:,}")
        return stream.read(length), size - 8 - length


def _tensor(path: Path, name: str, entry: Any) -> Tensor:
    try:
        dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        numbers = (*shape, begin, end)
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers):
            raise _broken(path, f"{name} has a shape or offsets that are not counts")
        if dtype not in BITS:
            raise _broken(path, f"{name} has the unknown number format {dtype!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, f"the entry of {name} is incomplete") from error
    if (end - begin) * 8 != prod(shape) * BITS[dtype]:
        raise _broken(path, f"{name} of shape {list(shape)} in {dtype} does not take {end - begin:,} bytes")
    return Tensor(dtype, shape, begin, end)


def _broken(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} is not a whole safetensors file: {why}.",
        fix="copy or download it again; a file of about 130 bytes is a Git LFS pointer (git lfs pull)",
    )
