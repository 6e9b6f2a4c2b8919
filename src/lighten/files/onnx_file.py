"""ONNX files: what stands in them, seen without a library that parses them."""

from __future__ import annotations

import mmap
from pathlib import Path

from lighten.core.errors import ModelError

OPERATOR = b"\x22"
"""How ``NodeProto.op_type`` begins in protocol buffers: field 4, a text, whose length and bytes follow."""


def has_operator(path: Path, *names: str) -> bool:
    """Whether any node of the graph, or of a function in it, is an operator of one of these names.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return any(data.find(OPERATOR + bytes([len(name)]) + name.encode()) >= 0 for name in names)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}).") from error
