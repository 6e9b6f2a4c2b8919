"""What the page is told every other second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.core.data_options import DataOptions
from lighten.serve.limits import Limits
from lighten.serve.metrics import Histogram
from lighten.serve.servable import Servable
from lighten.serve.status import columns_of, shortened, suffixes_of
from lighten.tasks.image_classification import ImageClassification
from lighten.testing.asgi import ask

ServableOf = Callable[..., Servable]
Opened = Callable[..., Any]


def test_every_version_is_told_with_what_it_takes_and_what_was_counted(opened: Opened, servable_of: ServableOf) -> None:
    async def body() -> None:
        async with opened(Limits(answer=7), servable_of(), servable_of(version="2"), servable_of("n")) as stage:
            assert (await ask(stage.app, "/predict/m", {"inputs": ["a", "bb"]})).status == 200
            assert (await ask(stage.app, "/predict/n", {"inputs": []})).status == 422
            told = (await ask(stage.app, "/status")).json
            assert told["ready"] is True and told["state"] == "ready" and told["limits"]["answer"] == 7
            assert told["review"] is None
            first, second, other = told["models"]
            assert [(one["name"], one["version"], one["roles"]) for one in told["models"]] == [
                ("m", "1", []), ("m", "2", ["serves"]), ("n", "1", ["serves"])
            ]  # fmt: skip
            assert (first["files"], first["columns"], first["labels"], first["writes"]) == (None, [], 2, False)
            assert first["engine"] == "fake 1.0" and first["bytes"] > 0 and first["state"] == "ready"
            counts = second["counts"]
            assert (counts["answered"], counts["inputs"], counts["batched"]) == (1, 2, 2) and counts["batches"] >= 1
            assert sum(counts["latency"]) == 1 and len(counts["latency"]) <= len(told["edges"]) + 1
            assert other["counts"]["refused"] == {"unusable": 1} and first["counts"]["latency"] == []
            assert second["gauges"] == {"waiting": 0, "running": 0, "replicas": {"ready": 1}, "restarts": 0}
            assert told["operates"] is True  # without keys, whoever asks from this machine
            again = (await ask(stage.app, "/status")).json
            assert again["clock"] > told["clock"]

    asyncio.run(body())


def test_models_that_write_tell_their_tokens(writing: Callable[..., Any]) -> None:
    async def body() -> None:
        async with writing() as desk:
            asked = {"model": "m", "prompt": "x", "temperature": 0, "max_tokens": 4}
            assert (await desk.ask("/v1/completions", asked)).status == 200
            (told,) = (await desk.ask("/status")).json["models"]
            assert (told["writes"], told["talks"], told["context"]) == (True, True, 4096)
            assert told["counts"]["tokens"] == 4 and sum(told["counts"]["first"]) == 1
        async with writing(template="") as desk:
            assert (await desk.ask("/status")).json["models"][0]["talks"] is False

    asyncio.run(body())


def test_a_server_that_drains_or_loads_says_so(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            told = (await ask(stage.app, "/status")).json
            assert (told["ready"], told["state"], told["models"][0]["state"]) == (False, "loading", "loading")
        async with opened() as stage:
            stage.models.draining = True
            assert (await ask(stage.app, "/status")).json["state"] == "draining"

    asyncio.run(body())


def test_what_a_model_takes_is_told_by_its_reader_and_its_prompt(servable_of: ServableOf) -> None:
    pytest.importorskip("PIL")
    pictures, texts = servable_of(task=ImageClassification()), servable_of()
    assert ".png" in (suffixes_of(pictures) or []) and suffixes_of(texts) is None
    asked = Servable("q", "1", texts.artifact, texts.engine, texts.task, (), DataOptions(prompt="{a} {b} {a}?"))
    assert columns_of(asked) == ["a", "b"] and columns_of(texts) == []


def test_zeros_at_the_end_of_counts_are_left_out() -> None:
    histogram = Histogram((1.0, 2.0), 2)
    assert shortened(histogram) == []
    histogram.add(0.9)
    assert shortened(histogram) == [0, 1]
