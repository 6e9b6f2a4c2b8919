"""Plain JSON back into frozen dataclasses, with every problem listed by its path; and the JSON Schema of the same.

pydantic does both, from the types alone, so that no type of ``core`` knows of it. It is imported at the first use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

T = TypeVar("T")

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXACT = ("str", "int", "float", "bool")
"""Types that stand for themselves: no text becomes a number, and no number a flag."""
WANTED = {
    "float_type": "a finite number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "tuple_type": "a list",
}
"""What is allowed, by the type of pydantic's error."""


def decode(value: object, kind: type[T], path: str, problems: list[str]) -> T | None:
    """``value``, as JSON has it, as a dataclass; its fields may be dataclasses, tuples, mappings and plain types.

    Args:
        path: of the value, for the messages.
        problems: what does not fit is added here, one sentence each: also keys that are missing and unknown ones.

    Returns:
        None where there is a problem.
    """
    from pydantic import ValidationError

    try:
        made: T = _validator(cast(Any, kind)).validate_python({"value": value})["value"]
    except ValidationError as error:
        problems += sorted(_sentence(one, path) for one in error.errors(include_url=False))
        return None
    return made


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of what ``dataclasses.asdict`` makes of a dataclass, or of several: every key, and no other."""
    schema = _whole(kind).json_schema(mode="serialization")
    parts: dict[str, Any] = schema.get("$defs", {})
    found: dict[str, Any] = schema["properties"]["value"]
    if "$ref" in found:
        found = parts.pop(found["$ref"].rpartition("/")[2])
    for one in (found, *parts.values()):
        if one.get("type") == "object" and "properties" in one:
            one["required"] = list(one["properties"])
    return {"$schema": DIALECT, **found, **({"$defs": parts} if parts else {})}


@cache
def _whole(kind: Any) -> TypeAdapter[Any]:
    """The type inside of another, whose configuration holds for every dataclass below it."""
    from pydantic import ConfigDict, TypeAdapter
    from typing_extensions import TypedDict

    make: Any = TypedDict
    whole = make("Whole", {"value": kind})
    whole.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)
    return TypeAdapter(whole)


@cache
def _validator(kind: Any) -> SchemaValidator:
    """Lists are taken for tuples and objects for dataclasses, as JSON has them; plain types only as they are."""
    from pydantic_core import SchemaValidator

    return SchemaValidator(_exact(_whole(kind).core_schema))


def _exact(schema: Any) -> Any:
    if isinstance(schema, dict):
        made = {name: _exact(one) for name, one in schema.items()}
        return {**made, "strict": True} if made.get("type") in EXACT else made
    return [_exact(one) for one in schema] if isinstance(schema, list) else schema


def _sentence(error: Mapping[str, Any], path: str) -> str:
    place = _place(path, error["loc"][1:])
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is unknown"
    allowed = error["ctx"]["expected"] if error["type"] == "literal_error" else WANTED.get(error["type"], "an object")
    return f"{place} is {error['input']!r:.60}; allowed: {allowed}"


def _place(path: str, steps: Sequence[str | int]) -> str:
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
