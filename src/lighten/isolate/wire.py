"""What parent and child say to each other: one JSON object per line, and the bytes of arrays behind it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lighten.core import errors
from lighten.core.errors import CandidateFailed, InputError, LightenError, OutOfMemory, SessionCrashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUT_OF_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate memory|can't allocate memory|failed to allocate|std::length_error", re.I
)
"""How runtimes say that an allocation failed."""
NUMBERS: Mapping[str, str] = {"float32": "<f4", "float64": "<f8", "int32": "<i4", "int64": "<i8"}
"""Number formats of arrays, as they are named and as they are packed."""
ARRAYS = "arrays"
"""Key of a message that holds arrays: in the line only what they are, in order; their bytes follow the line."""
EVENT = b'{"event":'
"""How a line begins that is no answer yet."""


def pack(message: Mapping[str, Any]) -> bytes:
    """One message as a line of bytes, and after it the bytes of what it has under ``arrays``.

    Numbers keep their format where it is one of ``NUMBERS``; others become float32.
    """
    if ARRAYS not in message:
        return json.dumps(message, allow_nan=True).encode() + b"\n"
    import numpy as np

    plain = []
    for array in message[ARRAYS]:
        name = array.dtype.name if array.dtype.name in NUMBERS else "float32"
        plain.append((name, np.asarray(array, dtype=NUMBERS[name], order="C")))
    said = {**message, ARRAYS: [{"numbers": name, "shape": array.shape} for name, array in plain]}
    return b"".join((json.dumps(said, allow_nan=True).encode(), b"\n", *(array.tobytes() for _, array in plain)))


def unpack(line: bytes) -> dict[str, Any]:
    """The message of a line.

    Raises:
        SessionCrashed: the line is no JSON object.
    """
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise SessionCrashed(f"The child process answered something that is no message: {line[:80]!r}.")
    return message


def bytes_behind(message: Mapping[str, Any]) -> int:
    """How many bytes of arrays follow the line of a message."""
    return sum(math.prod(record["shape"]) * int(NUMBERS[record["numbers"]][-1]) for record in message.get(ARRAYS, ()))


def unpack_arrays(records: Sequence[Mapping[str, Any]], data: bytearray) -> list[NDArray[Any]]:
    """The arrays that a message holds, in the memory of ``data``, the bytes that followed its line."""
    import numpy as np

    found, at = [], 0
    for record in records:
        packed = NUMBERS[record["numbers"]]
        count = math.prod(record["shape"])
        found.append(np.frombuffer(data, packed, count, at).reshape(record["shape"]))
        at += count * int(packed[-1])
    return found


def pack_error(error: BaseException, otherwise: type[LightenError] = SessionCrashed) -> dict[str, str]:
    """An exception as a record: lighten's own keep their class; a failed allocation becomes OutOfMemory.

    Args:
        otherwise: the class of any other exception.
    """
    if isinstance(error, LightenError):
        plain = next(c for c in type(error).__mro__ if "__init__" not in vars(c) or c is LightenError)
        return {"class": plain.__name__, "seen": error.seen, "allowed": error.allowed, "fix": error.fix}
    text = " ".join(f"{type(error).__name__}: {error}".split())
    short = text if len(text) <= 600 else f"{text[:400]} ... {text[-180:]}"
    kind = OutOfMemory if isinstance(error, MemoryError) or OUT_OF_MEMORY.search(text) else otherwise
    return {"class": kind.__name__, "seen": short, "allowed": "", "fix": ""}


def unpack_error(record: Mapping[str, str]) -> LightenError:
    """The error of a record; a class that is not in the tree becomes SessionCrashed."""
    kind = getattr(errors, record["class"], SessionCrashed)
    if not (isinstance(kind, type) and issubclass(kind, (CandidateFailed, InputError))):
        kind = SessionCrashed
    error: LightenError = kind(record["seen"], allowed=record["allowed"], fix=record["fix"])
    return error
