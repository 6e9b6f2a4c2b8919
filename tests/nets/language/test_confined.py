"""What strangers' words make of a process ends with it, and the next question is answered by another one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lighten.core.errors import CandidateFailed, OutOfMemory, SessionCrashed, SessionTimeout
from lighten.nets.language.confined import SHOWN, Confined, did, shown

PID = "os:getpid"


@pytest.fixture
def confined() -> Iterator[Confined]:
    made = Confined(PID, memory=256 << 20)
    yield made
    made.close()


def test_one_process_answers_until_it_is_closed(confined: Confined) -> None:
    first = confined.call(PID, 20, {})
    assert first == confined.call(PID, 20, {}) != os.getpid()
    confined.close()
    confined.close()
    assert confined.call(PID, 20, {}) != first


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        ("signal:pause", SessionTimeout, "did not end within 0.5 s"),
        ("os:abort", SessionCrashed, "took its process down"),
    ],
)
def test_what_hangs_or_dies_is_ended_and_told(
    confined: Confined, function: str, error: type[CandidateFailed], words: str
) -> None:
    first = confined.call(PID, 20, {})
    with pytest.raises(error) as ended:
        confined.call(function, 0.5, {})
    assert words in did(ended.value, 0.5, confined.memory)
    assert confined.call(PID, 20, {}) != first


def test_memory_is_told_in_megabytes() -> None:
    assert "more than 256 MB" in did(OutOfMemory("full"), 1, 256 << 20)


def test_words_are_shown_in_one_line_that_can_be_printed() -> None:
    assert shown("a\x1b[31m\n b") == "a [31m b" and len(shown("x" * 9999)) == SHOWN
