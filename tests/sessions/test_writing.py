"""Prompts join the batch of a process and leave it, whatever else it is asked, and whatever becomes of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from lighten.core.errors import BuildFailed, InputError, SessionCrashed
from lighten.core.language import Prompt, Written
from lighten.serve.bell import Bell
from lighten.sessions.process import SessionProcess
from lighten.sessions.writing import Failed, Read, Spelled, Told, Writing

PATIENCE = 30.0
Opened = Callable[..., SessionProcess]


@pytest.fixture
def opened(scribe_of: Opened) -> Iterator[Opened]:
    held = []

    def make(**settings: object) -> SessionProcess:
        held.append(scribe_of(**settings).__enter__())
        return held[-1]

    yield make
    for one in held:
        one.close()


def until(writing: Writing, wanted: Callable[[list[Told]], bool]) -> list[Told]:
    found: list[Told] = []
    while not wanted(found):
        heard = writing.hear(PATIENCE)
        assert heard, "it said nothing"
        found += heard
    return found


def written(found: list[Told], number: int) -> list[Written]:
    return [one for step in found if isinstance(step, list) for one in step if one.number == number]


def ended(*numbers: int) -> Callable[[list[Told]], bool]:
    return lambda found: all(any(one.ended for one in written(found, number)) for number in numbers)


def test_prompts_join_and_leave_while_it_runs(opened: Opened) -> None:
    writing = Writing(opened().child)
    writing.add(1, Prompt((97,), 2000))
    first = until(writing, lambda found: len(written(found, 1)) >= 3)
    writing.add(2, Prompt((120,), 4))
    found = first + until(writing, ended(2))
    assert "".join(one.text for one in written(found, 2)) == "yzé" and not any(o.ended for o in written(found, 1))
    writing.drop(1)
    writing.read(3, "ab", begin=False, special=False)
    late = until(writing, lambda told: any(isinstance(one, Read) for one in told))
    assert Read(3, (97, 98)) in late
    at = late.index(Read(3, (97, 98)))
    assert written(late[at:], 1) == []  # what comes behind the answer knows that it is gone


def test_other_things_are_asked_meanwhile(opened: Opened) -> None:
    session = opened()
    writing = Writing(session.child)
    writing.add(1, Prompt((97,), 50))
    assert session.child.ask("encode", PATIENCE, text="ab", begin=True, special=False)["tokens"] == [256, 97, 98]
    found = until(writing, ended(1))
    assert len(written(found, 1)) == 50
    writing.spell(2, [97, 98])
    assert until(writing, bool) == [Spelled(2, "ab")]


def test_what_cannot_be_continued_is_told(opened: Opened) -> None:
    writing = Writing(opened(cells=16).child)
    writing.add(1, Prompt((97,) * 20, 3))
    (one,) = until(writing, bool)
    assert isinstance(one, Failed) and one.number == 1 and isinstance(one.error, InputError)


def test_a_step_that_fails_is_raised_and_it_goes_on_working(opened: Opened) -> None:
    session = opened(fault="refuse", after=3)
    writing = Writing(session.child)
    writing.add(1, Prompt((97,), 50))
    with pytest.raises(BuildFailed, match="refuses"):
        until(writing, ended(1))
    assert not session.child.gone
    writing.read(2, "x", begin=False, special=False)
    assert until(writing, bool) == [Read(2, (120,))]


def test_a_death_is_raised(opened: Opened) -> None:
    session = opened()
    writing = Writing(session.child)
    writing.add(1, Prompt((97,), 4000))
    until(writing, lambda found: bool(written(found, 1)))
    os.kill(session.child.pid, signal.SIGKILL)
    with pytest.raises(SessionCrashed):
        until(writing, ended(1))
    assert session.child.gone
    with pytest.raises(SessionCrashed):
        writing.add(2, Prompt((97,), 2))


def test_a_bell_ends_the_waiting(opened: Opened) -> None:
    writing, bell = Writing(opened().child), Bell()
    bell.ring()
    assert writing.hear(PATIENCE, bell.fileno()) == [] and writing.hear(0.0) == []
    bell.close()


def test_neither_waits_for_the_other_when_both_say_much(opened: Opened) -> None:
    writing = Writing(opened(streams=64).child)
    long = tuple([97] * 3000)
    for number in range(60):  # megabytes of prompts, while tokens of all that came before are told
        writing.add(number, Prompt(long, 40, likely=5))
    found = until(writing, ended(*range(60)))
    assert all(len(written(found, number)) == 40 for number in range(60))
