"""Labels as users write them (words, ints, bools, 1.0) to one spelling, and their order."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from lighten.data.cells import Cell

_WHOLE_FLOAT = re.compile(r"([-+]?\d+)\.0+")


def label_text(value: Cell) -> str | None:
    """One spelling per class, whatever the file format: ``1``, ``1.0`` and ``"1.0"`` are ``"1"``; True is ``"true"``.

    Returns:
        the label without surrounding space, or None when there is none (None, NaN, empty, only space).
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = str(value).strip()
    if text.casefold() in {"true", "false"}:
        return text.casefold()
    whole = _WHOLE_FLOAT.fullmatch(text)
    return (whole[1] if whole else text) or None


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct labels in an order that the data's order cannot change: by value when all are numbers, else by text."""
    distinct = sorted(set(labels))
    numbers = [_number(label) for label in distinct]
    if any(n is None for n in numbers):
        return tuple(distinct)
    return tuple(label for _, label in sorted(zip(numbers, distinct, strict=True)))


def is_number(label: str) -> bool:
    """Whether the label reads as a finite number."""
    return _number(label) is not None


def _number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
