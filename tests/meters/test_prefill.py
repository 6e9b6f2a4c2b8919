"""One long prompt per turn, made of the workload's texts."""

import pytest

from lighten.core.meter import Workload
from lighten.meters._generation import LONG_PROMPT_BYTES
from lighten.meters.prefill import Prefill
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.sessions import RecordingSession

METER = Prefill()


def prompt_of(work: Workload, number: int = 0, context: int = 4096) -> list[int]:
    session = FakeLanguageSession(context=context)
    turn = METER.turn(TextGeneration().wrap(session), work, number)
    ((prompt,),) = session.asked
    assert turn["tokens"] == len(prompt) and turn["bytes"] == len(prompt) - 1 and turn["seconds"] > 0.0
    return prompt


def test_every_model_reads_the_same_2000_bytes() -> None:
    work = Workload(("first " * 40, " ", "second " * 60), ("row",))
    prompt = prompt_of(work)
    text = bytes(prompt[1:]).decode()
    assert len(text) == LONG_PROMPT_BYTES and prompt.count(FakeLanguageSession.BEGIN) == 1
    assert text.startswith("first first") and "\n\nsecond" in text
    assert bytes(prompt_of(work, 1)[1:7]) == b"second"


def test_few_texts_repeat_and_a_long_one_is_cut_between_characters() -> None:
    assert len(prompt_of(Workload(("ab",), ("row",)))) == 1 + LONG_PROMPT_BYTES
    assert len(prompt_of(Workload(("ab" * 2000,), ("row",)), -1)) == 1 + LONG_PROMPT_BYTES
    assert bytes(prompt_of(Workload(("好" * 2000,), ("row",)))[1:]).decode() == "好" * 666


def test_a_short_context_leaves_room_for_the_answer_and_only_what_was_read_counts() -> None:
    assert len(prompt_of(Workload(("word " * 99,), ("row",)), context=100)) == 98


def test_the_median_of_the_turns_counts_and_bytes_are_compared() -> None:
    turns = [{"tokens": 500, "bytes": 2000, "seconds": s, "note": ""} for s in (1.0, 2.0, 5.0)]
    found = METER.reduce(turns)
    assert (found["prefill"].value, found["prefill"].n, found["prefill_bytes"].value) == (250.0, 1500, 1000.0)
    assert METER.compare(turns) == {"prefill": 1000.0, "prefill_bytes": 1000.0}
    assert METER.compared == {"prefill": "bytes/s"}


@pytest.mark.parametrize(
    ("session", "texts", "why"),
    [(RecordingSession(), ("a",), "no language model"), (FakeLanguageSession(), (" ",), "no text")],
)
def test_what_cannot_be_measured_is_unknown(session: RecordingSession, texts: tuple[str, ...], why: str) -> None:
    found = METER.reduce([METER.turn(session, Workload(texts, ("row",)), 0)])["prefill"]
    assert found.value is None and why in found.note
