"""A prompt while it is continued: draws, probabilities and ends do not depend on the engine."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

from lighten.core.errors import InputError
from lighten.core.language import BROKEN, END, FULL, MOST, Prompt, Sampling
from lighten.engines._continued import Continued, Guides, check_idle, draws_of
from lighten.testing.require import require
from lighten.testing.scribe import END as ENDS
from lighten.testing.scribe import Scribe, ScribeSession


@pytest.fixture
def session() -> ScribeSession:
    return ScribeSession(Scribe(cells=16))


def sure(token: int) -> np.ndarray:
    logits = np.zeros(258, np.float32)
    logits[token] = 30.0
    return logits


def test_an_answer_ends_with_its_tokens_or_its_context(session: ScribeSession) -> None:
    short, long = Continued(1, Prompt((1,), 2), session), Continued(2, Prompt((1,) * 15, 9), session)
    assert [one.ended for _ in range(2) for one in short.take(sure(97))] == ["", MOST] and short.over
    assert [one.ended for one in long.take(sure(97))] == [FULL] and long.room == 0


def test_an_ending_token_ends_it_where_it_may(session: ScribeSession) -> None:
    ends, goes = Continued(1, Prompt((1,), 5), session), Continued(2, Prompt((1,), 5, stop=False), session)
    assert ends.take(sure(ENDS))[0].ended == END and ends.made == []
    assert goes.take(sure(ENDS))[0].ended == "" and goes.made == [ENDS]


def test_answers_of_one_seed_differ_by_their_draw() -> None:
    first, again, other = (draws_of(Sampling(seed=3, draw=draw)).random() for draw in (0, 0, 1))
    assert first == again == np.random.default_rng(3).random() != other


def test_what_is_given_is_told_with_its_probability(session: ScribeSession) -> None:
    one = Continued(1, Prompt((97, 98), 0, likely=1, told=True), session)
    (first,) = one.given(0, None)
    second, end = one.given(1, sure(98))
    assert first.chosen is not None and first.chosen.logprob is None and first.given
    assert second.chosen is not None and abs(second.chosen.logprob or 0.0) < 1e-6 and second.top[0].piece == b"b"
    assert end.token is None and end.ended == MOST and one.over


def test_a_token_that_there_is_not_is_refused(session: ScribeSession) -> None:
    for tokens in ((258,), (1, -1)):
        with pytest.raises(InputError, match="There is no token"):
            session.add(Prompt(tokens, 3))


def test_only_a_greedy_answer_can_be_guessed(session: ScribeSession) -> None:
    assert Continued(1, Prompt((1,), 5), session).plain
    assert not Continued(1, Prompt((1,), 5, Sampling(1.0)), session).plain


def test_nothing_else_is_done_beside_what_runs(session: ScribeSession) -> None:
    check_idle(session, 0)
    with pytest.raises(InputError, match="is continuing 2 prompts"):
        check_idle(session, 2)


SCHEMAS = [
    {
        "type": "object",
        "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 999}},
        "required": ["a"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"enum": ["yes", "no"]}, "minItems": 2, "maxItems": 3},
    {"type": "string", "minLength": 3, "maxLength": 5},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("sampling", [Sampling(), Sampling(1.5, 1.0, 1), Sampling(2.0, 0.9, 2)])
def test_an_answer_keeps_its_schema(schema: object, sampling: Sampling) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    session = ScribeSession(Scribe())
    session.add(Prompt(tuple(session.encode("json: ")), 400, sampling, schema=json.dumps(schema)))
    written = []
    while not (written and written[-1].ended):
        written += session.step()
    assert written[-1].ended == END
    value = json.loads("".join(one.text for one in written))
    if isinstance(value, dict):
        assert isinstance(value["a"], int) and len(value) == 1
    elif isinstance(value, list):
        assert 2 <= len(value) <= 3 and set(value) <= {"yes", "no"}
    elif isinstance(value, str):
        assert 3 <= len(value) <= 5
    else:
        assert value in (True, False, None)


def test_an_answer_that_cannot_go_on_costs_no_other(session: ScribeSession) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    nothing = '{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}'
    broken, other = session.add(Prompt((97,), 5, schema=nothing)), session.add(Prompt((97,), 2))
    first, second = session.step()
    assert (first.number, first.ended, second.number, second.text) == (broken, BROKEN, other, "b")
    assert [one.ended for one in session.step()] == [MOST]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(1.0)])
def test_logits_that_are_no_numbers_end_their_answer_alone(session: ScribeSession, sampling: Sampling) -> None:
    session.table[98] = np.nan
    broken, other = session.add(Prompt((98,), 5, sampling)), session.add(Prompt((99,), 2, Sampling(1e-308)))
    first, second = session.step()
    assert (first.number, first.ended, second.number, second.text) == (broken, BROKEN, other, "d")
    assert [one.ended for one in session.step()] == [MOST]


def test_a_schema_that_cannot_be_kept_is_refused_when_it_is_added(session: ScribeSession) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")
    with pytest.raises(InputError, match="JSON Schema"):
        Guides(session).guide(Prompt((1,), 5, schema='{"type": "nothing"}'))
    assert Guides(session).guide(Prompt((1,), 5)) is None
