"""Sessions that go on with one sequence at a time keep the contract of steps."""

from __future__ import annotations

import pytest

from lighten.core.errors import BuildFailed, InputError
from lighten.core.language import END, MOST, Prompt, Written
from lighten.engines._stepping import PORTION
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


def test_a_told_prompt_is_read_in_portions_while_others_go_on(session: ScribeSession) -> None:
    session.context = 4096
    given = tuple(session.encode("x" * 99))
    long, other = session.add(Prompt(given, 2, likely=0, told=True)), session.add(Prompt((97,), 9))
    heard: dict[int, list[Written]] = {}
    steps = []
    for _ in range(5):
        found = session.step()
        take(heard, found)
        steps.append([sum(one.number == number for one in found) for number in (long, other)])
    assert steps == [[33, 1], [32, 1], [32, 1], [4, 1], [1, 1]]
    assert [one.token for one in heard[long] if one.given] == list(given) and heard[long][-1].ended == MOST
    gone = session.add(Prompt(given, 2, likely=0, told=True))
    before = session.fed
    session.step()
    session.drop(gone)
    session.step()
    assert session.fed - before == PORTION + 2  # beside the two of the other


def test_closing_drops_what_is_continued(session: ScribeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[object] = []
    monkeypatch.setattr(session, "released", released.append)
    for text in PROMPTS:
        session.add(Prompt(tuple(session.encode(text)), 9))
    session.step()
    session.close()
    session.close()
    assert len(released) == 2 and session.step() == []
