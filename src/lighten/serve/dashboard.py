"""A dashboard of Grafana for ``/metrics``: what a server answers, refuses and lets wait, and how fast it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

MODEL = 'model=~"$model",version=~"$version"'
"""What is looked at, of all that a server has."""
STRAY = 'model=~"$model|",version=~"$version|"'
"""The same, and requests that reached no model."""
EACH = "$__rate_interval"
WIDTH, HEIGHT, COLUMNS = 6, 7, 24
SCHEMA = 39
"""Version of Grafana's schema of dashboards."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart.

    Attributes:
        title, unit: as Grafana has them. queries: in PromQL, each with the name of its lines.
    """

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]


def rate(name: str, by: str = "model, version", labels: str = MODEL) -> str:
    """How fast a counter grows, each second.

    >>> rate("a_total", "code", "")
    'sum by (code) (rate(a_total{}[$__rate_interval]))'
    """
    return f"sum by ({by}) (rate({name}{{{labels}}}[{EACH}]))"


def quantiles(name: str) -> list[tuple[str, str]]:
    """Median, 95th and 99th percentile of a histogram."""
    parts = rate(f"{name}_bucket", "le, model, version")
    return [
        (f"histogram_quantile({q}, {parts})", f"{told} {{{{model}}}}")
        for q, told in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]


def mean(name: str) -> str:
    """What a histogram's values are on average."""
    return f"{rate(f'{name}_sum')} / {rate(f'{name}_count')}"


ONE = "{{model}} {{version}}"
PANELS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Requests",
        (
            Panel("Answered", "reqps", [(rate("nv_inference_request_success"), ONE)]),
            Panel("Latency", "s", quantiles("lighten_request_seconds")),
            Panel("Refused, by reason", "reqps", [(rate("lighten_refused_total", "code", STRAY), "{{code}}")]),
            Panel(
                "Failed and cancelled",
                "reqps",
                [(rate("nv_inference_request_failure", "reason", f'{MODEL},reason!="REJECTED"'), "{{reason}}")],
            ),
        ),
    ),
    (
        "Queue and batches",
        (
            Panel("Time in the queue", "s", quantiles("lighten_queue_seconds")),
            Panel(
                "Waiting, and on their way",
                "short",
                [
                    (f"sum by (model, version) (nv_inference_pending_request_count{{{MODEL}}})", f"waiting {ONE}"),
                    (f"sum by (model, version) (lighten_requests_open{{{MODEL}}})", f"open {ONE}"),
                    (f"sum by (model, version) (lighten_queue_work{{{MODEL}}})", f"work {ONE}"),
                ],
            ),
            Panel("Inputs of a batch", "short", [(mean("lighten_batch_inputs"), ONE)]),
            Panel(
                "Replicas at work",
                "short",
                [
                    (f"{rate('nv_inference_compute_infer_duration_us')} / 1e6", f"busy {ONE}"),
                    (rate("nv_inference_count"), f"inputs/s {ONE}"),
                ],
            ),
        ),
    ),
    (
        "Writing",
        (
            Panel("Until the first token", "s", quantiles("vllm:time_to_first_token_seconds")),
            Panel("Between two tokens", "s", quantiles("vllm:inter_token_latency_seconds")),
            Panel(
                "Tokens",
                "short",
                [
                    (rate("vllm:generation_tokens_total"), f"written/s {ONE}"),
                    (rate("vllm:prompt_tokens_total"), f"read/s {ONE}"),
                ],
            ),
            Panel(
                "Answers",
                "short",
                [
                    (f"sum by (model, version) (vllm:num_requests_running{{{MODEL}}})", f"running {ONE}"),
                    (f"sum by (model, version) (vllm:num_requests_waiting{{{MODEL}}})", f"waiting {ONE}"),
                ],
            ),
            Panel(
                "Ended, by reason",
                "reqps",
                [(rate("vllm:request_success_total", "finished_reason"), "{{finished_reason}}")],
            ),
            Panel(
                "Where their time goes, on average",
                "s",
                [
                    (mean("vllm:request_queue_time_seconds"), f"queue {ONE}"),
                    (mean("vllm:request_prefill_time_seconds"), f"prompt {ONE}"),
                    (mean("vllm:request_decode_time_seconds"), f"answer {ONE}"),
                ],
            ),
        ),
    ),
    (
        "Versions",
        (
            Panel(
                "Share that each is to answer",
                "percentunit",
                [(f"max by (model, version, role) (lighten_version_share{{{MODEL}}})", f"{{{{role}}}} {ONE}")],
            ),
            Panel(
                "Shadow answers differently, with its bounds",
                "percentunit",
                [
                    (f"{rate('lighten_shadow_flips_total')} / {rate('lighten_shadow_inputs_total')}", f"now {ONE}"),
                    (f"max by (model, version) (lighten_shadow_disagreement_lower{{{MODEL}}})", f"at least {ONE}"),
                    (f"max by (model, version) (lighten_shadow_disagreement_upper{{{MODEL}}})", f"at most {ONE}"),
                ],
            ),
            Panel("Memory", "bytes", [(f"sum by (model, version) (lighten_model_memory_bytes{{{MODEL}}})", ONE)]),
            Panel(
                "Cases for people",
                "short",
                [
                    ("sum by (state) (lighten_review_cases)", "{{state}}"),
                    (f"sum by (reason) (increase(lighten_review_lost_total[{EACH}]))", "lost: {{reason}}"),
                ],
            ),
        ),
    ),
    (
        "Server",
        (
            Panel(
                "Replicas",
                "short",
                [(f"sum by (model, version, state) (lighten_replicas{{{MODEL}}})", f"{{{{state}}}} {ONE}")],
            ),
            Panel(
                "Ready, and replicas that began anew",
                "short",
                [
                    ("min(lighten_ready)", "ready"),
                    (f"sum by (model, version) (increase(lighten_restarts_total{{{MODEL}}}[{EACH}]))", f"anew {ONE}"),
                ],
            ),
            Panel("Memory, without replicas", "bytes", [("process_resident_memory_bytes", "{{instance}}")]),
            Panel(
                "Processor, without replicas", "short", [(f"rate(process_cpu_seconds_total[{EACH}])", "{{instance}}")]
            ),
        ),
    ),
)
"""Rows, each with its charts."""


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it; it asks for the data source, the model and its version."""
    panels: list[dict[str, Any]] = []
    ids, y = count(1), 0
    for title, row in PANELS:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        panels.append(
            {"id": next(ids), "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        )
        y += 1
        for number, panel in enumerate(row):
            x, below = number * WIDTH % COLUMNS, number * WIDTH // COLUMNS
            place = {"h": HEIGHT, "w": WIDTH, "x": x, "y": y + below * HEIGHT}
            panels.append({"id": next(ids), "gridPos": place, **_chart(panel)})
        y += -(-len(row) * WIDTH // COLUMNS) * HEIGHT
    source = {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return {
        "title": "lighten serve",
        "uid": "lighten-serve",
        "tags": ["lighten"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": [source, _variable("model", ""), _variable("version", '{model=~"$model"}')]},
        "panels": panels,
    }


SOURCE = {"type": "prometheus", "uid": "${source}"}


def _chart(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": query, "legendFormat": told}
        for number, (query, told) in enumerate(panel.queries)
    ]
    drawn = {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 5}}, "overrides": []}
    return {"type": "timeseries", "title": panel.title, "datasource": SOURCE, "fieldConfig": drawn, "targets": targets}


def _variable(name: str, chosen: str) -> dict[str, Any]:
    """A choice of values of a label."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values(lighten_requests_open{chosen}, {name})", "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }
