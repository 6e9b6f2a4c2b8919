"""The header of a GGUF file, read and checked without any library and without touching a weight.

A header names its own counts and lengths, and native readers believe them. Everything is bounded by the file's own size
before it is used, and nothing is allocated by what a file merely claims.

Specification: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from lighten.core.errors import ModelError

FILE = "model.gguf"
"""Name of the one file of an artifact of this format."""
MAGIC = b"GGUF"
VERSIONS = (2, 3)
LONGEST_STRING = 1 << 24
"""Bytes of a key, name or text; the longest in use are chat templates of some ten thousand."""
MOST_DIMENSIONS = 4
MOST_TENSORS = 1 << 20
DEEPEST = 2
"""Arrays within arrays."""

FORMATS: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip
"""Tensor formats by number: name, elements in a block, bytes of a block."""
REMOVED: Mapping[int, str] = {
    4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8",
}  # fmt: skip
"""Formats that llama.cpp had once, by number, and reads no more either."""
LATER: Mapping[int, str] = {40: "NVFP4", 41: "Q1_0", 42: "Q2_0"}
"""Formats that llama.cpp has got since, by number."""
MOST_FORMATS = 512
"""Other programs count theirs up from some hundreds; a greater number is none of a whole file."""

SCALARS: Mapping[int, str] = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
BOOL, STRING, ARRAY = 7, 8, 9


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of a file.

    Attributes:
        format: such as ``Q4_K``.
        shape: elements per dimension, the one that is contiguous in memory last (the reverse of the file's order).
        begin, end: bytes from the start of the file, half open.
    """

    format: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a file says about itself.

    Attributes:
        version: of the file format.
        values: metadata by key; arrays are tuples.
        tensors: by name, in the order of the file.
        types: number of the type of each key's value; of an array that of its elements.
    """

    version: int
    values: Mapping[str, Any]
    tensors: Mapping[str, GgufTensor]
    types: Mapping[str, int] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """Such as ``gemma3``."""
        return str(self.values["general.architecture"])


def is_gguf(path: Path) -> bool:
    """Whether a file says that it is GGUF, by its name or its first bytes."""
    with path.open("rb") as stream:
        return path.suffix.lower() == ".gguf" or stream.read(4) == MAGIC


def read_gguf(path: Path) -> GgufHeader:
    """The header of a GGUF file, after checking that every count, length and offset fits into the file.

    Raises:
        ModelError: not GGUF, truncated, or numbers that do not add up.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        return _Reader(path, stream, size).header()


