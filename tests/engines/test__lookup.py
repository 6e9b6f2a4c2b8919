"""Guesses at what comes next."""

from __future__ import annotations

from lighten.engines._lookup import Lookup


def test_what_followed_the_longest_known_ending_is_guessed() -> None:
    known = Lookup([1, 2, 3, 9, 2, 3, 7, 1, 2, 3])
    assert known.guess(2) == [9, 2]  # after 1 2 3, though 2 3 was last followed by 7
    known.add(7)
    assert known.guess(3) == [1, 2, 3]


def test_an_ending_that_never_stood_there_gives_no_guess() -> None:
    assert Lookup([1, 2, 3, 4]).guess(4) == []
    assert Lookup([]).guess(4) == []
    assert Lookup([5]).guess(4) == []


def test_the_last_place_counts_and_no_more_is_given_than_is_there() -> None:
    known = Lookup([4, 4, 5, 4, 4])
    assert known.guess(9) == [5, 4, 4]
    assert known.guess(0) == []
