"""Conversations with a child process: it is told things while it works, and whatever ends it is heard."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from lighten.core.errors import BuildFailed, InputError, OutOfMemory, SessionCrashed, SessionTimeout
from lighten.core.language import Prompt
from lighten.isolate.writing import prompt_record


def test_a_conversation_goes_on_beside_other_operations(scribe_of: Callable[..., Any]) -> None:
    with scribe_of() as session:
        child = session.child
        talk = child.converse("write")
        talk.tell(read=1, text="ab", begin=False, special=False)
        assert child.ask("ends", 20.0, token=257)["ends"] is True
        assert talk.hear(20.0) and talk.events.popleft() == {"read": 1, "tokens": [97, 98]}
        assert not talk.hear(0.0)
        talk.tell(spell=2, tokens=[97])
        assert talk.hear(20.0) and talk.events.popleft() == {"spelled": 2, "text": "a"}
    assert child.gone
    with pytest.raises(SessionCrashed, match="not running"):
        child.converse("write")


def test_an_operation_that_fails_ends_its_conversation_after_what_it_told(session_of: Callable[..., Any]) -> None:
    with session_of() as session:
        talk = session.child.converse("write")
        with pytest.raises(InputError, match="goes on with no text"):
            while talk.hear(20.0):
                talk.events.clear()
        assert session.run(["x"]).shape == (1, 2)  # the process lives on


def test_a_step_that_fails_is_no_reply_to_what_is_asked_meanwhile(scribe_of: Callable[..., Any]) -> None:
    with scribe_of(fault="refuse", after=1, milliseconds=400.0) as session:
        child = session.child
        talk = child.converse("write")
        talk.tell(add=1, prompt=prompt_record(Prompt((97, 98), 3, likely=0, told=True)))
        time.sleep(0.1)  # the second token of its first step fails
        assert child.ask("ends", 20.0, token=257) == {"ends": True}
        assert child.ask("pieces", 20.0, tokens=[97]) == {"pieces": [b"a".hex()]}
        with pytest.raises(BuildFailed, match="refuses this model"):
            while talk.hear(20.0):
                talk.events.clear()
        again = child.converse("write")
        again.tell(read=1, text="a", begin=False, special=False)
        assert again.hear(20.0) and again.events.popleft() == {"read": 1, "tokens": [97]}


def test_a_process_that_takes_nothing_is_ended(scribe_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighten.isolate.conversation.STALLED_SECONDS", 0.5)
    with scribe_of() as session:
        talk = session.child.converse("write")
        os.kill(session.child.pid, signal.SIGSTOP)
        with pytest.raises(SessionTimeout, match="The child process took nothing"):
            for _ in range(100):
                talk.tell(read=1, text="a" * 100_000, begin=True, special=False)
        assert session.child.gone


def test_the_memory_of_a_process_that_takes_nothing_is_watched(scribe_of: Callable[..., Any]) -> None:
    with scribe_of() as session:
        talk = session.child.converse("write")
        os.kill(session.child.pid, signal.SIGSTOP)
        session.child._limit = 1
        with pytest.raises(OutOfMemory, match="more than its"):
            for _ in range(100):
                talk.tell(read=1, text="a" * 100_000, begin=True, special=False)


def test_a_death_ends_a_conversation(scribe_of: Callable[..., Any]) -> None:
    with scribe_of() as session:
        talk = session.child.converse("write")
        os.kill(session.child.pid, signal.SIGKILL)
        with pytest.raises(SessionCrashed, match="SIGKILL"):
            while not talk.hear(20.0):
                pass
        with pytest.raises(SessionCrashed):
            talk.tell(read=1, text="a", begin=True, special=False)
