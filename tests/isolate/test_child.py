"""What a child is asked to write: within the context of its model, whatever the prompt's length."""

from __future__ import annotations

import socket

from lighten.isolate.child import Child, Lines
from lighten.testing.fake import FakeLanguageSession


def test_of_a_prompt_that_leaves_no_room_the_end_is_read() -> None:
    child, session = Child(), FakeLanguageSession(context=16)
    child.session = session
    child.replies(["a" * 40 + "bcdefgh", "xy"], 100)
    assert session.asked[0] == [[session.BEGIN, *b"bcdefgh"], [session.BEGIN, *b"xy"]]


def test_the_greedy_tokens_come_back_as_text() -> None:
    child, session = Child(), FakeLanguageSession(seed=1)
    child.session = session
    tokens = session.generate([session.encode("ab")], 5)[0]
    wanted = b"".join(session.pieces(tokens)).decode("utf-8", "replace")
    assert child.replies(["ab"], 5) == {"texts": [wanted]}


def test_it_can_be_looked_whether_a_line_is_there() -> None:
    ours, theirs = socket.socketpair()
    lines = Lines(theirs)
    assert not lines.waiting()
    ours.sendall(b"one\ntwo\nthr")
    assert lines.waiting() and lines.readline() == b"one"
    assert lines.waiting() and lines.readline() == b"two"
    ours.sendall(b"ee\n")
    assert [lines.readline()] == [b"three"] and not lines.waiting()
    ours.sendall(b"cut off")
    ours.close()
    assert list(lines) == []
    theirs.close()