class _Reader:
    def __init__(self, path: Path, stream: BinaryIO, size: int) -> None:
        self.path, self.stream, self.size, self.at = path, stream, size, 0
        self.inner = 0

    def header(self) -> GgufHeader:
        if (magic := self._bytes(4, "the magic number")) != MAGIC:
            raise ModelError(f"{self.path} is not a GGUF file: it starts with {magic!r}.", allowed=f"{MAGIC!r}")
        version = self._number("<I", "the version")
        if version not in VERSIONS:
            other = int.from_bytes(version.to_bytes(4, "little"), "big")
            order = ", written on a big-endian machine" if other in VERSIONS else ""
            raise ModelError(f"{self.path} has GGUF version {version}{order}.", allowed="version 2 or 3, little-endian")
        tensors, pairs = self._number("<Q", "the number of tensors"), self._number("<Q", "the number of metadata")
        # The shortest tensor entry takes 32 bytes, the shortest pair 13: more cannot be in the file.
        if tensors > MOST_TENSORS or tensors * 32 + pairs * 13 > self.size:
            raise self._broken(f"it says that it has {tensors:,} tensors and {pairs:,} metadata")
        values: dict[str, Any] = {}
        types: dict[str, int] = {}
        for _ in range(pairs):
            key = self._string("a key")
            if key in values:
                raise self._broken(f"{key} occurs twice")
            kind = self._number("<I", f"the type of {key}")
            self.inner = kind
            values[key] = self._value(kind, key, 0)
            types[key] = self.inner
        if not isinstance(values.get("general.architecture"), str):
            raise self._broken("it does not say general.architecture")
        return GgufHeader(version, values, self._tensors(tensors, self._alignment(values)), types)

    def _alignment(self, values: Mapping[str, Any]) -> int:
        found = values.get("general.alignment", 32)
        if not isinstance(found, int) or isinstance(found, bool) or found < 8 or found > 1 << 16 or found % 8:
            raise self._broken(f"general.alignment is {found!r}, not a multiple of 8 up to 65536")
        return found

    def _tensors(self, count: int, alignment: int) -> dict[str, GgufTensor]:
        entries: dict[str, tuple[str, tuple[int, ...], int, int]] = {}
        for _ in range(count):
            name = self._string("the name of a tensor")
            if name in entries:
                raise self._broken(f"the tensor {name} occurs twice")
            dimensions = self._number("<I", f"the dimensions of {name}")
            if not 1 <= dimensions <= MOST_DIMENSIONS:
                raise self._broken(f"{name} has {dimensions} dimensions")
            shape = tuple(self._number("<Q", f"the shape of {name}") for _ in range(dimensions))
            kind, offset = self._number("<I", f"the format of {name}"), self._number("<Q", f"the offset of {name}")
            if kind not in FORMATS:
                raise self._other_format(name, kind)
            format, block, bytes_ = FORMATS[kind]
            if 0 in shape or prod(shape) > 8 * self.size or shape[0] % block:
                raise self._broken(f"{name} of shape {list(shape)} cannot be {format}, which has blocks of {block}")
            if offset % alignment:
                raise self._broken(f"{name} starts at {offset}, which is not a multiple of {alignment}")
            entries[name] = (format, shape[::-1], offset, prod(shape) // block * bytes_)
        data = -(-self.at // alignment) * alignment
        found = {
            name: GgufTensor(format, shape, data + offset, data + offset + length)
            for name, (format, shape, offset, length) in entries.items()
        }
        position = data
        for name, tensor in sorted(found.items(), key=lambda item: item[1].begin):
            if tensor.begin < position:
                raise self._broken(f"{name} overlaps the tensor before it")
            position = tensor.end
        if position > self.size:
            raise self._broken(f"it is cut off: its tensors end at byte {position:,}, the file at {self.size:,}")
        return found

    def _value(self, kind: int, key: str, depth: int) -> Any:
        if kind == STRING:
            return self._string(key)
        if kind == ARRAY and depth < DEEPEST:
            inner, count = self._number("<I", f"the type of {key}"), self._number("<Q", f"the length of {key}")
            self.inner = inner
            if inner in SCALARS:
                return self._scalars(inner, count, key)
            if count > (self.size - self.at) // 8:  # a string or an array takes 8 bytes at the least
                raise self._broken(f"{key} says that it has {count:,} elements")
            return tuple(self._value(inner, key, depth + 1) for _ in range(count))
        if kind in SCALARS:
            return self._scalars(kind, 1, key)[0]
        raise self._broken(f"{key} has the unknown type {kind}")

    def _scalars(self, kind: int, count: int, key: str) -> tuple[Any, ...]:
        code = SCALARS[kind]
        raw = self._bytes(struct.calcsize(code) * count, key)
        found = struct.unpack(f"<{count}{code[1]}", raw)
        if kind == BOOL:
            if any(value > 1 for value in found):
                raise self._broken(f"{key} is neither true nor false")
            return tuple(map(bool, found))
        return found

    def _string(self, what: str) -> str:
        length = self._number("<Q", f"the length of {what}")
        if length > LONGEST_STRING:
            raise self._broken(f"{what} says that it has {length:,} bytes")
        try:
            return self._bytes(length, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._broken(f"{what} is not UTF-8") from error

    def _number(self, code: str, what: str) -> int:
        found: int = struct.unpack(code, self._bytes(struct.calcsize(code), what))[0]
        return found

    def _bytes(self, count: int, what: str) -> bytes:
        if count > self.size - self.at:
            raise self._broken(f"it ends within {what}, at byte {self.size:,}")
        found = self.stream.read(count)
        if len(found) != count:
            raise self._broken(f"it ends within {what}")
        self.at += count
        return found

    def _other_format(self, name: str, kind: int) -> ModelError:
        """The error of a tensor in a format that is not read here."""
        if kind >= MOST_FORMATS:
            return self._broken(f"{name} has the unknown format {kind}")
        if kind in REMOVED:
            what = f"{REMOVED[kind]} (type {kind}), which llama.cpp has removed"
        elif kind in LATER:
            what = f"{LATER[kind]} (type {kind}), which is not read here"
        else:
            what = f"type {kind}, which another program or a later llama.cpp wrote"
        return ModelError(
            f"{self.path} has the tensor {name} in the format {what}.",
            allowed=", ".join(format for format, _, _ in FORMATS.values()),
            fix="take another quantization of the same model, such as Q4_K_M, Q8_0 or F16",
        )

    def _broken(self, why: str) -> ModelError:
        return ModelError(f"{self.path} is not a whole GGUF file: {why}.", fix="copy or download it again")
