"""The time of a sweep: trials at what they take on average and the last training fit into it."""

from __future__ import annotations

import pytest

from lighten.fitting.sweep.clock import AGAIN, SHARE, SPARE, is_time, trial_seconds


@pytest.mark.parametrize("trials", [2, 30])
def test_the_whole_keeps_its_time(trials: int) -> None:
    each = trial_seconds(3600.0, trials, 1.2)
    assert each + (trials - 1) * SHARE * each + AGAIN * 1.2 * each == pytest.approx(SPARE * 3600.0)
    assert trial_seconds(-5.0, trials, 1.2) == 0.0


def test_no_trial_is_begun_that_could_take_the_time_of_the_last_training() -> None:
    assert is_time(100.0, 40.0, 1.0) and not is_time(80.0, 40.0, 1.0)
