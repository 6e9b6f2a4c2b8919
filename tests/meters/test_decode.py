"""One answer per turn: what is asked, what is timed, and what is made of it."""

from itertools import count

import pytest

from lighten.core.meter import Workload
from lighten.meters import _generation, decode
from lighten.meters.decode import LEAST, MOST, Decode
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.sessions import RecordingSession

METER = Decode()
WORK = Workload(tuple(f"text {i} " + "word " * 100 for i in range(7)), ("row",))


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a tenth of a second, of CPU by two, whenever somebody looks at it."""
    wall, cpu = count(), count()
    monkeypatch.setattr(_generation, "perf_counter", lambda: next(wall) / 10)
    monkeypatch.setattr(decode, "perf_counter", lambda: next(wall) / 10)
    monkeypatch.setattr(_generation, "process_time", lambda: next(cpu) / 5)


def test_each_turn_continues_the_beginning_of_another_text() -> None:
    session = FakeLanguageSession()
    for number in (-1, 0, 1):
        METER.turn(TextGeneration().wrap(session), WORK, number)
    prompts = [bytes(prompt[1:]).decode() for (prompt,) in session.asked]
    assert [prompt[:6] for prompt in prompts] == ["text 4", "text 0", "text 5"]  # slice by slice
    assert all(prompt.endswith("word") and 120 < len(prompt) <= 128 for prompt in prompts)


def test_a_model_that_would_end_goes_on() -> None:
    session = FakeLanguageSession()
    session.table[:, session.END] = 1.0
    assert METER.turn(session, WORK, 0)["tokens"] == MOST - 1


def test_tokens_after_the_first_are_timed_until_time_is_up(ticking: None) -> None:
    turn = METER.turn(FakeLanguageSession(), WORK, 0)
    assert turn["first"] == pytest.approx(0.1)
    assert turn["tokens"] == 15 and turn["seconds"] == pytest.approx(1.5) and turn["cpu"] == pytest.approx(3.0)
    found = METER.reduce([turn])
    assert found["tpot"].value == pytest.approx(100.0) and found["decode"].value == pytest.approx(10.0)
    assert found["ttft"].value == pytest.approx(100.0) and found["decode_cpu"].value == pytest.approx(200.0)
    assert (found["tpot"].n, found["ttft"].n) == (15, 1)
    assert found["decode_bytes"].value == pytest.approx(10.0) and turn["held"] == 1.0  # its tokens are bytes


def test_models_of_two_vocabularies_are_compared_by_the_bytes_that_they_write() -> None:
    long = {"first": 0.1, "tokens": 10, "seconds": 1.0, "cpu": 2.0, "held": 4.0, "note": ""}
    short = {**long, "tokens": 20, "held": 2.0}  # twice the tokens, of half the text: no faster at all
    values = [METER.reduce([turn])["decode"].value for turn in (long, short)]
    assert values == [10.0, 20.0]
    compared = [METER.compare([turn]) for turn in (long, short)]
    assert compared[0] == compared[1]
    assert (compared[0]["decode"], compared[0]["tpot"], compared[0]["decode_cpu"]) == (40.0, 25.0, 50.0)
    assert compared[0]["ttft"] == pytest.approx(100.0)
    assert set(METER.compared) == {"tpot", "decode", "decode_cpu"}


def test_what_a_token_holds_is_counted_in_the_users_text_not_in_what_a_model_says() -> None:
    class Pairs(FakeLanguageSession):
        """Two bytes are a token when a text is read."""

        def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
            return super().encode(text, begin=begin)[::2]

    one, two = (METER.turn(session, WORK, 0) for session in (FakeLanguageSession(), Pairs()))
    assert one["held"] == 1.0 and two["held"] == 2.0


def test_a_slow_model_still_writes_the_least(ticking: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_generation, "SECONDS", 0.0)
    assert METER.turn(FakeLanguageSession(), WORK, 0)["tokens"] == LEAST - 1


def test_the_median_of_the_turns_counts() -> None:
    turns = [
        {"first": s / 8, "tokens": 10, "seconds": s, "cpu": 2 * s, "held": 3.0, "note": ""} for s in (1.0, 2.0, 4.0)
    ]
    found = METER.reduce(turns)
    assert {name: one.value for name, one in found.items()} == {
        "tpot": 200.0,
        "decode": 5.0,
        "decode_bytes": 15.0,
        "ttft": 250.0,
        "decode_cpu": 400.0,
    }
    assert found["tpot"].n == 30 and found["ttft"].n == 3 and found["tpot"].spread == 75.0


def test_a_short_context_is_not_overrun() -> None:
    session = FakeLanguageSession(context=64)
    assert METER.turn(session, WORK, 0)["tokens"] == MOST - 1
    assert len(session.asked[0][0]) == 64 - MOST


@pytest.mark.parametrize(
    ("session", "work", "why"),
    [
        (RecordingSession(), WORK, "no language model"),
        (FakeLanguageSession(), Workload((" ", ""), ("row",)), "no text"),
    ],
)
def test_what_cannot_be_measured_is_unknown(session: RecordingSession, work: Workload, why: str) -> None:
    for found in METER.reduce([METER.turn(session, work, n) for n in range(2)]).values():
        assert found.value is None and why in found.note


def test_a_model_of_a_single_token_has_a_first_token_but_no_speed() -> None:
    found = METER.reduce([METER.turn(FakeLanguageSession(context=2), WORK, 0)])
    assert found["ttft"].value is not None
    assert found["tpot"].value is None and "fewer than two tokens" in found["tpot"].note


def test_a_text_without_spaces_is_cut_between_characters() -> None:
    session = FakeLanguageSession()
    METER.turn(session, Workload(("好" * 200,), ("row",)), 0)
    assert bytes(session.asked[0][0][1:]).decode() == "好" * 42
