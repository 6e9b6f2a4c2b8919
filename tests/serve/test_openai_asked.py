"""Bodies of OpenAI's protocol: what they ask for is understood whole, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.serve.limits import Limits
from lighten.serve.openai_asked import ANY_OBJECT, MOST_SEED, Unfit, completion_asked, talk_asked

LIMITS = Limits(inputs=3, answers=4, stops=2, messages=2)
SAY = [{"role": "user", "content": "hi"}]


def test_what_is_not_said_is_as_openai_has_it() -> None:
    asked = completion_asked({"model": "m", "prompt": "x"}, LIMITS)
    assert (asked.prompts, asked.most, asked.count, asked.until, asked.likely) == (("x",), None, 1, (), None)
    assert (asked.sampling.temperature, asked.sampling.top_p, asked.stream, asked.echo) == (1.0, 1.0, False, False)
    again = completion_asked({"model": "m", "prompt": "x"}, LIMITS)
    assert 0 <= asked.sampling.seed <= MOST_SEED and asked.sampling.seed != again.sampling.seed
    assert not asked.sampling.repeatable
    talk = talk_asked({"model": "m", "messages": SAY, "logprobs": None}, LIMITS)
    assert talk.messages == ({"role": "user", "content": "hi"},) and talk.likely is None and talk.schema == ""


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("x", ("x",)),
        (["x", "y"], ("x", "y")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
        (["x", [3]], ("x", (3,))),
    ],
)
def test_prompts_are_texts_or_tokens(prompt: Any, found: Any) -> None:
    assert completion_asked({"model": "m", "prompt": prompt}, LIMITS).prompts == found


def test_everything_that_can_be_asked() -> None:
    body = {
        "model": "m", "prompt": "x", "max_tokens": 0, "echo": True, "logprobs": 2, "n": 2, "best_of": 2, "seed": -1.0,
        "temperature": 0, "top_p": 0.5, "stop": ["a", "b"], "stream": True, "stream_options": {"include_usage": True},
        "suffix": None, "user": "me", "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {},
    }  # fmt: skip
    asked = completion_asked(body, LIMITS)
    assert (asked.most, asked.echo, asked.likely, asked.count) == (0, True, 2, 2)
    assert (
        asked.sampling.seed == MOST_SEED
        and asked.sampling.repeatable
        and asked.until == ("a", "b")
        and asked.stream
        and asked.usage
    )
    talk = talk_asked(
        {
            "model": "m", "max_completion_tokens": 5, "max_tokens": 5, "logprobs": True, "top_logprobs": 20,
            "tools": [],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            "messages": [
                {"role": "developer", "content": "be brief", "name": None},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ],
        },
        LIMITS,
    )  # fmt: skip
    assert (talk.most, talk.likely, talk.schema) == (5, 20, '{"type": "object"}')
    assert talk.messages == ({"role": "system", "content": "be brief"}, {"role": "user", "content": "ab"})
    plain = {"model": "m", "messages": SAY}
    assert talk_asked({**plain, "response_format": {"type": "json_object"}}, LIMITS).schema == ANY_OBJECT
    assert talk_asked({**plain, "response_format": {"type": "text"}}, LIMITS).schema == ""
    assert talk_asked({**plain, "logprobs": True}, LIMITS).likely == 0


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, "x"]}, "prompt"),
        ({"prompt": [True]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": {"a": 1}}, "prompt"),
        ({"prompt": ["a", "b", "c", "d"]}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_tokens": 1 << 40}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": 10**400}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 5}, "n"),
        ({"best_of": 2}, "best_of"),
        ({"seed": 0.5}, "seed"),
        ({"seed": 1e300}, "seed"),
        ({"seed": 1 << 64}, "seed"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"stop": ["a", "b", "c"]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"other": 1}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"frequency_penalty": True}, "frequency_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"suffix": "x"}, "suffix"),
        ({"top_k": 5}, "top_k"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "json_object"}, "stop": "x"}, "stop"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(Unfit) as refusal:
        completion_asked({"model": "m", "prompt": "x", **more}, LIMITS)
    assert refusal.value.param == param and refusal.value.status == 400 and refusal.value.seen


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": SAY * 3}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "\udfff"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x", "name": "me"}]}, "messages[0].name"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"echo": True}, "echo"),
        ({"prompt": "x"}, "prompt"),
    ],
)
def test_what_cannot_be_done_in_a_conversation_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(Unfit) as refusal:
        talk_asked({"model": "m", "messages": SAY, **more}, LIMITS)
    assert refusal.value.param == param and refusal.value.status == 400


@pytest.mark.parametrize("body", [[], "x", None, 3])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(Unfit, match="The body is"):
        completion_asked(body, LIMITS)
