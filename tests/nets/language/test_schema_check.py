"""Schemas are looked at where they can harm nobody, and refused where they would take for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from lighten.core.errors import InputError
from lighten.nets.language.schema_check import MOST_BYTES, SchemaChecker
from lighten.testing.require import require

ENDLESS = {"allOf": [{"type": "integer", "multipleOf": prime} for prime in (10007, 10009, 10037)]}
"""Hours of work for llguidance 1.9, and 120 bytes."""


@pytest.fixture
def checker() -> Iterator[SchemaChecker]:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    made = SchemaChecker()
    yield made
    made.close()


def test_what_can_be_kept_is_taken_and_what_cannot_is_refused(checker: SchemaChecker) -> None:
    checker.deadline = 30
    checker.check(json.dumps({"type": "object", "properties": {"a": {"type": "string"}}}))
    with pytest.raises(InputError, match="cannot be kept"):
        checker.check('{"type": "nothing"}')
    with pytest.raises(InputError, match="bytes"):
        checker.check(json.dumps({"enum": ["x" * MOST_BYTES]}))


def test_what_takes_for_ever_is_refused_and_the_next_one_is_looked_at(checker: SchemaChecker) -> None:
    with pytest.raises(InputError, match="did not end within 1 s") as refused:
        checker.check(json.dumps(ENDLESS))
    assert refused.value.fix
    checker.deadline = 30
    checker.check("{}")
