"""``/health/live``, ``/health/ready`` and ``/metrics``: what those ask who run the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from lighten.serve import process_metrics
from lighten.serve.http import Reply, Request, Route, json_reply
from lighten.serve.metrics import CONTENT_TYPE, Family, exposition
from lighten.serve.models import Models

SAID: Mapping[str, Any] = {"responses": {"200": {"description": "Yes"}, "503": {"description": "No"}}}


def routes(models: Models, metrics: Callable[[], str]) -> list[Route]:
    """Their routes. metrics: what ``/metrics`` tells."""

    async def live(request: Request) -> Reply:
        return json_reply({"live": True})

    async def ready(request: Request) -> Reply:
        return readiness(models)

    async def measured(request: Request) -> Reply:
        return Reply(metrics().encode(), kind=CONTENT_TYPE.encode())

    text = {"responses": {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}}}
    return [
        Route("GET", "/health/live", live, "Whether the server runs", SAID, unlocked=True),
        Route("GET", "/health/ready", ready, "Whether every model answers", SAID, unlocked=True),
        Route("GET", "/metrics", measured, "Metrics in the text format of Prometheus", text),
    ]


def metrics_of(models: Models, strays: Mapping[str, int], more: Sequence[Callable[[], Iterable[Family]]]) -> str:
    """What ``/metrics`` tells.

    Args:
        strays: refusals by code of requests that reached no model. more: what else there is.
    """
    others = chain.from_iterable(tell() for tell in (process_metrics.families, *more))
    return exposition(models.samples(), strays, models.ready, others)


def readiness(models: Models) -> Reply:
    """Whether requests are taken, in one word why not, with the status that probes look at."""
    return json_reply({"ready": models.ready, "state": models.state}, 200 if models.ready else 503)
