"""Pieces grow with what is known, never past their deadline, whatever the order and kind of the inputs."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.sessions.pace import FIRST_CHARACTERS, FIRST_ROWS, MOST_CHARACTERS, MOST_ROWS, SECONDS, Pace
from lighten.sessions.process import DEADLINE, SessionProcess


def walk(sizes: list[int], cost: Callable[[int], float], base: float = DEADLINE) -> list[tuple[int, float, float]]:
    """Rows, seconds and deadline of every piece, for a session that takes ``cost(size)`` for each input."""
    pace, begin, found = Pace(base), 0, []
    while begin < len(sizes):
        end = pace.end(sizes, begin)
        piece = sizes[begin:end]
        seconds, allowed = sum(map(cost, piece)), pace.patience(sum(piece), len(piece))
        found.append((len(piece), seconds, allowed))
        pace.learn(sum(piece), len(piece), seconds)
        begin = end
    return found


def truncated(size: int) -> float:
    """A BERT-base on long texts on a slow machine: half a millisecond a character, at most 2,048 of them."""
    return 0.0005 * min(size, 2048)


def test_an_hour_of_answers_is_no_request_of_an_hour() -> None:
    sizes = sorted((random.Random(0).choice((200, 2_000, 60_000)) for _ in range(4_000)), reverse=True)
    pieces = walk(sizes, truncated)
    assert sum(rows for rows, _, _ in pieces) == len(sizes)
    assert sum(seconds for _, seconds, _ in pieces) > 10 * DEADLINE
    assert all(seconds < allowed / 4 for _, seconds, allowed in pieces)
    assert max(seconds for _, seconds, _ in pieces) <= SECONDS * 1.01


@pytest.mark.parametrize("order", [1, -1])
def test_short_and_long_texts_in_any_order(order: int) -> None:
    sizes = sorted([20] * 20_000 + [2_000] * 500, key=lambda size: order * size)
    assert all(seconds < allowed / 4 for _, seconds, allowed in walk(sizes, truncated))


def test_short_texts_go_in_thousands() -> None:
    pieces = walk([60] * 50_000, lambda size: 0.0003)
    assert pieces[0][0] == FIRST_ROWS
    assert len(pieces) < 20
    assert max(rows for rows, _, _ in pieces) == MOST_ROWS


def test_one_text_that_is_larger_than_a_piece_has_time_of_its_own() -> None:
    ((rows, _, allowed),) = walk([30 * FIRST_CHARACTERS], lambda size: 0.0)
    assert rows == 1
    assert allowed > 10 * DEADLINE


@given(st.lists(st.integers(0, 3 * MOST_CHARACTERS), max_size=60), st.integers(0, 4))
def test_every_input_is_in_one_piece(sizes: list[int], known: int) -> None:
    pace, begin = Pace(1.0), 0
    for _ in range(known):
        pace.learn(100, 5, 0.1)
    while begin < len(sizes):
        end = pace.end(sizes, begin)
        assert begin < end <= len(sizes)
        assert end == begin + 1 or sum(sizes[begin:end]) <= MOST_CHARACTERS
        begin = end


def test_a_session_answers_more_than_one_request_may_take(session_of: Callable[..., SessionProcess]) -> None:
    texts = [("x" * (i % 7)) for i in range(60)]
    heard: list[int] = []
    with session_of(milliseconds=100.0, deadline=5.0) as session:
        answers = session.answers(texts, heard.append)
    assert answers.argmax(axis=1).tolist() == [len(text) % 2 for text in texts]
    assert heard[0] == FIRST_ROWS and heard[-1] == len(texts) and len(heard) > 3
    assert np.isfinite(answers).all()
