"""What parent and child say of prompts that come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lighten.core.errors import InputError
from lighten.core.language import Likely, Prompt, Sampling, Written
from lighten.isolate.writing import Desk, error_of, prompt_from, prompt_record, written_from, written_record
from lighten.testing.scribe import Scribe, ScribeSession


def test_prompts_and_what_is_written_survive_the_way() -> None:
    prompt = Prompt((1, 2), 3, Sampling(0.5, 0.9, 4, 1), False, ("a", "b"), 2, True, "{}")
    assert prompt_from(prompt_record(prompt)) == prompt
    for one in (
        Written(4, 7, "x"),
        Written(4, None, "", "end"),
        Written(4, 7, "x", "most", Likely(7, -0.5, b"\xff"), (Likely(8, None, b""),), True),
    ):
        again = written_from(written_record(one, 9))
        assert again == Written(9, one.token, one.text, one.ended, one.chosen, one.top, one.given)


def desk() -> tuple[Desk, ScribeSession, list[Mapping[str, Any]]]:
    session, told = ScribeSession(Scribe(cells=32)), list[Mapping[str, Any]]()
    return Desk(session, told.append), session, told


def test_it_tells_what_each_sequence_came_on_by_under_the_parents_numbers() -> None:
    made, _, told = desk()
    made.step()
    assert told == [] and not made.busy
    made.hear({"add": 70, "prompt": prompt_record(Prompt((97,), 2))})
    assert made.busy
    made.step()
    made.step()
    assert [[record[0], record[2]] for event in told for record in event["step"]] == [[70, "b"], [70, "c"]]
    assert not made.busy


def test_what_leaves_is_heard_of_no_more() -> None:
    made, _, told = desk()
    for number in (1, 2):
        made.hear({"add": number, "prompt": prompt_record(Prompt((97,), 9))})
    made.step()
    made.hear({"drop": 1})
    made.hear({"drop": 1})
    made.step()
    assert [[record[0] for record in event["step"]] for event in told] == [[1, 2], [2]]


def test_what_nobody_reads_token_by_token_is_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighten.isolate.writing.HELD_SECONDS", 1e9)
    made, _, told = desk()
    made.hear({"add": 1, "prompt": prompt_record(Prompt((97,), 4, live=False))})
    for _ in range(4):
        made.step()
    assert [[record[2] for record in event["step"]] for event in told] == [["b"], ["c", "d", "e"]]
    told.clear()
    made.hear({"add": 2, "prompt": prompt_record(Prompt((97,), 9, live=False))})
    made.step()
    made.step()
    made.hear({"add": 3, "prompt": prompt_record(Prompt((97,), 2))})
    made.step()  # who reads as it is written takes what is held for others along
    assert [[record[0] for record in event["step"]] for event in told] == [[2], [2, 2, 3]]
    monkeypatch.setattr("lighten.isolate.writing.HELD_SECONDS", 0.0)
    made.step()
    made.step()
    assert [[record[0] for record in event["step"]] for event in told[2:]] == [[2, 3], [2]]


def test_texts_are_read_and_tokens_spelled() -> None:
    made, session, told = desk()
    made.hear({"read": 5, "text": "ab", "begin": True, "special": False})
    made.hear({"spell": 6, "tokens": [97, 256, 0xC3, 0xA9]})
    assert told == [{"read": 5, "tokens": session.encode("ab")}, {"spelled": 6, "text": "aé"}]


def test_what_cannot_be_done_is_told_of_that_one_alone() -> None:
    made, _, told = desk()
    made.hear({"add": 1, "prompt": prompt_record(Prompt((97,), 9))})
    made.hear({"add": 2, "prompt": prompt_record(Prompt((97,) * 99, 9))})
    made.hear({"spell": 3, "tokens": ["x"]})
    assert [event["failed"] for event in told] == [2, 3]
    assert isinstance(error_of(told[0]["error"]), InputError) and "99 tokens" in error_of(told[0]["error"]).seen
    made.step()
    assert told[-1]["step"][0][0] == 1


def test_leaving_drops_what_is_left() -> None:
    made, session, _ = desk()
    with made:
        made.hear({"add": 1, "prompt": prompt_record(Prompt((97,), 9))})
    assert session.step() == []
