"""``GET /status``: how it stands with every model, in JSON, as the page asks it every other second.

What was counted is told as it stands; whoever asks twice knows what happened meanwhile, and nothing is kept for anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from time import monotonic
from typing import Any

from lighten.core.readers import reader_of
from lighten.data.prompts import parse_template
from lighten.serve.http import Reply, Request, Route, json_reply
from lighten.serve.limits import Limits
from lighten.serve.metrics import FINE, SECONDS, Counts, Gauges, Histogram
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.review import Review
from lighten.serve.servable import Servable

TOLD = ("inputs", "body", "size", "answer", "messages")
"""Limits that a page keeps before it asks."""
EDGES = tuple(float(f"{edge:.4g}") for edge in Histogram(SECONDS, FINE).edges)
"""Upper bounds of the parts in which latencies are counted, as told."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["version", "ready", "state", "clock", "models"],
    "properties": {
        "version": {"type": "string", "description": "Of lighten."},
        "ready": {"type": "boolean"},
        "state": {"type": "string"},
        "clock": {"type": "number", "description": "Seconds, from any beginning."},
        "limits": {"type": "object"},
        "operates": {
            "type": ["boolean", "null"],
            "description": "Whether who asks may change versions; null where nobody can.",
        },
        "edges": {"type": "array", "items": {"type": "number"}, "description": "Upper bounds of latencies, seconds."},
        "models": {"type": "array", "items": {"type": "object"}},
    },
}
"""JSON Schema of the reply."""


def route(
    models: Models,
    limits: Limits,
    cases: Review | None = None,
    operates: Callable[[str], bool] | None = None,
) -> Route:
    """The one route.

    Args:
        cases: for people to judge; None where none are kept.
        operates: whether a caller may change versions; None where nobody can.
    """
    told = version("lighten")
    fixed: dict[ServedModel, Mapping[str, Any]] = {}

    async def answer(request: Request) -> Reply:
        for model in models:
            if model not in fixed:
                fixed[model] = described(model)
        for gone in fixed.keys() - set(models):
            del fixed[gone]
        return json_reply(
            {
                "version": told,
                "ready": models.ready,
                "state": models.state,
                "clock": monotonic(),
                "limits": {name: getattr(limits, name) for name in TOLD},
                "review": {"open": cases.open, "judged": cases.judged} if cases is not None else None,
                "operates": operates(request.caller) if operates is not None else None,
                "edges": EDGES,
                "models": [{**fixed[model], **now(model, models)} for model in models],
            }
        )

    schema = {"responses": {"200": {"description": "Status", "content": {"application/json": {"schema": SCHEMA}}}}}
    return Route("GET", "/status", answer, "How it stands with every model, for the page", schema)


def described(model: ServedModel) -> dict[str, Any]:
    """What does not change while a model is served."""
    source = model.source
    return {
        "name": model.name,
        "version": model.version,
        "engine": source.engine.version(),
        "artifact": source.artifact.id[:12],
        "bytes": source.artifact.size,
        "files": suffixes_of(source),
        "columns": columns_of(source),
        "labels": len(source.labels),
        "writes": model.writes,
        "talks": model.talks,
    }


def suffixes_of(source: Servable) -> list[str] | None:
    """Suffixes of files that are inputs of a model; None where inputs stand as they are."""
    return sorted(reader_of(source.task.kind).suffixes) if source.task.kind else None


def columns_of(source: Servable) -> list[str]:
    """Columns that the prompt of a model shows; none where it has no prompt."""
    prompt = source.options.prompt
    return list(dict.fromkeys(parse_template(prompt).fields)) if prompt else []


def now(model: ServedModel, models: Models) -> dict[str, Any]:
    """What does."""
    return {
        "roles": models.traffic[model.name].roles(model.version),
        "state": str(model.state),
        "context": model.context,
        "counts": counted(model.counts),
        "gauges": gauged(model.gauges()),
    }


def counted(counts: Counts) -> dict[str, Any]:
    """What was counted of a model."""
    written = counts.written
    return {
        "answered": counts.answered,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "refused": dict(counts.refused),
        "inputs": counts.inputs,
        "batches": counts.batches,
        "batched": round(counts.batch.total),
        "latency": shortened(counts.latency),
        **({"tokens": written.tokens, "first": shortened(written.first)} if written is not None else {}),
    }


def gauged(gauges: Gauges) -> dict[str, Any]:
    """How it stands with a model now; what it writes and what it answers otherwise are one queue to whoever looks."""
    return {
        "waiting": gauges.waiting + gauges.streams_waiting,
        "running": gauges.streams or gauges.running,
        "replicas": dict(gauges.states),
        "restarts": gauges.restarts,
    }


def shortened(histogram: Histogram) -> list[int]:
    """The counts of a histogram without the zeros at their end."""
    last = max((place for place, count in enumerate(histogram.counts) if count), default=-1)
    return histogram.counts[: last + 1]
