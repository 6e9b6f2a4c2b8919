"""JSON files of a model's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError


def read_object(path: Path, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    """The object that a JSON file holds.

    Args:
        missing: given where there is no such file.

    Raises:
        ModelError: it cannot be read, or holds something else.
    """
    found = _read(path, missing)
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds {type(found).__name__}.", allowed="a JSON object")
    return found


def read_list(path: Path) -> list[Any]:
    """The list that a JSON file holds.

    Raises:
        ModelError: it cannot be read, or holds something else.
    """
    found = _read(path, None)
    if not isinstance(found, list):
        raise ModelError(f"{path} holds {type(found).__name__}.", allowed="a JSON list")
    return found


def _read(path: Path, missing: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if missing is not None and isinstance(error, FileNotFoundError):
            return missing
        raise ModelError(f"{path} cannot be read ({error}).") from error
