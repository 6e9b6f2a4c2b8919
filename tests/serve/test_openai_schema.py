"""The OpenAPI document describes the parameters that are taken, all of them and no others."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.serve.limits import Limits
from lighten.serve.openai_asked import Unfit, completion_asked, talk_asked
from lighten.serve.openai_schema import completion, talk

LIMITS = Limits()
PROMPT, TALK = {"model": "m", "prompt": "a"}, {"model": "m", "messages": [{"role": "user", "content": "a"}]}


@pytest.mark.parametrize(
    ("asked", "schema", "body"), [(completion_asked, completion(LIMITS), PROMPT), (talk_asked, talk(LIMITS), TALK)]
)
def test_every_parameter_is_described(asked: Any, schema: dict[str, Any], body: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as unfit:
        asked({**body, "nobody": 1}, LIMITS)
    assert set(unfit.value.allowed.split(", ")) == set(schema["properties"])
    assert set(body) == set(schema["required"]) and schema["additionalProperties"] is False


@pytest.mark.parametrize(("asked", "schema", "body"), [
    (completion_asked, completion(LIMITS), PROMPT), (talk_asked, talk(LIMITS), TALK),
])  # fmt: skip
def test_what_asks_for_nothing_is_taken(asked: Any, schema: dict[str, Any], body: dict[str, Any]) -> None:
    for name, one in schema["properties"].items():
        for value in one.get("enum", [None] if {"type": "null"} in one.get("anyOf", []) else []):
            assert asked({**body, name: value}, LIMITS).model == "m", (name, value)
