"""The header of a safetensors file, read and checked by the format's own library without touching a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from lighten.core.errors import ModelError

BITS: Mapping[str, int] = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8,
    "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip
"""Bits per element of each number format."""

FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
"""Formats that the weights of a float network may have."""

WHY: Mapping[str, str] = {
    "header too small": "it is too short to have a header",
    "header too large": "it says that its header is longer than the format allows",
    "invalid header length": "it says that its header is longer than the file",
    "not fully covered": "it is cut off, or has bytes that belong to no tensor",
    "invalid offset": "two tensors overlap, or there is a gap between them",
    "invalid shape": "a tensor of its shape and number format does not take as many bytes as it has",
}
"""What the library says of a broken file, and the same for a reader who does not know the format."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of a header.

    Attributes:
        dtype: one of ``BITS``.
        shape: elements per dimension.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in the file."""
        return self.elements * BITS[self.dtype] // 8


def read_header(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file by name; they fill the file without gap or overlap.

    Raises:
        ModelError: truncated, not safetensors, offsets that do not add up, or a number format not among ``BITS``.
    """
    from safetensors import SafetensorError, safe_open

    if not (size := path.stat().st_size):
        raise _broken(path, "it is empty")
    try:
        with safe_open(path, framework="np") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118 - it is no mapping
            found = {name: Tensor(one.get_dtype(), tuple(one.get_shape())) for name, one in slices.items()}
    except SafetensorError as error:
        said = str(error).removeprefix("Error while deserializing header: ")
        why = next((f"{ours} ({said})" for theirs, ours in WHY.items() if theirs in said), said)
        raise _broken(path, f"{why}; it has {size:,} bytes") from error
    for name, tensor in found.items():
        if tensor.dtype not in BITS:
            raise _broken(path, f"{name} has the unknown number format {tensor.dtype!r}")
    return found


def _broken(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} is not a whole safetensors file: {why}.",
        fix="copy or download it again; a file of about 130 bytes is a Git LFS pointer (git lfs pull)",
    )
