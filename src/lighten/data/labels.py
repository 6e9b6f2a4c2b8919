"""Labels as users write them (words, ints, bools, 1.0) to one spelling, and their order."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from lighten.data.cells import Cell

_WHOLE_FLOAT = re.compile(r"([-+]?\d+)\.0+")
_BETWEEN_WORDS = re.compile(r"[\s_]+|(?<=\w)-(?=\w)")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "t", "y", "on"), True),
    **dict.fromkeys(("false", "no", "f", "n", "off"), False),
}
_NO_NAME = re.compile(r"(?:label|class|category|cls|output)?[\s_-]*(\d+)", re.IGNORECASE)
_MOST = 10**9
"""Numbers from here on are no classes, and no whole floats either."""


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


def folded_label(label: str) -> str:
    """A label up to case, width, spacing, underscores and hyphens: ``Very_Positive`` and ``very positive`` are one.

    Two labels of one data set that are the same here are near-equal: a slip of the pen, or two classes.
    """
    number = whole_number(label)
    if number is not None:
        return str(number)
    return _BETWEEN_WORDS.sub("", unicodedata.normalize("NFKC", label).casefold().strip())


def whole_number(label: str) -> int | None:
    """The whole number that a label is (``1``, ``+1``, ``-1``, ``1.0``), or None."""
    number = _number(label)
    return int(number) if number is not None and number.is_integer() and abs(number) < _MOST else None


def truth_of(label: str) -> bool | None:
    """Whether a label says true or false (true, yes, on, t, y; false, no, off, f, n); None when it says neither."""
    return _TRUTH.get(label.strip().casefold())


def place_named(names: Sequence[str], text: str) -> int | None:
    """Place of the name that a text means: the same text, or else the only name that is the same up to spelling."""
    if text in names:
        return names.index(text)
    key = folded_label(text)
    close = [place for place, name in enumerate(names) if folded_label(name) == key]
    return close[0] if len(close) == 1 else None


def is_unnamed(names: Sequence[str]) -> bool:
    """Whether the classes of a model have only numbers: ``LABEL_0``, ``class 1``, ``2``, each in its own place."""
    found = [_NO_NAME.fullmatch(name.strip()) for name in names]
    return bool(names) and all(one is not None and int(one[1]) == place for place, one in enumerate(found))


def is_number(label: str) -> bool:
    """Whether the label reads as a finite number."""
    return _number(label) is not None


def _number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
