"""A shadow is asked afterwards, counted where it disagrees, and is in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.proof.confidence_sequence import share_bounds
from lighten.serve import shadow as module
from lighten.serve.limits import Limits
from lighten.serve.models import Change
from lighten.serve.presence import Presence
from lighten.serve.review import Review
from lighten.serve.servable import Servable
from lighten.serve.shadow import Disagreement, Shadow
from lighten.serve.traffic import Share, Traffic
from lighten.testing.asgi import ask
from lighten.testing.fake import draw_of

Opened = Callable[..., Any]
ServableOf = Callable[..., Servable]
TEXTS = [f"text {'x' * number}" for number in range(40)]
WRONG = [text for text in TEXTS if draw_of(text) < 0.3]
"""Texts that a shadow with that share of wrong answers answers differently."""


def beside(share: float = 1.0) -> dict[str, Traffic]:
    return {"m": Traffic("1", shadow=Share("2", share), seed=3)}


def both(servable_of: ServableOf, **shadow: Any) -> list[Servable]:
    return [servable_of("m", "1"), servable_of("m", "2", **(shadow or {"wrong": 0.3}))]


def found(stage: Any) -> Disagreement:
    assert isinstance(stage.models.observer, Shadow)
    tally = stage.models.observer.disagreement("m")
    assert tally is not None
    return tally.summary()


async def predict(stage: Any, texts: list[str]) -> Any:
    return (await ask(stage.app, "/predict/m", {"inputs": texts})).json


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not met():
            await asyncio.sleep(0.005)


def test_it_is_asked_the_same_and_its_disagreement_is_bounded(
    opened: Opened, servable_of: ServableOf, tmp_path: Path
) -> None:
    async def body() -> None:
        with closing(Review(tmp_path / "a.db", Limits())) as cases:
            async with opened(None, *both(servable_of), traffic=beside(), cases=cases) as stage:
                for number, text in enumerate(TEXTS, 1):
                    assert (await predict(stage, [text]))["version"] == "1"
                    await until(lambda number=number: found(stage).requests == number)
                told = found(stage)
                assert 5 < len(WRONG) < 20 and (told.inputs, told.flips) == (40, len(WRONG))
                assert (told.lower, told.upper) == share_bounds(len(WRONG), 40) and told.share == len(WRONG) / 40
                shown = (await ask(stage.app, "/review?kind=flip&limit=100")).json
                assert {case["input"] for case in shown["cases"]} == set(WRONG)
                metrics = (await ask(stage.app, "/metrics")).body.decode().splitlines()
                mark = 'model="m",version="1",shadow="2"'
                assert f"lighten_shadow_flips_total{{{mark}}} {len(WRONG)}" in metrics
                assert any(line.startswith(f"lighten_shadow_disagreement_upper{{{mark}}} 0.") for line in metrics)
                assert 'lighten_version_share{model="m",version="2",role="shadow"} 1' in metrics

    asyncio.run(body())


def test_a_request_counts_by_the_share_of_its_inputs(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, *both(servable_of), traffic=beside()) as stage:
            await predict(stage, TEXTS)
            await predict(stage, [WRONG[0]])
            await until(lambda: found(stage).requests == 2)
            told = found(stage)
            assert (told.inputs, told.flips) == (41, len(WRONG) + 1)
            assert told.share == pytest.approx((len(WRONG) / 40 + 1) / 2)

    asyncio.run(body())


def test_only_a_share_of_what_the_serving_version_answers_is_asked(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, *both(servable_of), traffic=beside(0.5)) as stage:
            drawn = Traffic("1", shadow=Share("2", 0.5), seed=3)
            wanted = sum(drawn.draw_shadow() for _ in range(20))
            for text in TEXTS[:20]:
                await predict(stage, [text])
            await stage.models.find("m", "2").predict(["x"], 20, Presence())
            await until(lambda: found(stage).requests == wanted)
            assert 4 < wanted < 16 and not found(stage).skipped

    asyncio.run(body())


def test_a_shadow_that_dies_or_hangs_harms_no_request(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, *both(servable_of, fault="kill"), traffic=beside()) as stage:
            for text in TEXTS[:5]:
                assert (await predict(stage, [text]))["version"] == "1"
            await until(lambda: found(stage).skipped.get("failed") == 5)
            assert found(stage).requests == 0 and found(stage).upper == 1.0

    asyncio.run(body())


def test_it_waits_while_a_request_is_on_its_way_and_its_queue_is_bounded(
    opened: Opened, servable_of: ServableOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING", 3)

    async def body() -> None:
        async with opened(None, *both(servable_of), traffic=beside()) as stage:
            with stage.models.find("m", "1").held():
                for text in TEXTS[:8]:
                    await predict(stage, [text])
                assert stage.models.find("m", "2").counts.answered == 0
                assert found(stage).skipped == {"full": 5}
            await until(lambda: found(stage).requests == 3)

    asyncio.run(body())


def test_what_waits_is_bounded_by_its_size_too(
    opened: Opened, servable_of: ServableOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 1000)

    async def body() -> None:
        async with opened(None, *both(servable_of), traffic=beside()) as stage:
            with stage.models.find("m", "1").held():
                for text in ("x" * 600, "y" * 600, "z" * 300):
                    await predict(stage, [text])
            await until(lambda: found(stage).requests == 2)
            assert found(stage).skipped == {"full": 1}
            tally = stage.models.observer.disagreement("m")
            assert module.Predicted("m", tally, [np.zeros((9, 9))], []).size == 648

    asyncio.run(body())


def test_other_versions_begin_anew(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        every = [*both(servable_of), servable_of("m", "3")]
        async with opened(None, *every, traffic=beside()) as stage:
            await predict(stage, [WRONG[0]])
            await until(lambda: found(stage).requests == 1)
            await stage.models.change("m", Change(shadow=Share("3", 1.0)))
            assert found(stage) == Disagreement("1", "3", 0, 0, 0, 0.0, 0.0, 1.0, 0.95, {})
            await predict(stage, [WRONG[0]])
            await until(lambda: found(stage).requests == 1)
            assert found(stage).flips == 0
            await stage.models.change("m", Change(shadow=Share("", 0.0)))
            assert stage.models.observer.disagreement("m") is None

    asyncio.run(body())


def test_what_waits_ends_with_the_server(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(None, *both(servable_of), traffic=beside()) as stage:
            with stage.models.find("m", "1").held():
                await predict(stage, [TEXTS[0]])
            stage.models.draining = True
            task = stage.models.observer._task
            await asyncio.wait_for(task, 30)
            assert found(stage).requests == 0

    asyncio.run(body())


def said(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "a"}]
    return {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 4, **more}


SAME, OTHER = (
    "{% for m in messages %}{{ m.content }}{% endfor %}",
    "{% for m in messages %}{{ m.content }}k{% endfor %}",
)
TALK, COMPLETE = "/v1/chat/completions", "/v1/completions"


def test_answers_in_words_are_compared_where_nothing_is_drawn(writing: Opened, tmp_path: Path) -> None:
    async def body() -> None:
        with closing(Review(tmp_path / "a.db", Limits())) as cases:
            async with writing(template=SAME, beside=[OTHER], traffic=beside(), cases=cases) as desk:
                whole = (await desk.ask(TALK, said())).json["choices"][0]["message"]["content"]
                assert whole == "bcde"
                await until(lambda: found(desk).requests == 1)
                assert (await desk.ask(TALK, said(stream=True, n=2))).status == 200
                await until(lambda: found(desk).requests == 2)
                assert (await desk.ask(TALK, said(temperature=1.0))).status == 200
                asked = {"model": "m", "prompt": ["x", "y"], "temperature": 0, "max_tokens": 3}
                for more in ({"echo": True}, {"prompt": [1, 2]}, {"max_tokens": 0, "echo": True}, {}):
                    assert (await desk.ask(COMPLETE, {**asked, **more})).status == 200
                await until(lambda: found(desk).requests == 3)
                told = found(desk)
                assert (told.inputs, told.flips, told.skipped) == (4, 2, {})  # the templates differ, the prompts do not
                (case,) = (await desk.ask("/review")).json["cases"]
                assert case["input"] == [{"role": "user", "content": "a"}] and case["seen"] == 2
                assert {one["answer"] for one in case["answers"].values()} == {"bcde", "lmno"}

    asyncio.run(body())


def test_an_answer_that_it_writes_gives_way_to_a_request(writing: Opened) -> None:
    async def body() -> None:
        async with writing(template=SAME, beside=[SAME], traffic=beside(), milliseconds=5.0) as desk:
            await desk.ask(TALK, said(max_tokens=40))
            shadow = desk.models.find("m", "2")
            await until(lambda: shadow.gauges().streams)
            with desk.model.held():
                await until(lambda: shadow.open == 0)
                assert found(desk).requests == 0
            await until(lambda: found(desk).requests == 1)
            assert found(desk).flips == 0 and shadow.counts.cancelled >= 1

    asyncio.run(body())
