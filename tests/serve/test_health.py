"""Probes hear whether the server runs and whether it answers; Prometheus hears what it counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lighten.testing.asgi import ask

Opened = Callable[..., Any]


def test_it_lives_before_it_is_ready_and_while_it_drains(opened: Opened) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            for state, status in (("loading", 503), ("ready", 200), ("draining", 503)):
                if state == "ready":
                    await stage.models.load()
                stage.models.draining = state == "draining"
                assert (await ask(stage.app, "/health/live")).json == {"live": True}
                found = await ask(stage.app, "/health/ready")
                assert (found.status, found.json) == (status, {"ready": status == 200, "state": state})

    asyncio.run(body())


def test_metrics_count_what_was_answered_and_refused(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            await ask(stage.app, "/predict/m", {"inputs": ["a", "b"]})
            await ask(stage.app, "/predict/m", {"inputs": [1]})
            await ask(stage.app, "/nowhere")
            found = await ask(stage.app, "/metrics")
            assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
            lines = found.body.decode().splitlines()
            assert 'nv_inference_count{model="m",version="1"} 2' in lines
            assert 'lighten_refused_total{model="m",version="1",code="unusable"} 1' in lines
            assert 'lighten_refused_total{model="",version="",code="not_found"} 1' in lines

    asyncio.run(body())
