"""Spans of requests: in the trace that their client began, with the times that they had, and only where asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.record import Record
from lighten.serve.recorded import Recorded
from lighten.serve.tracing import Tracing, exporter_of, tracing, wanted
from lighten.testing.asgi import ask
from lighten.testing.require import require

Opened = Callable[..., Any]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def sdk() -> Any:
    """OpenTelemetry's, of which a test is skipped where it is not installed."""
    try:
        import opentelemetry.sdk.trace as found
    except ImportError:
        require(False, "opentelemetry-sdk: pip install 'lighten[otel]'")
    return found


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ()),
        ({"OTEL_SERVICE_NAME": "x"}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ("console", "otlp")),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ()),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, ()),
    ],
)
def test_they_are_made_where_the_standard_variables_ask(environment: dict[str, str], names: tuple[str, ...]) -> None:
    assert wanted(environment) == names
    if not names:
        assert tracing(environment) is None


def heard(opened: Opened, sdk: Any, path: str, body: Any, **headers: str) -> tuple[list[Any], Record]:
    """Spans of one request, in the order in which they began, and its record."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider, records = InMemorySpanExporter(), sdk.TracerProvider(), list[Record]()
    provider.add_span_processor(SimpleSpanProcessor(kept))

    async def asked() -> None:
        async with opened(milliseconds=5.0) as stage:
            await ask(Recorded(stage.app, [Tracing(provider), records.append]), path, body, headers=headers)

    asyncio.run(asked())
    return sorted(kept.get_finished_spans(), key=lambda span: (span.start_time, -(span.end_time or 0))), records[0]


def test_a_request_is_received_waits_and_is_computed_in_its_clients_trace(opened: Opened, sdk: Any) -> None:
    spans, record = heard(opened, sdk, "/predict/m", {"inputs": ["a"]}, traceparent=PARENT)
    assert [span.name for span in spans] == ["POST /predict/{name}", "receive", "queue", "compute"]
    whole, receive, queue, compute = spans
    assert {format(span.context.trace_id, "032x") for span in spans} == {TRACE, record.trace} == {TRACE}
    assert format(whole.parent.span_id, "016x") == "00f067aa0ba902b7" and whole.kind.name == "SERVER"
    assert all(span.parent.span_id == whole.context.span_id for span in (receive, queue, compute))
    assert receive.end_time == queue.start_time and queue.end_time == compute.start_time
    assert whole.start_time == receive.start_time and compute.end_time <= whole.end_time
    assert whole.attributes["gen_ai.request.model"] == "m" and whole.attributes["http.response.status_code"] == 200
    assert whole.status.is_unset and whole.attributes["lighten.request_id"] == record.id


def test_without_a_parent_a_trace_begins_and_refusals_have_no_parts(opened: Opened, sdk: Any) -> None:
    (span,), record = heard(opened, sdk, "/predict/other", {"inputs": ["a"]}, traceparent="nonsense")
    assert span.parent is None and len(record.trace) == 32 and int(record.trace, 16)
    assert span.attributes["error.type"] == "not_found" and span.attributes["http.response.status_code"] == 404
    assert "other" not in str(dict(span.attributes))


def test_what_its_client_does_not_trace_is_not_traced(opened: Opened, sdk: Any) -> None:
    spans, record = heard(opened, sdk, "/predict/m", {"inputs": ["a"]}, traceparent=f"{PARENT[:-2]}00")
    assert not spans and record.trace == TRACE


def test_an_exporter_that_is_not_installed_is_said(sdk: Any) -> None:
    with pytest.raises(InputError, match="'carrier-pigeon'") as error:
        tracing({"OTEL_TRACES_EXPORTER": "carrier-pigeon"})
    assert "lighten[otel]" in error.value.fix and "console" in error.value.allowed
    assert type(exporter_of("console", {})).__name__ == "ConsoleSpanExporter"


def test_without_the_library_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(MissingExtra, match="OTEL_TRACES_EXPORTER=none") as error:
        tracing({"OTEL_TRACES_EXPORTER": "otlp"})
    assert "lighten[otel]" in error.value.fix
