"""What finished candidates are worth: by cost, by what they miss, by their chance."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.search.leaderboard import Leaderboard


def test_the_leader_is_the_cheapest_that_meets_everything(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (40.0, 4), 2: (20.0, 8), 3: (5.0, 40)}, under=["toll<=60MB"])
    board = Leaderboard(run)
    assert board.original.key == 0
    assert board.cost_of(board.done[2]) == pytest.approx(0.2)
    leader = board.leader()
    assert leader is not None
    assert leader.key == 2
    assert not board.misses_quality(board.done[2])
    assert board.misses_quality(board.done[3])
    assert board.missed(board.done[3]) == pytest.approx([0.07, -55.0])
    assert board.gain(board.done[3]) == pytest.approx(-0.1)
    assert board.chance(board.done[1]) > board.chance(board.done[2]) > board.chance(board.done[3])


def test_candidates_of_an_architecture_are_known_by_its_name(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (40.0, 4), 2: (20.0, 8)})
    board = Leaderboard(run)
    board.remember_architecture(2, "half")
    assert [c.key for c in board.made_of("half")] == [2]
    assert (board.architecture_of(1), board.architecture_of(2)) == (None, "half")
