"""Plain JSON back into frozen dataclasses, with every problem listed by its path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def decode(value: Any, kind: Any, path: str, problems: list[str]) -> Any:
    """``value`` as ``kind``: a dataclass, a tuple or mapping of one kind, a plain type, ``X | None``, or ``Any``.

    Args:
        path: of the value, for the messages.
        problems: what does not fit is added here, one sentence each, and None stands in its place.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        inner = [option for option in get_args(kind) if option is not NoneType]
        return None if value is None else decode(value, inner[0], path, problems)
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
        before = len(problems)
        made = decode_fields(value, get_type_hints(kind), required, path, problems)
        return kind(**made) if len(problems) == before else None
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(decode(one, get_args(kind)[0], f"{path}[{i}]", problems) for i, one in enumerate(value))
    if origin is not None and isinstance(value, Mapping) and issubclass(origin, Mapping):
        return {name: decode(one, get_args(kind)[1], f"{path}.{name}", problems) for name, one in value.items()}
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and number and math.isfinite(value):
        return value
    if kind is int and number and isinstance(value, int):
        return value
    if kind in (str, bool) and isinstance(value, kind):
        return value
    wanted = {float: "a finite number", int: "a whole number", str: "a text", bool: "true or false", tuple: "a list"}
    problems.append(f"{path} is {value!r:.60}; allowed: {wanted.get(origin or kind, 'an object')}")
    return None


def decode_fields(
    value: Mapping[str, Any], kinds: Mapping[str, Any], required: Iterable[str], path: str, problems: list[str]
) -> dict[str, Any]:
    """The fields of one object by name. kinds: what each must be; keys that are missing or unknown are problems too."""
    dot = f"{path}." if path else ""
    problems += [f"{dot}{name} is missing" for name in sorted(set(required) - set(value))]
    problems += [f"{dot}{name} is unknown" for name in sorted(set(value) - set(kinds))]
    return {name: decode(one, kinds[name], f"{dot}{name}", problems) for name, one in value.items() if name in kinds}
