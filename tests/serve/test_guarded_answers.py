"""What a model writes, past its guards, as clients of OpenAI's protocol see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lighten.core.guard import Guard, TextGuard
from lighten.core.prediction import Prediction
from lighten.guards.classifier import Classifier
from lighten.guards.words import Words
from lighten.serve.cases import VersionAnswer
from lighten.serve.chain import Chain
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.refusals import overloaded
from lighten.serve.rules import Rule

Writing = Callable[..., Any]
COMPLETE, TALK = "/v1/completions", "/v1/chat/completions"


class Kept:
    """Keeps cases as they come: kind, input, answers."""

    def __init__(self) -> None:
        self.cases: list[tuple[str, Any, list[str]]] = []

    def add(self, model: str, kind: str, input: Any, answers: Sequence[VersionAnswer] = (), note: str = "") -> None:
        self.cases.append((kind, input, [one.answer for one in answers]))


def words(action: str, *entries: str, on: str = "output") -> Words:
    return Words(action=action, on=(on,), words=entries, where="anywhere")


def guard(desk: Any, *guards: Guard, **ask: Any) -> Kept:
    """Put guards before a model; it writes the letters in their order: ``bcdef`` after ``a``."""
    kept = Kept()
    rules = [
        Rule(f"{n}", one, "", one.finder(Path()) if isinstance(one, TextGuard) else None)
        for n, one in enumerate(guards)
    ]
    desk.model.guards = Chain("m", "1", rules, ask=ask, cases=kept)
    return kept


def asked(**more: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": "a", "temperature": 0, "max_tokens": 8, **more}


def streamed(answer: Any) -> tuple[str, Any]:
    """The text of a stream, and its error; None where it has none."""
    assert answer.status == 200
    lines = [line.removeprefix("data: ") for line in answer.body.decode().split("\n\n") if line]
    values = [json.loads(line) for line in lines if line != "[DONE]"]
    text = "".join(one["choices"][0].get("text", "") for one in values if one.get("choices"))
    error = next((one["error"] for one in values if "error" in one), None)
    assert (lines[-1] == "[DONE]") is (error is None)
    return text, error


def test_a_stream_ends_before_what_is_stopped_and_a_whole_answer_is_refused(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            kept = guard(desk, words("refuse", "efg"))
            text, error = streamed(await desk.ask(COMPLETE, asked(stream=True)))
            assert text == "bcd" and error["code"] == "guarded_output" and "efg" not in error["message"]
            whole = await desk.ask(COMPLETE, asked())
            assert whole.status == 403 and whole.json["error"]["code"] == "guarded_output"
            assert b"bcd" not in whole.body
            assert [one[:2] for one in kept.cases] == [("guard", "a")] * 2
            assert all(answers[0].startswith("bcdefg") for _, _, answers in kept.cases)
            model = desk.model
            assert model.guards.counts == {("0", "refuse"): 2} and model.counts.refused["guarded_output"] == 2
            assert model.open == 0 and model.counts.answered == 0
            assert (await desk.ask(COMPLETE, asked(max_tokens=2))).json["choices"][0]["text"] == "bc"

    asyncio.run(body())


def test_text_is_replaced_before_it_leaves(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            kept = guard(desk, words("redact", "cde"), words("flag", "fg"))
            assert streamed(await desk.ask(COMPLETE, asked(stream=True))) == ("b[removed]fghi", None)
            found = (await desk.ask(COMPLETE, asked(n=2))).json
            assert [one["text"] for one in found["choices"]] == ["b[removed]fghi"] * 2
            assert found["usage"]["completion_tokens"] == 16
            assert kept.cases == [("suspicious", "a", ["bcdefghi"])] * 3
            assert desk.model.guards.counts == {("0", "redact"): 3, ("1", "flag"): 3}

    asyncio.run(body())


def test_prompts_are_looked_at_as_texts_as_tokens_and_in_conversations(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            kept = guard(desk, words("refuse", "bad", on="input"), words("redact", "x", on="input"))
            for prompt in ("a bad one", [98, 97, 100]):
                found = await desk.ask(COMPLETE, asked(prompt=prompt))
                assert found.status == 403 and found.json["error"]["code"] == "guarded_input"
            messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "so bad"}]
            assert (await desk.ask(TALK, {"model": "m", "messages": messages})).status == 403
            assert [one[1] for one in kept.cases] == ["a bad one", "bad", "so bad"]
            assert desk.model.counts.refused["guarded_input"] == 3
            found = (await desk.ask(COMPLETE, asked(prompt="x"))).json
            assert found["usage"]["prompt_tokens"] == 1 + len("[removed]")
            kept = guard(desk, words("flag", "bad", on="input"))
            assert (await desk.ask(COMPLETE, asked(prompt="bad"))).status == 200
            assert kept.cases == [("suspicious", "bad", [])]

    asyncio.run(body())


def test_a_model_judges_the_answer_before_it_leaves(writing: Writing) -> None:
    full = False

    async def judge(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        if full:
            raise overloaded("full", 1.0)
        return [Prediction("bad" if "e" in one else "good", {"bad": float("e" in one)}) for one in values]

    def judged(action: str, **more: Any) -> Classifier:
        return Classifier(action=action, on=("output",), model="toxic", label="bad", **more)

    async def body() -> None:
        nonlocal full
        async with writing() as desk:
            guard(desk, judged("refuse", every=2), **{"0": judge})
            text, error = streamed(await desk.ask(COMPLETE, asked(stream=True)))
            assert text == "bc" and error["code"] == "guarded_output"
            assert streamed(await desk.ask(COMPLETE, asked(stream=True, max_tokens=3))) == ("bcd", None)
            full = True  # what cannot be judged does not leave
            assert (await desk.ask(COMPLETE, asked())).status == 429
            full = False
            kept = guard(desk, judged("flag"), **{"0": judge})
            assert streamed(await desk.ask(COMPLETE, asked(stream=True))) == ("bcdefghi", None)
            while desk.model.guards._tasks:
                await asyncio.sleep(0)
            assert kept.cases == [("suspicious", "a", ["bcdefghi"])]

    asyncio.run(body())


def test_nothing_is_told_of_tokens_that_may_not_leave(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            guard(desk, words("redact", "cde"))
            found = await desk.ask(COMPLETE, asked(logprobs=1))
            assert found.status == 400 and "logprobs" in found.json["error"]["message"]
            guard(desk, words("flag", "cde"))
            assert (await desk.ask(COMPLETE, asked(logprobs=1))).status == 200

    asyncio.run(body())


def test_who_goes_away_frees_the_place(writing: Writing) -> None:
    async def body() -> None:
        async with writing(milliseconds=5.0) as desk:
            guard(desk, words("refuse", "zz"))
            client = Presence()
            asking = asyncio.ensure_future(desk.ask(COMPLETE, asked(stream=True, max_tokens=4000), presence=client))
            while not desk.model.open or not any(writer.written for writer in desk.model.writers):
                await asyncio.sleep(0.005)
            client.leave()
            await asking
            assert desk.model.open == 0 and desk.model.counts.cancelled == 1

    asyncio.run(body())


def judging(on: str, **more: Any) -> Classifier:
    return Classifier(action="refuse", on=(on,), model="toxic", label="odd", **more)


@pytest.mark.parametrize("on", ["input", "output"])
@pytest.mark.parametrize("path", [COMPLETE, TALK])
def test_who_goes_away_while_a_model_judges_is_waited_for_nowhere(
    on: str, path: str, writing: Writing, opened: Callable[..., Any]
) -> None:
    told: dict[str, Any] = {"prompt": "a"} if path == COMPLETE else {"messages": [{"role": "user", "content": "a"}]}

    async def body() -> None:
        async with opened(milliseconds=60_000) as stage, writing() as desk:
            judge, model, client = stage.model, desk.model, Presence()
            busy = asyncio.ensure_future(judge.predict(["x"], 30, Presence()))
            while judge.gauges().running == 0:
                await asyncio.sleep(0.005)
            guard(desk, judging(on), **{"0": judge.predict})
            asked = {"model": "m", "max_tokens": 3, **told}
            asking = asyncio.ensure_future(desk.ask(path, asked, presence=client))
            while judge.gauges().waiting == 0:
                await asyncio.sleep(0.005)
            client.leave()
            assert (await asking).status == 0 and judge.gauges().waiting == 0
            assert model.open == 0 and model.counts.cancelled == 1 and model.counts.answered == 0
            assert judge.open == 1 and judge.counts.cancelled == 1 and model.gauges().preparing == 0
            busy.cancel()

    asyncio.run(body())


@pytest.mark.parametrize("on", ["input", "output"])
def test_what_a_model_judges_has_the_time_that_is_left_of_the_request(on: str, writing: Writing) -> None:
    given: list[float] = []

    async def judge(values: Sequence[Any], deadline: float, presence: Presence) -> list[Prediction]:
        given.append(deadline)
        return [Prediction("even", {"odd": 0.0}) for _ in values]

    async def body() -> None:
        async with writing(Limits(deadline=50.0, write_deadline=40.0)) as desk:
            guard(desk, judging(on, every=2), judging(on, every=2), **{"0": judge, "1": judge})
            assert (await desk.ask(COMPLETE, asked())).status == 200
            assert len(given) >= 2 and given[0] < 40.0 and given == sorted(given, reverse=True)
            given.clear()
            assert (await desk.ask(TALK, {"model": "m", "messages": [{"role": "user", "content": "a"}]})).status == 200
            assert given[0] < 40.0 and given == sorted(given, reverse=True)

    asyncio.run(body())
