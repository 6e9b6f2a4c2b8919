"""What work takes is learned from what it took, and says what waiting takes."""

import pytest

from lighten.serve.rate import EACH, FIRST, Rate, waiting_time, work_of


def test_work_grows_with_size_and_no_input_is_free() -> None:
    assert work_of(["", "ab"]) == 2 * EACH + 2
    assert work_of([("ab", "c")]) == EACH + 3


def test_nothing_is_claimed_before_anything_was_measured() -> None:
    rate = Rate()
    assert not rate.known and rate.seconds(1e9) == 0 and rate.work(0.1) == FIRST


def test_large_batches_decide_and_old_ones_are_forgotten() -> None:
    rate = Rate()
    rate.learn(1000, 1.0)
    rate.learn(10, 1.0)  # mostly overhead
    assert rate.seconds(1000) == pytest.approx(1000 * 1.9 / 910)
    for _ in range(100):
        rate.learn(1000, 0.1)
    assert rate.seconds(1000) == pytest.approx(0.1, rel=0.01) and rate.work(0.1) == pytest.approx(1000, rel=0.01)


def test_the_first_answer_of_a_process_counts_only_while_nothing_else_is_known() -> None:
    rate = Rate()
    rate.learn(10, 5.0, cold=True)
    assert rate.seconds(10) == pytest.approx(5.0)
    rate.learn(10, 1.0)
    assert rate.seconds(10) == pytest.approx(1.0)
    rate.learn(10, 9.0, cold=True)  # of another process
    assert rate.seconds(10) == pytest.approx(1.0)
    rate.learn(10, 1.0)
    assert rate.seconds(10) == pytest.approx(1.0)


def test_waiting_counts_what_runs_and_who_answers() -> None:
    rate = Rate()
    rate.learn(100, 1.0)
    assert waiting_time(rate, 200, [], 1) == pytest.approx(2.0)
    assert waiting_time(rate, 200, [(100, 0.25)], 1) == pytest.approx(2.75)
    assert waiting_time(rate, 200, [(100, 5.0)], 2) == pytest.approx(1.0)  # one that is late takes no time off others
