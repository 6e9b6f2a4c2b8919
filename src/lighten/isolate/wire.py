"""What parent and child say to each other: one JSON object per line over a socket of their own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lighten.core import errors
from lighten.core.errors import CandidateFailed, InputError, LightenError, OutOfMemory, SessionCrashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUT_OF_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate memory|can't allocate memory|failed to allocate|std::length_error", re.I
)
"""How runtimes say that an allocation failed."""
NUMBERS: Mapping[str, str] = {"float32": "<f4", "float64": "<f8"}
"""Number formats of arrays, as they are named and as they are packed."""
EVENT = b'{"event":'
"""How a line begins that is no answer yet."""


def pack(message: Mapping[str, Any]) -> bytes:
    """One message as a line of bytes."""
    return json.dumps(message, allow_nan=True).encode() + b"\n"


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


def pack_array(array: NDArray[Any]) -> dict[str, Any]:
    """An array in base64, with its shape: float64 stays so, everything else becomes float32."""
    import numpy as np

    name = "float64" if array.dtype == np.float64 else "float32"
    plain = np.ascontiguousarray(array, dtype=NUMBERS[name])
    return {"shape": list(plain.shape), name: base64.b64encode(plain.tobytes()).decode("ascii")}


def unpack_array(record: Mapping[str, Any]) -> NDArray[Any]:
    """The array that :func:`pack_array` packed, float32 or float64."""
    import numpy as np

    name = next(name for name in NUMBERS if name in record)
    flat = np.frombuffer(base64.b64decode(record[name]), dtype=NUMBERS[name])
    return flat.reshape(record["shape"]).astype(name)


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
