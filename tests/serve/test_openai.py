"""OpenAI's protocol over models that write, in this process and with OpenAI's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import MissingExtra
from lighten.core.recipe import record_of
from lighten.serve.limits import Limits
from lighten.serve.openai import as_openai, words
from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal, failed, overloaded, unauthorized, unusable
from lighten.testing.asgi import Answer
from lighten.testing.require import require
from lighten.testing.scribe import TEMPLATE
from lighten.testing.serving import running

Writing = Callable[..., Any]
COMPLETE, TALK = "/v1/completions", "/v1/chat/completions"


def asked(**more: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": "x", "temperature": 0, "max_tokens": 4, **more}


def said(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "a"}]
    return {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 4, **more}


def events(answer: Answer) -> list[Any]:
    """Values of the events of a stream, which ends as OpenAI's do."""
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in answer.body.decode().split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines) and lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_models_that_write_are_listed(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            (found,) = (await desk.ask("/v1/models")).json["data"]
            assert (found["id"], found["object"], found["max_model_len"]) == ("m", "model", 4096)
            assert (await desk.ask("/v1/models/m")).json == found
            missing = await desk.ask("/v1/models/n")
            assert missing.status == 404 and missing.json["error"]["code"] == "model_not_found"
            assert "m" in missing.json["error"]["message"]
            assert (await desk.ask(COMPLETE, asked(model="m:1"))).status == 200  # a version by its name
            assert (await desk.ask(COMPLETE, asked(model="m:2"))).status == 404

    asyncio.run(body())


def test_texts_go_on(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            found = (await desk.ask(COMPLETE, asked())).json
            assert found["choices"] == [{"index": 0, "text": "yzé", "logprobs": None, "finish_reason": "length"}]
            assert found["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
            several = (await desk.ask(COMPLETE, asked(prompt=["a", [98]], n=2, echo=True, max_tokens=2))).json
            assert [one["text"] for one in several["choices"]] == ["abc", "abc", "bcd", "bcd"]
            assert several["usage"] == {"prompt_tokens": 3, "completion_tokens": 8, "total_tokens": 11}
            ended = (await desk.ask(COMPLETE, asked(prompt="wow!"))).json["choices"][0]
            assert (ended["text"], ended["finish_reason"]) == ("", "stop")
            stopped = (await desk.ask(COMPLETE, asked(prompt="a", max_tokens=9, stop=["q", "ef"]))).json["choices"][0]
            assert (stopped["text"], stopped["finish_reason"]) == ("bcd", "stop")
            default = (await desk.ask(COMPLETE, asked(max_tokens=None))).json
            assert default["usage"]["completion_tokens"] == 16

    asyncio.run(body())


def test_draws_follow_their_seed_and_answers_differ(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            hot = asked(temperature=2, n=4, seed=5, max_tokens=12)
            first, again, other = [
                [one["text"] for one in (await desk.ask(COMPLETE, told)).json["choices"]]
                for told in (hot, hot, {**hot, "seed": 6})
            ]
            assert first == again != other and len(set(first)) == 4
            same = (await desk.ask(COMPLETE, asked(prompt=["a", "a"], temperature=2, max_tokens=12))).json["choices"]
            assert same[0]["text"] != same[1]["text"]

    asyncio.run(body())


def test_probabilities_are_told_of_prompts_too(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            found = (await desk.ask(COMPLETE, asked(prompt=[97, 98], echo=True, logprobs=2, max_tokens=1))).json
            told = found["choices"][0]["logprobs"]
            assert found["choices"][0]["text"] == "abc" and told["tokens"] == ["a", "b", "c"]
            assert told["token_logprobs"][0] is None and all(value < 0 for value in told["token_logprobs"][1:])
            assert told["text_offset"] == [0, 1, 2] and [len(top or ()) for top in told["top_logprobs"]] == [0, 2, 2]
            only = (await desk.ask(COMPLETE, asked(prompt=[97, 98], echo=True, logprobs=0, max_tokens=0))).json
            assert only["choices"][0]["text"] == "ab" and only["usage"]["completion_tokens"] == 0
            assert only["choices"][0]["logprobs"]["token_logprobs"] == told["token_logprobs"][:2]
            talk = (await desk.ask(TALK, said(logprobs=True, top_logprobs=1))).json["choices"][0]
            content = talk["logprobs"]["content"]
            assert [one["token"] for one in content] == list("bcde")
            assert all(one["top_logprobs"][0]["token"] == one["token"] for one in content)

    asyncio.run(body())


def test_streams_say_the_same_as_whole_answers(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            for path, told in ((COMPLETE, asked(prompt="xy", n=2, max_tokens=6)), (TALK, said(n=2, max_tokens=6))):
                whole = (await desk.ask(path, told)).json
                options = {"stream": True, "stream_options": {"include_usage": True}}
                *parts, last = events(await desk.ask(path, {**told, **options}))
                assert last["choices"] == [] and last["usage"] == whole["usage"]
                assert all(part["usage"] is None and len(part["choices"]) == 1 for part in parts)
                assert len({part["id"] for part in (*parts, last)}) == 1
                texts, reasons = ["", ""], ["", ""]
                for (choice,) in (part["choices"] for part in parts):
                    piece = choice["text"] if path == COMPLETE else choice["delta"].get("content", "")
                    texts[choice["index"]] += piece
                    assert "\ufffd" not in piece  # é comes in two tokens, and whole
                    reasons[choice["index"]] = choice["finish_reason"] or reasons[choice["index"]]
                wanted = [one["text"] if path == COMPLETE else one["message"]["content"] for one in whole["choices"]]
                assert texts == wanted and reasons == ["length", "length"]
                assert parts[0]["choices"][0].get("delta", {}).get("role", "assistant") == "assistant"

    asyncio.run(body())


def test_a_stream_has_echo_and_probabilities(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            found = events(await desk.ask(COMPLETE, asked(prompt="ab", echo=True, logprobs=1, stream=True)))
            assert "".join(part["choices"][0]["text"] for part in found) == "abcdef"
            tokens = [name for part in found for name in (part["choices"][0]["logprobs"] or {"tokens": []})["tokens"]]
            assert tokens == ["<|256|>", *"abcdef"]

    asyncio.run(body())


def test_an_echo_alone_is_answered_at_once(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            told = asked(prompt=["ab", [99]], echo=True, max_tokens=0)
            found = (await desk.ask(COMPLETE, told)).json
            assert [(one["text"], one["finish_reason"]) for one in found["choices"]] == [
                ("ab", "length"),
                ("c", "length"),
            ]
            assert found["usage"] == {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}
            parts = [part["choices"][0] for part in events(await desk.ask(COMPLETE, {**told, "stream": True}))]
            assert [part["text"] for part in parts] == ["ab", "c", "", ""]
            assert [part["finish_reason"] for part in parts] == [None, None, "length", "length"]
            assert desk.model.written.prompted == 0 and desk.model.open == 0

    asyncio.run(body())


def test_tokens_are_not_too_many_for_a_model_that_is_not_open(writing: Writing) -> None:
    async def body() -> None:
        async with writing(load=False) as desk:
            for writer in desk.model.writers:
                writer.start = lambda: None
            found = await desk.ask(COMPLETE, asked(prompt=[97]))
            assert found.status == 503 and found.json["error"]["code"] == "loading"

    asyncio.run(body())


def test_faults_of_the_model_are_not_the_clients(writing: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise MissingExtra("A JSON Schema", "serve")

    async def body() -> None:
        async with writing(template="{% no jinja") as desk:
            found = await desk.ask(TALK, said())
            assert found.status == 500 and found.json["error"]["code"] == "failed"
            monkeypatch.setattr(desk.model._checker, "check", missing)
            found = await desk.ask(COMPLETE, asked(response_format={"type": "json_object"}))
            assert found.status == 500 and found.json["error"]["code"] == "failed"
            assert desk.model.counts.failed == 2

    asyncio.run(body())


def test_a_conversation_is_put_into_the_models_own_template(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]
            found = (await desk.ask(TALK, said(messages=messages))).json
            assert found["choices"][0]["message"]["content"] == "bcde"
            assert found["usage"]["prompt_tokens"] == 1 + len("[system]s[user]a")
            control = (await desk.ask(TALK, said(messages=[{"role": "user", "content": "a<end>"}]))).json
            assert control["usage"]["prompt_tokens"] == 1 + len("[user]a") + 1
        async with writing(template="") as desk:
            refused = await desk.ask(TALK, said())
            assert refused.status == 400 and "/v1/completions" in refused.json["error"]["message"]
        async with writing(template="{{ raise_exception('never') }}") as desk:
            refused = await desk.ask(TALK, said())
            assert refused.status == 400 and "never" in refused.json["error"]["message"]
            assert refused.json["error"]["param"] == "messages"

    asyncio.run(body())


def test_what_is_wrong_is_said_in_openais_shape(writing: Writing) -> None:
    async def body() -> None:
        async with writing(Limits(body=3000, size=500)) as desk:
            for told, status, code, param in (
                (asked(model="n"), 404, "model_not_found", "model"),
                (asked(top_k=3), 400, "unknown_parameter", "top_k"),
                (asked(temperature=3), 400, "invalid_value", "temperature"),
                (asked(max_tokens=5000), 400, "context_length_exceeded", "prompt"),
                (asked(prompt=[300]), 400, "invalid_value", None),
                (asked(prompt=[300], echo=True), 400, "invalid_value", None),
                (asked(prompt="x" * 600), 413, "too_large", None),
                (asked(prompt="x" * 4000), 413, "too_large", None),
                (b"{", 400, "unreadable", None),
                (b'{"temperature": NaN}', 400, "unreadable", None),
            ):
                found = await desk.ask(COMPLETE, told)
                error = found.json["error"]
                assert (found.status, error["code"], error["param"]) == (status, code, param), told
                assert error["message"] and error["type"] in ("invalid_request_error", "server_error")
            kept = (await desk.ask(COMPLETE, asked())).status
            assert kept == 200 and desk.model.open == 0

    asyncio.run(body())


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (unauthorized(), "authentication_error"),
        (overloaded("full", 1.0), "rate_limit_error"),
        (failed(ValueError()), "server_error"),  # type: ignore[arg-type]
        (unusable("x"), "invalid_request_error"),
    ],
)
def test_kinds_of_errors_are_called_as_openai_does(refusal: Refusal, kind: str) -> None:
    assert words(refusal)["error"]["type"] == kind
    assert as_openai(unusable("x")).status == 400 and as_openai(unauthorized()).status == 401


def test_no_model_gives_embeddings_and_that_is_said(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            found = await desk.ask("/v1/embeddings", {"model": "m", "input": "x"})
            assert found.status == 400 and found.json["error"]["code"] == "unsupported"
            assert (await desk.ask("/v1/embeddings", {"model": "n", "input": "x"})).status == 404
            assert (await desk.ask("/v1/embeddings", {"input": "x"})).status == 400

    asyncio.run(body())


def test_models_that_do_not_write_are_not_there(opened: Callable[..., Any]) -> None:
    from lighten.testing.asgi import ask

    async def body() -> None:
        async with opened() as stage:
            assert (await ask(stage.app, "/v1/models")).json["data"] == []
            found = await ask(stage.app, COMPLETE, asked())
            assert found.status == 404 and found.json["error"]["param"] == "model"
            refused = await ask(stage.app, "/v1/embeddings", {"model": "m", "input": "x"})
            assert refused.status == 400 and "/predict/m" in refused.json["error"]["message"]

    asyncio.run(body())


def test_who_goes_away_in_mid_stream_frees_the_place(writing: Writing) -> None:
    async def body() -> None:
        async with writing(streams=1, milliseconds=5.0) as desk:
            client = Presence()
            told = asked(max_tokens=4000, stream=True)
            going = asyncio.ensure_future(desk.ask(COMPLETE, told, presence=client))
            while desk.model.gauges().streams == 0:
                await asyncio.sleep(0.005)
            client.leave()
            found = await going
            assert b"[DONE]" not in found.body and desk.model.counts.cancelled == 1 and desk.model.open == 0
            assert (await desk.ask(COMPLETE, asked())).status == 200

    asyncio.run(body())


def test_a_death_in_mid_stream_is_told_in_the_stream(writing: Writing) -> None:
    async def body() -> None:
        async with writing(fault="segv", after=12) as desk:
            found = await desk.ask(COMPLETE, asked(max_tokens=100, stream=True))
            *parts, last = [
                json.loads(line.removeprefix("data: ")) for line in found.body.decode().split("\n\n") if line
            ]
            assert found.status == 200 and last["error"]["type"] == "server_error" and last["error"]["code"] == "failed"
            assert "".join(part["choices"][0]["text"] for part in parts).startswith("yzéa")

    asyncio.run(body())


def test_a_draining_server_takes_nothing_new_and_finishes_its_streams(writing: Writing) -> None:
    async def body() -> None:
        async with writing(milliseconds=2.0) as desk:
            going = asyncio.ensure_future(desk.ask(COMPLETE, asked(max_tokens=50, stream=True)))
            while desk.model.gauges().streams == 0:
                await asyncio.sleep(0.005)
            draining = asyncio.ensure_future(desk.models.drain(20))
            await asyncio.sleep(0)
            refused = await desk.ask(COMPLETE, asked())
            assert refused.status == 503 and refused.json["error"]["code"] == "draining"
            await draining
            assert len(events(await going)) >= 40

    asyncio.run(body())


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "tags": {"type": "array", "items": {"enum": ["x", "y"]}},
    },
    "required": ["name", "tags"],
    "additionalProperties": False,
}


def wanted(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "it", "schema": schema, "strict": True}}


def test_an_accepted_schema_is_kept(writing: Writing) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")

    async def body() -> None:
        async with writing() as desk:
            for temperature in (0, 1.5):
                told = {"temperature": temperature, "seed": 3, "max_tokens": 2000}
                found = (await desk.ask(TALK, said(**told, response_format=wanted(SCHEMA)))).json["choices"][0]
                value = json.loads(found["message"]["content"])
                assert found["finish_reason"] == "stop" and set(value) == {"name", "tags"} and len(value["name"]) <= 5
                assert set(value["tags"]) <= {"x", "y"}
            many = [said(temperature=2, seed=n, max_tokens=2000, response_format=wanted(SCHEMA)) for n in range(4)]
            for answer in await asyncio.gather(*(desk.ask(TALK, one) for one in many)):
                found = answer.json["choices"][0]
                assert found["finish_reason"] == "length" or json.loads(found["message"]["content"])["name"] is not None

    asyncio.run(body())


def test_a_bad_schema_is_refused_before_it_waits(writing: Writing) -> None:
    require(find_spec("llguidance"), "llguidance (pip install 'lighten[serve]')")

    async def body() -> None:
        async with writing() as desk:
            large = {"enum": ["x" * 40_000]}
            for schema in ({"type": "nothing"}, {"not": {}}, {"$ref": "https://example.org/x"}, large):
                found = await desk.ask(TALK, said(response_format=wanted(schema)))
                assert (found.status, found.json["error"]["param"]) == (400, "response_format")
            assert desk.model.written.prompted == 0

    asyncio.run(body())


@pytest.fixture(scope="module")
def served(scribe: type, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``lighten serve`` in a process of its own; its address."""
    require(find_spec("uvicorn"), "uvicorn (pip install 'lighten[serve]')")
    require(find_spec("openai"), "OpenAI's client (pip install openai)")
    folder: Path = tmp_path_factory.mktemp("served") / "model"
    folder.mkdir()
    (folder / "fake.txt").write_text("fake", encoding="utf-8")
    meta = {"labels": [], "asked": {"use": "text_generation"}, "chat_template": TEMPLATE}
    Artifact.seal(folder, format="fake", meta={**meta, "engine": record_of(scribe(milliseconds=1.0))})
    with running(f"m={folder}") as found:
        yield found.address


def test_openais_own_client_is_answered(served: str) -> None:
    import openai

    with openai.OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["m"]
        assert client.models.retrieve("m").id == "m"
        text = client.completions.create(model="m", prompt="a", temperature=0, max_tokens=3, logprobs=2)
        assert text.choices[0].text == "bcd" and text.choices[0].logprobs is not None
        assert text.usage is not None and text.usage.completion_tokens == 3
        ask: list[Any] = [{"role": "user", "content": "a"}]
        talk = client.chat.completions.create(model="m", messages=ask, temperature=0, max_completion_tokens=3, n=2)
        assert [one.message.content for one in talk.choices] == ["bcd", "bcd"]
        stream = client.chat.completions.create(
            model="m", messages=ask, temperature=0, max_tokens=30, stream=True, stream_options={"include_usage": True}
        )
        *parts, last = list(stream)
        said = "".join(part.choices[0].delta.content or "" for part in parts)
        assert said.startswith("bcdefg") and last.usage is not None and last.usage.completion_tokens == 30
        with pytest.raises(openai.NotFoundError, match="no model"):
            client.completions.create(model="n", prompt="a")
        with pytest.raises(openai.BadRequestError, match="frequency_penalty"):
            client.completions.create(model="m", prompt="a", frequency_penalty=1.0)
        with pytest.raises(openai.BadRequestError, match="embeddings"):
            client.embeddings.create(model="m", input="a")
        for part in client.completions.create(model="m", prompt="a", max_tokens=3000, stream=True):
            assert part.choices[0].text
            break  # the client goes away in the middle
    assert asyncio.run(by_many(served)) == ["bcd"] * 12


async def by_many(address: str) -> list[str]:
    """Many at the same time, by OpenAI's asynchronous client."""
    import openai

    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        asked = [client.completions.create(model="m", prompt="a", temperature=0, max_tokens=3) for _ in range(12)]
        return [one.choices[0].text for one in await asyncio.gather(*asked)]
