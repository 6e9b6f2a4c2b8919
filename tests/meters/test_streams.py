"""Several answers at once: how many are asked, and which stretch of time counts."""

from itertools import count

import pytest

from lighten.core.meter import Workload
from lighten.meters import _generation
from lighten.meters.streams import LEAST, MOST, Streams
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.sessions import RecordingSession

METER = Streams()
WORK = Workload(tuple(f"text {i}" for i in range(20)), ("row",))


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a millisecond with each token."""
    wall = count()
    monkeypatch.setattr(_generation, "perf_counter", lambda: next(wall) / 1000)


def test_four_and_sixteen_different_prompts_at_once() -> None:
    session = FakeLanguageSession(streams=16)
    METER.turn(session, WORK, 0)
    METER.turn(session, WORK, 1)
    assert [len(prompts) for prompts in session.asked] == [4, 16, 4, 16]
    assert all(len({tuple(prompt) for prompt in prompts}) == len(prompts) for prompts in session.asked)
    assert session.asked[0] != session.asked[2]


def test_the_clock_runs_while_all_streams_run(ticking: None) -> None:
    turn = METER.turn(FakeLanguageSession(streams=16), WORK, 0)
    for name, streams in (("decode4", 4), ("decode16", 16)):
        assert turn[name]["tokens"] == streams * (MOST - 1)
        assert turn[name]["seconds"] == pytest.approx(streams * (MOST - 1) / 1000)
    assert METER.reduce([turn])["decode16"].value == pytest.approx(1000.0)


def test_a_session_of_four_streams_is_as_fast_as_those_and_the_rest_is_ended_at_once(ticking: None) -> None:
    session = FakeLanguageSession(streams=4)
    turn = METER.turn(session, WORK, 0)
    assert turn["decode16"]["tokens"] == 4 * (MOST - 1)
    assert turn["decode16"]["seconds"] == pytest.approx(4 * (MOST - 1) / 1000)


def test_streams_that_begin_one_after_another_count_once_all_have_begun() -> None:
    wave = _generation.Wave(most=5, least=1)
    for number in (0, 0, 1, 0, 1, 2):
        assert not wave(number, 7)
    assert wave.tokens == 0  # the third has just begun
    assert not wave(1, 7) and not wave(0, 7)
    assert wave.tokens == 2
    assert wave(0, 7)  # the fifth token of the first
    assert not wave(2, 7) and wave.tokens == 4
    assert wave(3, 7) and wave(2, 7) and wave.tokens == 4  # begun too late; the wave is over


def test_slow_streams_end_with_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_generation, "SECONDS", 0.0)
    turn = METER.turn(FakeLanguageSession(streams=16), WORK, 0)
    assert turn["decode16"]["tokens"] == 16 * (LEAST - 1)


def test_the_median_of_the_turns_counts() -> None:
    parts = [{"tokens": 12, "seconds": seconds, "cpu": 1.0} for seconds in (1.0, 2.0, 3.0)]
    turns = [{"decode4": part, "decode16": parts[0], "held": 2.5, "note": ""} for part in parts]
    found = METER.reduce(turns)
    assert (found["decode4_bytes"].value, found["decode16_bytes"].value) == (15.0, 30.0)
    assert METER.compare(turns)["decode16"] == 30.0 and METER.compared == dict.fromkeys(METER.watched, "bytes/s")
    assert (found["decode4"].value, found["decode4"].n) == (6.0, 36)
    assert (found["decode16"].value, found["decode16"].spread) == (12.0, 0.0)


@pytest.mark.parametrize(
    ("session", "work", "why"),
    [
        (RecordingSession(), WORK, "no language model"),
        (FakeLanguageSession(), Workload((" ",), ("row",)), "no text"),
        (FakeLanguageSession(context=2), WORK, "fewer than two tokens"),
    ],
)
def test_what_cannot_be_measured_is_unknown(session: RecordingSession, work: Workload, why: str) -> None:
    for found in METER.reduce([METER.turn(session, work, 0)]).values():
        assert found.value is None and why in found.note
