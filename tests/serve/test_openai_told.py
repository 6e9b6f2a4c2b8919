"""Answers have the shapes of OpenAI's protocol, whole and in chunks."""

from __future__ import annotations

from lighten.core.language import Likely, Written
from lighten.serve.openai_told import Choice, Completed, Talked, shown

A, HALF, CONTROL = Likely(97, -0.5, b"a"), Likely(195, -1.0, b"\xc3"), Likely(256, None, b"")
ONE = Written(1, 97, "a", "", A, (A, HALF))


def test_tokens_are_shown_even_where_they_are_no_text() -> None:
    assert [shown(one) for one in (A, HALF, CONTROL)] == ["a", "bytes:\\xc3", "<|256|>"]


def test_a_choice_gathers_what_came() -> None:
    choice = Choice(0, "echo ")
    for one in (Written(1, 97, "", "", A, (), True), ONE, Written(1, None, "!", "end")):
        choice.take(one)
    assert (choice.text, choice.tokens, choice.reason, len(choice.likely)) == ("echo a!", 1, "stop", 2)
    for ended, reason in (("stop", "stop"), ("most", "length"), ("full", "length")):
        choice.take(Written(1, None, "", ended))
        assert choice.reason == reason


def test_completions_have_their_tokens_beside_the_text() -> None:
    told = Completed("m", 3, likely=True, mark="x")
    choice = Choice(0)
    for one in (Written(1, 256, "", "", CONTROL, (), True), ONE, ONE, Written(1, None, "", "most")):
        choice.take(one)
    whole = told.whole([choice])
    assert whole["object"] == "text_completion" and whole["id"].startswith("cmpl-") and whole["model"] == "m"
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    (found,) = whole["choices"]
    assert (found["text"], found["finish_reason"]) == ("aa", "length")
    assert found["logprobs"] == {
        "tokens": ["<|256|>", "a", "a"],
        "token_logprobs": [None, -0.5, -0.5],
        "top_logprobs": [None, {"bytes:\\xc3": -1.0, "a": -0.5}, {"bytes:\\xc3": -1.0, "a": -0.5}],
        "text_offset": [0, 0, 1],
    }
    assert Completed("m", 1, likely=False, mark="x").whole([choice])["choices"][0]["logprobs"] is None


def test_offsets_go_on_from_chunk_to_chunk() -> None:
    told = Completed("m", 1, likely=True, mark="x")
    offsets = [told.delta(0, "a", [ONE], "")["logprobs"]["text_offset"] for _ in range(3)]
    assert offsets == [[0], [1], [2]]


def test_offsets_count_whole_characters() -> None:
    told = Completed("m", 1, likely=True, mark="x")
    tokens = [Written(1, byte, "", "", Likely(byte, -0.5, bytes([byte]))) for byte in "a🎬b".encode()]
    assert told.delta(0, "a🎬b", tokens, "")["logprobs"]["text_offset"] == [0, 1, 1, 1, 1, 2]


def test_the_chosen_token_is_among_the_likely_ones() -> None:
    drawn = Written(1, 97, "a", "", A, (Likely(98, -0.1, b"b"),))
    found = Completed("m", 1, likely=True, mark="x").delta(0, "a", [drawn], "")["logprobs"]
    assert found["top_logprobs"] == [{"b": -0.1, "a": -0.5}]


def test_a_conversation_is_answered_by_messages_and_deltas() -> None:
    told = Talked("m", 3, likely=True, mark="x")
    choice = Choice(0)
    choice.take(ONE)
    choice.take(Written(1, None, "", "end"))
    (found,) = told.whole([choice])["choices"]
    assert found["message"] == {"role": "assistant", "content": "a", "refusal": None}
    (token,) = found["logprobs"]["content"]
    assert (token["token"], token["bytes"], token["logprob"]) == ("a", [97], -0.5)
    assert [one["bytes"] for one in token["top_logprobs"]] == [[97], [0xC3]]
    assert told.begun(0)[0]["delta"] == {"role": "assistant", "content": ""}
    assert told.delta(0, "b", [], "")["delta"] == {"content": "b"} and told.delta(0, "", [], "stop")["delta"] == {}
    part = told.part([told.delta(0, "b", [], "")], counted=True)
    assert part["object"] == "chat.completion.chunk" and part["usage"] is None
    assert "usage" not in told.part([], counted=False)
    last = told.counted([choice])
    assert last["choices"] == [] and last["usage"]["total_tokens"] == 4 and last["id"] == part["id"]
