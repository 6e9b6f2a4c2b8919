"""The rate rises and falls as planned, wherever the end moves; a state comes back as it was."""

from __future__ import annotations

import json
import math

import pytest

from lighten.nets.training.schedule import Point, Schedule, Score, State, Trained


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_the_rate_rises_then_falls_towards_zero(shape: str) -> None:
    schedule, state = Schedule(warmup=0.2, shape=shape), State(end=1000)
    rates = []
    for _ in range(100):
        rates.append(state.rate(schedule, 10))
        state.advance(schedule, 10)
    assert rates[:3] == pytest.approx([0.05, 0.1, 0.15]) and rates[19:21] == pytest.approx([1.0, 1.0])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    half = 0.5 if shape == "linear" else 0.5 * (1 + math.cos(math.pi / 2))
    assert rates[60] == pytest.approx(half)
    assert 0.0 < rates[-1] < 0.02
    state.factor = 0.3
    assert state.rate(schedule, 10) == pytest.approx(0.3 * (1 - state.fallen if shape == "linear" else 0.0), abs=1e-3)


def test_the_rate_still_ends_at_zero_where_the_end_moves() -> None:
    schedule, state = Schedule(warmup=0.0), State(end=1000)
    for _ in range(30):
        state.advance(schedule, 10)
    before = state.rate(schedule, 10)
    state.end = 500
    for _ in range(19):
        state.advance(schedule, 10)
    assert before == pytest.approx(0.7) and state.rate(schedule, 10) == pytest.approx(0.7 / 20)


def test_a_state_comes_back_as_it_was() -> None:
    score = Score(0.1 + 0.2, 1 / 3)
    state = State(epoch=2, rows=7, end=9, fallen=0.1, points=[Point(0.5, 3, 7, score)], best=score)
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state
    assert State.from_json(json.loads(json.dumps(State().to_json()))) == State()


def test_scores_are_ordered_by_quality_then_loss() -> None:
    assert Score(0.9, 2.0).beats(None)
    assert Score(0.9, 2.0).beats(Score(0.8, 1.0)) and Score(0.9, 1.0).beats(Score(0.9, 2.0))
    assert not Score(0.9, 2.0).beats(Score(0.9, 2.0)) and not Score(math.nan, 1.0).beats(Score(0.1, 1.0))


def test_any_score_beats_one_that_is_no_number() -> None:
    assert Score(0.1, 1.0).beats(Score(math.nan, 1.0)) and Score(0.1, 1.0).beats(Score(0.1, math.nan))
    assert not Score(math.nan, math.nan).beats(Score(math.nan, math.nan))


def test_speed() -> None:
    assert Trained(rows=10, seconds=4.0).rows_per_second == 2.5
    assert Trained().rows_per_second == 0.0
