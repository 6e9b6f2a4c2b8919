"""JSON Schemas are kept or refused, and nothing in between."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import BuildFailed, InputError, MissingExtra
from lighten.nets.language import grammar
from lighten.nets.language.grammar import Vocabulary, check_schema
from lighten.nets.language.schema_check import MOST_BYTES
from lighten.testing.require import require

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PIECES = [*(bytes([byte]) for byte in range(256)), b"", b"", b'{"name": "', b"true"]
END = 257


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")


def vocabulary() -> Vocabulary:
    return Vocabulary(PIECES, [END])


@pytest.mark.parametrize("schema", [{}, PERSON, {"type": "object"}, {"$ref": "#/$defs/a", "$defs": {"a": PERSON}}])
def test_a_schema_that_can_be_kept_is_taken(schema: Any) -> None:
    check_schema(json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "seen"),
    [
        ("[1]", "cannot be read"),
        ("{", "cannot be read"),
        ('{"type": "nothing"}', "cannot be kept"),
        ('{"type": 3}', "cannot be kept"),
        ('{"not": {"type": "string"}}', "cannot be kept"),
        ('{"type": "string", "minLength": 5, "maxLength": 2}', "cannot be kept"),
        ('{"$ref": "#/$defs/missing"}', "cannot be kept"),
        ('{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}', "no JSON that keeps it"),
        ('{"type": "array", "uniqueItems": true}', "uniqueItems"),
        ('{"$ref": "file:///etc/passwd"}', "cannot be kept"),
        (json.dumps({"enum": ["x" * MOST_BYTES]}), "bytes"),
    ],
)
def test_a_schema_that_cannot_be_kept_is_refused(schema: str, seen: str) -> None:
    with pytest.raises(InputError, match=seen):
        check_schema(schema)


def test_only_what_goes_on_is_allowed() -> None:
    guide = vocabulary().guide(json.dumps(PERSON))
    first = guide.allowed(300)
    assert list(np.flatnonzero(first)) == [PIECES.index(b'{"name": "')] and not guide.over  # nothing else can follow
    guide.take(PIECES.index(b'{"name": "'))
    inside = guide.allowed(258)
    assert len(inside) == 258 and inside[ord("x")] and not inside[END]
    for token in b'x", "age": 7':
        guide.take(token)
    assert not guide.allowed(300)[END] and guide.allowed(300)[ord("}")]
    guide.take(ord("}"))
    assert guide.over
    with pytest.raises(BuildFailed, match="does not go on"):
        guide.take(ord("x"))


def test_texts_become_the_longest_tokens() -> None:
    words = vocabulary()
    assert words(b'{"name": "x') == [PIECES.index(b'{"name": "'), ord("x")] == words('{"name": "x')


def test_any_token_that_ends_answers_may_end_it() -> None:
    words = Vocabulary(PIECES, [END, 256])
    guide = words.guide('{"type": "integer"}')
    guide.take(ord("1"))
    assert guide.allowed(300)[[256, END]].all()


def test_a_model_without_an_end_is_held_to_nothing() -> None:
    with pytest.raises(InputError, match="No token"):
        Vocabulary(PIECES, [])


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(MissingExtra, match="JSON Schema"):
        grammar.check_schema("{}")
