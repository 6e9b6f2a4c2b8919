"""A request waits where it is worth it, and hears at once where it is not."""

from dataclasses import replace

import pytest

from lighten.serve.admission import Load, refused
from lighten.serve.limits import Limits
from lighten.serve.rate import Rate

LIMITS = Limits(batch=8, queue=10_000, queue_seconds=0.5, deadline=10.0)
IDLE = Load(0, 0, 0.0, 1)


@pytest.fixture
def rate() -> Rate:
    """A thousand units in a second."""
    found = Rate()
    found.learn(1000, 1.0)
    return found


def test_an_idle_model_takes_what_limits_allow(rate: Rate) -> None:
    assert refused(IDLE, 50_000, 10.0, rate, LIMITS) is None  # nothing waits that it could hold up


def test_a_full_queue_says_when_there_is_room(rate: Rate) -> None:
    found = refused(Load(2000, 20, 2.0, 1), 100, 10.0, rate, LIMITS)
    assert found is not None and found.status == 429 and found.code == "overloaded"
    assert found.retry_after == pytest.approx(1.5)


def test_two_batches_may_always_wait_and_more_with_more_replicas(rate: Rate) -> None:
    limits = replace(LIMITS, queue_seconds=0.0, batch_seconds=1.0)  # a thousand units are a full batch, or eight inputs
    short = Load(1900, 15, 1.9, 1)
    assert refused(short, 100, 10.0, rate, limits) is None
    assert refused(replace(short, inputs=16), 100, 10.0, rate, limits) is not None
    assert refused(replace(short, inputs=31, replicas=2), 100, 10.0, rate, limits) is None


def test_batches_of_a_slow_model_are_full_by_what_they_take(rate: Rate) -> None:
    slow = Load(2000, 10, 2.0, 1)  # 200 units each: a batch of 0.1 s is none of them, so two may wait
    assert refused(slow, 100, 10.0, rate, LIMITS) is not None
    assert refused(replace(slow, inputs=2), 100, 10.0, rate, LIMITS) is not None
    assert refused(replace(slow, inputs=1), 100, 10.0, rate, LIMITS) is None
    assert refused(replace(slow, inputs=3, replicas=2), 100, 10.0, rate, LIMITS) is None


def test_what_would_be_late_is_refused_before_it_waits(rate: Rate) -> None:
    found = refused(Load(900, 1, 0.9, 1), 200, 1.0, rate, LIMITS)
    assert found is not None and found.status == 429 and "1.1 s" in found.seen


def test_the_queue_is_bounded_though_nothing_was_measured_yet() -> None:
    found = refused(Load(9_990, 1, 0.0, 1), 11, 10.0, Rate(), LIMITS)
    assert found is not None and found.status == 429 and "10,000" in found.seen
    assert refused(Load(9_990, 1, 0.0, 1), 10, 10.0, Rate(), LIMITS) is None
