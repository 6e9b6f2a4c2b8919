"""The way of an answer from prompt to end, and all that can come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lighten.core.errors import TemplateRefusal
from lighten.core.language import Prompt
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.refusals import ClientGone, Refusal
from lighten.serve.worker import State

Writing = Callable[..., Any]
SLOW = {"milliseconds": 5.0}


def prompts(*most: int) -> list[Prompt]:
    return [Prompt((97,), one) for one in most]


async def read(answers: Any, parts: int | None = None) -> list[str]:
    """Texts of all answers, or what has come after so many parts."""
    found = [""] * len(answers.streams)
    try:
        async for news in answers:
            for place, one in news:
                found[place] += one.text
            parts = parts - 1 if parts is not None else None
            if parts == 0:
                break
    finally:
        answers.close()
    return found


async def code_of(model: Any, asked: Sequence[Prompt], deadline: float = 20.0) -> tuple[int, str]:
    try:
        await read(model.write(asked, deadline, Presence()))
    except Refusal as refusal:
        return refusal.status, refusal.code
    return 200, ""


def test_answers_come_from_all_writers_and_are_counted(writing: Writing) -> None:
    async def body() -> None:
        async with writing(replicas=2) as desk:
            model = desk.model
            assert model.writes and model.talks and model.context == 4096
            found = await asyncio.gather(*(read(model.write(prompts(3, 5), 20, Presence())) for _ in range(6)))
            assert found == [["bcd", "bcdef"]] * 6
            assert (model.counts.answered, model.counts.inputs, model.open) == (6, 12, 0)
            assert (model.written.prompted, model.written.tokens) == (12, 48) and model.pace.known
            assert model.written.first.counts != model.written.each.counts or model.written.each.total > 0
            counts = model.written
            assert counts.ended == {"length": 12} and sum(counts.between.counts) == 48 - 12
            for spread in (counts.first, counts.wait, counts.reading, counts.writing, counts.prompt, counts.answer):
                assert sum(spread.counts) == 12
            assert (counts.prompt.total, counts.answer.total) == (12, 48)
            assert model.streams.work == 0 and model.gauges().streams == 0

    asyncio.run(body())


def test_texts_are_read_by_the_models_own_tokenizer_and_template(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            model = desk.model
            assert await model.beginning() == (256,)
            assert await model.tokens_of("a<end>", begin=False, special=True) == (97, 257)
            assert await model.text_of((97, 98)) == "ab"
            assert await model.rendered([{"role": "user", "content": "hi"}]) == "[user]hi"
        async with writing(template="") as desk:
            assert not desk.model.talks
        async with writing(template="{{ raise_exception('no') }}") as desk:
            with pytest.raises(TemplateRefusal, match="refuses this conversation"):
                await desk.model.rendered([])
        async with writing(template="{{ 1 // 0 }}") as desk:
            with pytest.raises(Refusal, match="ModelError"):  # whose fault it is, not the conversation's
                await desk.model.rendered([])

    asyncio.run(body())


def test_who_goes_away_frees_the_place_whether_it_waits_or_runs(writing: Writing) -> None:
    async def body() -> None:
        async with writing(streams=1, **SLOW) as desk:
            model, clients = desk.model, [Presence() for _ in range(3)]
            asked = [model.write(prompts(4000), 60, client) for client in clients]
            reading = [asyncio.ensure_future(read(one)) for one in asked]
            while not asked[0].streams[0].made:
                await asyncio.sleep(0.005)
            assert len(model.streams) == 2
            for client in reversed(clients):
                client.leave()
            assert len(model.streams) == 0 and model.streams.work == 0
            found = await asyncio.gather(*reading, return_exceptions=True)
            assert all(isinstance(one, ClientGone) for one in found)
            assert model.counts.cancelled == 3 and model.open == 0 and model.written.ended == {"abort": 3}
            assert 0 < model.written.tokens < 4000 and model.written.prompted == 1  # of the one that ran
            assert await code_of(model, prompts(2)) == (200, "")  # the one place is free again

    asyncio.run(body())


def test_who_goes_away_while_a_request_is_prepared_is_counted(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            model, client = desk.model, Presence()

            async def prepare() -> None:
                async with model.preparing(1, client):
                    await asyncio.Event().wait()

            waiting = asyncio.ensure_future(prepare())
            await asyncio.sleep(0)
            assert model.gauges().preparing == 1
            client.leave()
            with pytest.raises(ClientGone):
                await waiting
            assert model.counts.cancelled == 1 and model.gauges().preparing == 0

    asyncio.run(body())


def test_whoever_stops_reading_frees_the_place(writing: Writing) -> None:
    async def body() -> None:
        async with writing(streams=1, **SLOW) as desk:
            await read(desk.model.write(prompts(4000), 60, Presence()), parts=2)
            assert desk.model.open == 0 and await code_of(desk.model, prompts(2)) == (200, "")

    asyncio.run(body())


def test_a_deadline_ends_what_waits_and_what_runs(writing: Writing) -> None:
    async def body() -> None:
        async with writing(streams=1, **SLOW) as desk:
            asked = [code_of(desk.model, prompts(4000), 0.2) for _ in range(2)]
            assert await asyncio.gather(*asked) == [(504, "expired")] * 2
            assert desk.model.counts.refused["expired"] == 2 and await code_of(desk.model, prompts(2)) == (200, "")

    asyncio.run(body())


def test_more_tokens_than_may_wait_are_refused_at_once(writing: Writing) -> None:
    async def body() -> None:
        async with writing(Limits(waiting_tokens=100), streams=1, **SLOW) as desk:
            model = desk.model
            running = [model.write(prompts(90), 60, Presence())]
            while not running[0].streams[0].began:
                await asyncio.sleep(0.005)
            running.append(model.write(prompts(90), 60, Presence()))
            with pytest.raises(Refusal) as refusal:
                model.write(prompts(90), 60, Presence())
            assert (refusal.value.status, refusal.value.code) == (429, "overloaded")
            assert (b"retry-after", b"1") in refusal.value.headers
            assert model.counts.refused["overloaded"] == 1 and model.open == 2
            for one in running:
                one.close()
            assert model.open == 0

    asyncio.run(body())


def test_a_queue_that_takes_too_long_is_refused(writing: Writing) -> None:
    async def body() -> None:
        async with writing(Limits(queue_seconds=0.01), streams=1, milliseconds=2.0) as desk:
            model = desk.model
            await read(model.write(prompts(30), 60, Presence()))  # from now on its pace is known
            found, asked = [], []
            for _ in range(8):
                try:
                    asked.append(model.write(prompts(200), 60, Presence()))
                except Refusal as refusal:
                    found.append(refusal.status)
            assert found and set(found) == {429} and len(asked) >= 2  # two for each stream may wait in any case
            for one in asked:
                one.close()

    asyncio.run(body())


def test_two_for_each_stream_may_wait_however_long_they_are(writing: Writing) -> None:
    async def body() -> None:
        async with writing(Limits(queue_seconds=0.0), streams=4, milliseconds=2.0) as desk:
            model = desk.model
            await read(model.write(prompts(30), 60, Presence()))
            asked = [model.write(prompts(200), 60, Presence()) for _ in range(8)]
            with pytest.raises(Refusal):
                while len(asked) < 100:  # some have begun meanwhile
                    asked.append(model.write(prompts(200), 60, Presence()))
            for one in asked:
                one.close()

    asyncio.run(body())


def test_nothing_is_taken_before_it_is_open(writing: Writing) -> None:
    async def body() -> None:
        async with writing(load=False) as desk:
            for writer in desk.model.writers:
                writer.start = lambda: None
            assert await code_of(desk.model, prompts(2)) == (503, "loading")
            with pytest.raises(Refusal):
                await desk.model.tokens_of("x", begin=True, special=False)
            with pytest.raises(Refusal):
                async with desk.model.preparing(1, Presence()):
                    raise AssertionError
            assert desk.model.counts.refused["loading"] == 2

    asyncio.run(body())


def test_a_death_answers_with_an_error_and_the_next_are_written(writing: Writing) -> None:
    async def body() -> None:
        async with writing(fault="segv", after=20, **SLOW) as desk:
            found = await asyncio.gather(*(code_of(desk.model, prompts(4000)) for _ in range(3)))
            assert found == [(500, "failed")] * 3 and desk.model.counts.failed == 3
            while desk.model.state is not State.READY:
                await asyncio.sleep(0.01)
            assert await code_of(desk.model, prompts(2)) == (200, "") and desk.model.open == 0

    asyncio.run(body())


def test_stopping_answers_everybody(writing: Writing) -> None:
    async def body() -> None:
        async with writing(streams=1, **SLOW) as desk:
            asked = [desk.model.write(prompts(4000), 60, Presence()) for _ in range(3)]
            reading = [asyncio.ensure_future(read(one)) for one in asked]
            while not asked[0].streams[0].made:
                await asyncio.sleep(0.005)
            await desk.models.stop()
            found = await asyncio.gather(*reading, return_exceptions=True)
            assert sorted(one.status for one in found) == [500, 503, 503]

    asyncio.run(body())


def test_the_task_is_asked_of_it_too(writing: Writing) -> None:
    async def body() -> None:
        async with writing() as desk:
            (found,) = await desk.model.predict(["abc"], 20, Presence())
            assert found.measures["bits_per_byte"] > 0

    asyncio.run(body())
