"""The verdict on paired right/wrong outcomes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.proof.paired import mcnemar_exact, tango_interval
from lighten.proof.verdict import Verdict, judge_counts, judge_paired


def outcomes(both: int, b: int, c: int, n: int) -> tuple[list[bool], list[bool]]:
    neither = n - both - b - c
    original = [True] * (both + b) + [False] * (c + neither)
    candidate = [True] * both + [False] * b + [True] * c + [False] * neither
    return original, candidate


def test_by_hand() -> None:
    verdict = judge_paired(*outcomes(900, 12, 8, 1000), margin=0.02)
    assert (verdict.state, verdict.b, verdict.c, verdict.n, verdict.units) == ("holds", 12, 8, 1000, 1000)
    assert (verdict.original, verdict.candidate) == (0.912, 0.908)
    assert verdict.difference == pytest.approx(-0.004)
    assert (round(verdict.lower, 4), verdict.needed) == (-0.0120, None)
    assert verdict.holds


@pytest.mark.parametrize(
    ("b", "c", "n", "margin", "state"),
    [
        (0, 0, 300, 0.01, "holds"),
        (0, 0, 200, 0.01, "not_enough_data"),  # even without a flip 200 items cannot prove 1 point
        (12, 8, 1000, 0.01, "not_enough_data"),
        (60, 10, 1000, 0.01, "worse"),  # by both rules
        (30, 10, 1000, 0.01, "worse"),  # by McNemar alone: the upper bound is above the margin
        (30, 10, 1000, 0.04, "holds"),  # McNemar rejects, but the loss is proven to be within the margin
        (8, 30, 1000, 0.0, "holds"),  # better than the original, without any slack
    ],
)
def test_states(b: int, c: int, n: int, margin: float, state: str) -> None:
    assert judge_counts(100, b, c, n, margin).state == state


def test_mcnemar_alone_makes_it_worse() -> None:
    assert tango_interval(30, 10, 1000)[1] > -0.01
    assert mcnemar_exact(30, 10) < 0.05


@given(st.integers(1, 400), st.data())
@settings(deadline=None)
def test_needed_is_more_than_there_is_and_settles_it(n: int, data: st.DataObject) -> None:
    b = data.draw(st.integers(0, n))
    c = data.draw(st.integers(0, n - b))
    verdict = judge_counts(0, b, c, n, 0.02)
    if verdict.state != "not_enough_data":
        assert verdict.needed is None
        return
    assert verdict.needed is not None and verdict.needed > n
    times = -(-verdict.needed // n)  # whole multiples keep the observed rates exactly
    assert judge_counts(0, b * times, c * times, n * times, 0.02).state != "not_enough_data"


@given(st.integers(1, 300), st.data())
@settings(deadline=None)
def test_a_wider_margin_never_turns_holds_into_something_else(n: int, data: st.DataObject) -> None:
    b = data.draw(st.integers(0, n))
    c = data.draw(st.integers(0, n - b))
    states = [judge_counts(0, b, c, n, margin).holds for margin in (0.0, 0.01, 0.05, 0.2, 0.9)]
    assert states == sorted(states)


def test_order_of_items_does_not_matter() -> None:
    original, candidate = (np.array(side) for side in outcomes(70, 3, 1, 100))
    shuffled = np.random.default_rng(0).permutation(100)
    assert judge_paired(original, candidate, 0.01) == judge_paired(original[shuffled], candidate[shuffled], 0.01)


def test_json_round_trip_keeps_everything() -> None:
    verdict = judge_counts(70, 3, 1, 100, 0.01, metric="exact match")
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json(), allow_nan=False))) == verdict


def test_unknown_state_in_json_is_refused() -> None:
    record = judge_counts(70, 3, 1, 100, 0.01).to_json()
    with pytest.raises(ValueError, match="maybe"):
        Verdict.from_json({**record, "state": "maybe"})


@pytest.mark.parametrize(
    ("original", "candidate", "says"),
    [
        ([], [], "non-empty"),
        ([1, 0], [1], "same items"),
        ([1, 0, 2], [1, 0, 1], "right or wrong"),
        ([1.0, float("nan")], [1.0, 0.0], "right or wrong"),
        ([0.5, 1.0], [1.0, 0.0], "right or wrong"),
        (["a", "b"], ["a", "c"], "right or wrong"),
        ([[1, 0]], [[1, 0]], "non-empty list"),
    ],
)
def test_outcomes_that_are_refused(original: Any, candidate: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        judge_paired(original, candidate, 0.01)


@pytest.mark.parametrize("margin", [-0.01, 1.0, 5.0, float("nan")])
def test_margins_that_are_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        judge_paired([1, 0], [1, 0], margin)


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="both right"):
        judge_counts(99, 3, 1, 100, 0.01)
