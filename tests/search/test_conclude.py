"""The winner is the cheapest of those that hold, by the last measurement that all of them took part in."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.proof.sequence import fixed_sequence
from lighten.proof.verdict import judge_counts
from lighten.search import conclude
from lighten.search.conclude import Proved, choose, judge_held, last_measurement, rivals_of
from lighten.search.finals import latest, remember
from lighten.search.leaderboard import Leaderboard
from lighten.search.prove import Proof


def chosen(run: Any, held: list[int], **changes: float) -> int | None:
    """The winner when candidate ``c1`` takes that much in the last measurement, and so on."""
    board = Leaderboard(run)
    last = {}
    for key, one in board.done.items():
        toll = changes.get(f"c{key}", one.value("toll") or 0.0)
        result = replace(one.results["toll"], value=toll, ratio=100.0 / toll)
        last[key] = replace(one, results={**one.results, "toll": result})
    best = choose(judge_held(run, board, held, last))
    return best.candidate.key if best is not None else None


def test_the_cheapest_of_all_that_held_wins(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2), 2: (30.0, 6), 3: (20.0, 8)})
    assert chosen(run, [1, 2, 3]) == 3
    assert chosen(run, [1, 2]) == 2
    assert chosen(run, [1, 2, 3], c3=60.0) == 2
    assert chosen(run, [1, 2, 3], c1=10.0) == 1
    assert chosen(run, []) is None


def test_what_costs_no_less_than_the_original_does_not_win(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2)})
    assert chosen(run, [1], c1=101.0) is None


def test_who_misses_a_ceiling_at_last_does_not_win(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2), 2: (30.0, 6)}, under=["toll<=55MB"])
    assert chosen(run, [1, 2], c2=60.0) == 1
    assert chosen(run, [1, 2], c1=70.0, c2=60.0) is None


def test_one_that_failed_in_the_last_measurement_comes_last(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2), 2: (30.0, 6)})
    board = Leaderboard(run)
    last = {key: board.done[key] for key in (0, 1)}
    best = choose(judge_held(run, board, [1, 2], last))
    assert best is not None
    assert best.candidate.key == 1


def test_one_that_meets_a_ceiling_only_by_the_spread_comes_after_those_that_meet_it(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (54.0, 2), 2: (50.5, 6)}, under=["toll<=50MB"])
    board = Leaderboard(run)

    def spread(key: int, value: float) -> Any:
        one = board.done[key]
        result = replace(one.results["toll"], spread=1.0, value=value, ratio=100.0 / value)
        return replace(one, results={**one.results, "toll": result})

    last = {0: board.done[0], 1: spread(1, 49.9), 2: spread(2, 50.5)}
    best = choose(judge_held(run, board, [1, 2], last))
    assert best is not None
    assert best.candidate.key == 1
    only = choose(judge_held(run, board, [2], last))
    assert only is not None
    assert [bound.state for bound in only.bounds] == ["close"]


def test_rivals_are_those_that_were_left_out_and_are_clearly_cheaper(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2), 2: (30.0, 6), 3: (49.5, 6), 4: (20.0, 300)})
    board = Leaderboard(run)
    every = latest(board, {})
    sequence = fixed_sequence([(1, lambda: [judge_counts(998, 1, 1, 1000, 0.03)])])
    best = Proved(board.done[1], 0.5, (), True, True)
    proof = Proof(sequence, {}, (3, 2, 4))
    assert rivals_of(run, board, proof, best, every) == [2]  # 3 is no cheaper but for noise, 4 cannot hold
    assert proof.is_open


@pytest.mark.parametrize(("slow", "left", "again"), [(True, 0.0, False), (True, 900.0, True), (False, 0.0, True)])
def test_where_measuring_is_slow_and_the_time_over_the_finalists_measurement_is_the_last(
    measured: Any, monkeypatch: pytest.MonkeyPatch, slow: bool, left: float, again: bool
) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 2)}, left=left)
    run.task = SimpleNamespace(priors=replace(run.task.priors, slow_answers=slow))
    board, asked = Leaderboard(run), []
    remember(run, {key: board.done[key] for key in (0, 1)})

    def together(run: Any, candidates: Any) -> dict[int, Any]:
        asked.append([one.key for one in candidates])
        return {key: board.done[key] for key in asked[-1]}

    monkeypatch.setattr(conclude, "measure_together", together)
    proof = Proof(fixed_sequence([(1, lambda: [judge_counts(998, 1, 1, 1000, 0.03)])]), {}, ())
    _, last = last_measurement(run, board, proof)
    assert list(last) == [0, 1]
    assert asked == ([[0, 1]] if again else [])
    if again:
        return
    remember(run, {0: board.done[0]})  # who holds was not measured with it
    last_measurement(run, board, proof)
    assert asked == [[0, 1]]
