"""The tensors of a GGUF file: read them as floats, make their formats, write a whole file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import MissingExtra, ModelError
from lighten.nets.gguf.file import FORMATS, GgufHeader, GgufTensor

NUMBERS: Mapping[str, int] = {name: number for number, (name, _, _) in FORMATS.items()}
"""Number of each tensor format."""
BLOCKS: Mapping[str, tuple[int, int]] = {name: (block, size) for name, block, size in FORMATS.values()}
"""Elements in a block and bytes of a block, by format."""


@dataclass(frozen=True, slots=True)
class QuantizedTensor:
    """A tensor in one of GGUF's formats.

    Attributes:
        format: such as ``Q4_K``.
        shape: elements per dimension, the contiguous one last.
        data: uint8 [..., bytes of a row].
    """

    format: str
    shape: tuple[int, ...]
    data: NDArray[np.uint8]


def raw(path: Path, tensor: GgufTensor) -> QuantizedTensor:
    """A tensor of a file as it stands there, mapped into memory."""
    block, size = BLOCKS[tensor.format]
    mapped = np.memmap(path, np.uint8, "r", tensor.begin, (tensor.end - tensor.begin,))
    return QuantizedTensor(
        tensor.format, tensor.shape, mapped.reshape(*tensor.shape[:-1], tensor.shape[-1] // block * size)
    )


def floats(packed: QuantizedTensor) -> NDArray[np.float32]:
    """The numbers that a tensor stands for, float32 of its shape."""
    if packed.format == "F32":
        return np.ascontiguousarray(packed.data).view(np.float32).reshape(packed.shape).copy()
    if packed.format == "F16":
        return np.ascontiguousarray(packed.data).view(np.float16).astype(np.float32).reshape(packed.shape)
    if packed.format == "BF16":
        wide = np.ascontiguousarray(packed.data).view(np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(packed.shape)
    found: NDArray[np.float32] = _libgguf().dequantize_rows(packed.data, NUMBERS[packed.format], packed.shape[-1])
    return found.reshape(packed.shape)


def pack(value: NDArray[np.float32], format: str, importance: NDArray[np.float32] | None = None) -> QuantizedTensor:
    """Numbers in a format.

    Args:
        value: [..., columns]. importance: [columns] weight of each column's squared error; None for all alike.

    Raises:
        ModelError: the columns do not fill whole blocks of the format.
    """
    block, size = BLOCKS[format]
    if value.shape[-1] % block:
        raise ModelError(f"A tensor with {value.shape[-1]} columns cannot be {format}, which has blocks of {block}.")
    if format in ("F32", "F16"):
        kind = np.float32 if format == "F32" else np.float16
        return QuantizedTensor(format, value.shape, np.ascontiguousarray(value.astype(kind)).view(np.uint8))
    if importance is not None and format in _WITHOUT_IMPORTANCE:
        importance = None
    made = _libgguf().quantize_rows(np.ascontiguousarray(value, np.float32), NUMBERS[format], importance)
    return QuantizedTensor(format, value.shape, made.reshape(*value.shape[:-1], value.shape[-1] // block * size))


_WITHOUT_IMPORTANCE = frozenset({"Q8_0", "F32", "F16", "BF16"})


def write_gguf(
    path: Path,
    values: Mapping[str, Any],
    tensors: Iterable[tuple[str, QuantizedTensor]],
    types: Mapping[str, int] | None = None,
) -> None:
    """Write a file with this metadata and these tensors.

    Args:
        values: metadata by key, as ``read_gguf`` gives it.
        types: number of the type of a value, of an array that of its elements, as the file had it that they are from.
            Where none is given, whole numbers are written as unsigned 32-bit numbers where they fit, arrays by the type
            of their first element.
    """
    try:
        import gguf
    except ModuleNotFoundError as error:
        raise MissingExtra("Writing GGUF", "llama", str(error)) from error
    writer = gguf.GGUFWriter(str(path), str(values["general.architecture"]))
    for key, value in values.items():
        # The writer names the architecture itself, and it aligns tensors in its own way.
        if key not in ("general.architecture", "general.alignment") and not key.startswith("GGUF."):
            _add(writer, gguf.GGUFValueType, key, value, (types or {}).get(key))
    for name, packed in tensors:
        plain = packed.format in ("F32", "F16")
        data = (
            np.asarray(packed.data).view(np.float32 if packed.format == "F32" else np.float16) if plain else packed.data
        )
        kind = None if plain else gguf.GGMLQuantizationType(NUMBERS[packed.format])
        writer.add_tensor(name, np.ascontiguousarray(data), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add(writer: Any, types: Any, key: str, value: Any, known: int | None) -> None:
    if isinstance(value, (tuple, list)):
        if not value or isinstance(value[0], (tuple, list)):  # arrays of arrays: no reader asks for one
            return
        first = value[0] if isinstance(value[0], (str, bool, float)) else min(value)
        inner = types.STRING if isinstance(first, str) else _number_type(types, first)
        if key == "tokenizer.ggml.token_type":  # llama.cpp reads nothing else here
            inner = types.INT32
        writer.add_key_value(key, list(value), types.ARRAY, inner if known is None else types(known))
    elif isinstance(value, str):
        writer.add_key_value(key, value, types.STRING)
    else:
        writer.add_key_value(key, value, _number_type(types, value) if known is None else types(known))


def _number_type(types: Any, value: Any) -> Any:
    if isinstance(value, bool):
        return types.BOOL
    if isinstance(value, float):
        return types.FLOAT32
    if value < 0:
        return types.INT32 if value >= -(2**31) else types.INT64
    return types.UINT32 if value < 2**32 else types.UINT64


def _libgguf() -> Any:
    try:
        import libgguf
    except ModuleNotFoundError as error:
        raise MissingExtra("Tensor formats of GGUF", "llama", str(error)) from error
    return libgguf


def weights_of(path: Path, header: GgufHeader) -> Iterable[tuple[str, QuantizedTensor]]:
    """Every tensor of a file by name, in its order."""
    return ((name, raw(path, tensor)) for name, tensor in header.tensors.items())
