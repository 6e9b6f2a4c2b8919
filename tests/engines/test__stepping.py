"""Sessions that go on with one sequence at a time keep the contract of steps."""

from __future__ import annotations

import pytest

from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import END, Prompt, Written
from lighten.testing.scribe import Scribe, ScribeSession
from lighten.testing.steps_contract import check_steps, run, take, texts_of

PROMPTS = ("abc", "x", "the end")


@pytest.fixture
def session() -> ScribeSession:
    return ScribeSession(Scribe(cells=64, streams=2))


def test_prompts_come_and_go(session: ScribeSession) -> None:
    check_steps(session, [session.encode(text) for text in PROMPTS])


def test_no_more_than_its_streams_run_and_the_others_wait(session: ScribeSession) -> None:
    numbers = [session.add(Prompt(tuple(session.encode(text)), 2)) for text in PROMPTS]
    assert {one.number for one in session.step()} == set(numbers[:2])
    heard: dict[int, list[Written]] = {}
    take(heard, session.step())
    assert all(one.ended for every in heard.values() for one in every)
    assert {one.number for one in session.step()} == {numbers[2]}


def test_characters_of_several_tokens_come_whole(session: ScribeSession) -> None:
    number = session.add(Prompt(tuple(session.encode("y")), 4))
    heard: dict[int, list[Written]] = {}
    run(session, heard, 1)
    assert [one.text for one in heard[number]] == ["z", "", "é", "a"]
    number = session.add(Prompt(tuple(session.encode("y")), 2))  # it ends within one
    run(session, heard := {}, 1)
    assert texts_of(heard) == {number: "z\ufffd"}


def test_an_ending_token_is_no_part_of_an_answer(session: ScribeSession) -> None:
    session.add(Prompt(tuple(session.encode("!")), 9))
    (one,) = session.step()
    assert (one.token, one.text, one.ended) == (None, "", END)


def test_a_step_that_fails_ends_all(session: ScribeSession) -> None:
    session.engine = Scribe(fault="refuse", after=session.fed)
    for text in PROMPTS:
        session.add(Prompt(tuple(session.encode(text)), 9))
    with pytest.raises(BuildFailed):
        session.step()
    assert session.step() == []


def test_what_does_not_fit_is_refused_when_it_is_added(session: ScribeSession) -> None:
    with pytest.raises(InputError, match="64 tokens"):
        session.add(Prompt((1,) * 64, 1))
