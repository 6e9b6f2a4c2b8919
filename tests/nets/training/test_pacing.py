"""How much is learned in the time that there is, by hand."""

from __future__ import annotations

import math

import pytest

from lighten.nets.training.pacing import CURVE, SPARE, end_by_clock, end_in_time, is_late


def test_a_plan_is_made_of_updates_that_were_timed() -> None:
    times = [(10, 99.0), (10, 1.0), (20, 2.0)]  # the first one fills caches; then 0.1 seconds a row
    assert end_in_time(times, 100 / SPARE, 0.0, 50.0, 10_000) == pytest.approx(1000, abs=1)
    assert end_in_time(times, 100 / SPARE, 0.0, 50.0, 70) == 70
    assert end_in_time(times, -5.0, 0.0, 50.0, 10_000) == 10  # an update at the least
    assert end_in_time([(10, 0.0)], 1.0, 0.0, 50.0, 70) == 70  # the clock saw nothing
    judged = end_in_time(times, 100 / SPARE, 10.0, 100.0, 10_000)
    assert judged == pytest.approx((100 - 10) / (0.1 + 10 / 100), abs=1)
    seldom = end_in_time(times, 100 / SPARE, 10.0, math.inf, 10_000)  # judged so often, at the least
    assert seldom == pytest.approx(90 / (0.1 + 10 / (90 / 0.1 / CURVE)), abs=1)


def test_the_plan_moves_with_the_clock() -> None:
    assert end_by_clock(100, 20 / SPARE, 0.1, 0.0, 50.0, 10_000) == pytest.approx(300, abs=1)
    assert end_by_clock(100, 20 / SPARE, 0.1, 5.0, 50.0, 10_000) == 100 + int(15 / 0.2)
    assert end_by_clock(100, 20.0, 0.1, 0.0, 50.0, 150) == 150
    assert end_by_clock(100, -3.0, 0.1, 1.0, 50.0, 150) == 100
    assert end_by_clock(100, 5.0, 0.0, 0.0, 50.0, 150) == 150


def test_what_was_planned_once_may_take_longer_but_not_without_end() -> None:
    assert not is_late(149.0, 100.0) and is_late(151.0, 100.0)
    assert not is_late(30.0, 1.0) and is_late(32.0, 1.0)
