"""Who may still win, measured together before the order of the proof is fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from lighten.core.result import Candidate
from lighten.search import finals
from lighten.search.leaderboard import Leaderboard


def order(run: Any) -> list[int]:
    return [one.candidate.key for one in finals.finalists(run, Leaderboard(run), {})]


def test_the_safest_comes_first_and_each_next_one_is_clearly_cheaper(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2), 2: (30.0, 7), 3: (60.0, 8), 4: (29.9, 9), 5: (10.0, 11)})
    assert order(run) == [1, 2, 4, 5]  # 4 may be cheaper than 2 by an earlier measurement; 3 cannot win
    fresh = Leaderboard(run).done
    assert [one.candidate.key for one in finals.finalists(run, Leaderboard(run), fresh)] == [1, 2, 5]


def test_who_cannot_win_is_no_contender(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (120.0, 0), 2: (50.0, 200), 3: (70.0, 2)}, under=["toll<=60MB"])
    assert order(run) == []
    run = measured({0: (100.0, 0), 1: (120.0, 0), 2: (50.0, 200), 3: (70.0, 2)})
    assert order(run) == [3]
    whole = finals.contenders(run, Leaderboard(run), {}, whole=True)
    assert [one.candidate.key for one in whole] == [1, 3]


def test_what_meets_a_ceiling_that_the_original_misses_may_cost_more(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (105.0, 2)})
    dear = replace(run.budget, minimize="toll")
    run.budget = dear
    assert order(run) == []
    run = measured({0: (100.0, 0), 1: (50.0, 2)}, under=["toll<=60MB"])
    assert order(run) == [1]


def test_an_unsure_reading_rules_nobody_out_and_is_measured_again(measured: Any) -> None:
    """Candidate 1 read 2 where it takes 50: beside it, no other could have won."""
    run = measured({0: (100.0, 0), 1: (2.0, 0), 2: (20.0, 4)})
    board = Leaderboard(run)
    assert order(run) == [1]
    results = board.done[1].results
    board.done[1] = replace(board.done[1], results={**results, "toll": replace(results["toll"], unsure=True)})
    assert [one.candidate.key for one in finals.finalists(run, board, {})] == [1, 2]


def test_a_reading_beside_a_starved_original_rules_nobody_out(measured: Any) -> None:
    """Nobody knew it when candidate 1 was measured: what the original usually reads was learned afterwards."""
    run = measured({0: (100.0, 0), 1: (2.0, 0), 2: (20.0, 4), 3: (30.0, 6)})
    board = Leaderboard(run)
    for key, reference in ((1, 1000.0), (2, 100.0), (3, 101.0)):
        results = board.done[key].results
        beside = replace(results["toll"], reference=reference)
        board.done[key] = replace(board.done[key], results={**results, "toll": beside})
    assert [one.candidate.key for one in finals.finalists(run, board, {})] == [1, 2]


def test_rounds_go_on_until_they_change_nobody(measured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = measured({0: (100.0, 0), 1: (2.0, 0), 2: (20.0, 4), 3: (10.0, 6), 4: (60.0, 6)})
    truth, rounds = {0: 100.0, 1: 50.0, 2: 20.0, 3: 10.0, 4: 60.0}, []

    def together(run: Any, candidates: Iterable[Candidate]) -> dict[int, Candidate]:
        found = {}
        for one in candidates:
            toll = replace(one.results["toll"], value=truth[one.key], ratio=100.0 / truth[one.key])
            found[one.key] = replace(one, results={**one.results, "toll": toll})
        rounds.append(sorted(found))
        return found

    monkeypatch.setattr(finals, "measure_together", together)
    board = Leaderboard(run)
    fresh = finals.measure_finalists(run, board)
    assert rounds == [[0, 1], [0, 1, 2, 3]]
    assert [one.candidate.key for one in finals.finalists(run, board, fresh)] == [1, 2, 3]
    assert finals.recalled(run, board) == fresh  # a run that is resumed measures nothing again
    assert finals.measure_finalists(run, board) == fresh
    assert len(rounds) == 2
