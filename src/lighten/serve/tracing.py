"""Spans of OpenTelemetry: one for each request, and in it how long it was received, waited and was computed.

They are made where ``opentelemetry-sdk`` is installed and the standard variables ask for them, and go where these say.
Names of attributes are those of the semantic conventions (https://opentelemetry.io/docs/specs/semconv/).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Any

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.record import Record

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

EXPORTERS = "OTEL_TRACES_EXPORTER"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
GROUP = "opentelemetry_traces_exporter"
"""Entry points by which packages bring exporters."""
INSTALL = "pip install 'lighten[otel]'"
FLUSH_MILLISECONDS = 3000
"""Time that the last spans have to be sent in."""


def wanted(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the exporters that the standard variables ask for; none where they ask for nothing.

    >>> wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}), wanted({"OTEL_TRACES_EXPORTER": "none"})
    (('otlp',), ())
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    told = environment.get(EXPORTERS) or ("otlp" if any(map(environment.get, ENDPOINTS)) else "")
    names = tuple(name.strip() for name in told.split(",") if name.strip())
    return () if names == ("none",) else names


def tracing(environment: Mapping[str, str] = os.environ) -> Tracing | None:
    """A recorder that makes spans; None where nobody asks for any.

    Raises:
        MissingExtra: OpenTelemetry is not installed. InputError: they are to go to an exporter that is not.
    """
    names = wanted(environment)
    if not names:
        return None
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        what = f"Tracing, which OTEL_* variables ask for ({EXPORTERS}=none: there is none),"
        raise MissingExtra(what, "otel", str(error)) from error
    known = Resource.create()
    named = known.attributes.get(SERVICE_NAME, "unknown_service")
    ours = Resource({SERVICE_NAME: "lighten"}) if str(named).startswith("unknown_service") else Resource.get_empty()
    provider = TracerProvider(resource=known.merge(ours))
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(exporter_of(name, environment)))
    return Tracing(provider)


def exporter_of(name: str, environment: Mapping[str, str]) -> SpanExporter:
    """What sends spans, by its standard name.

    Raises:
        InputError: it is not installed.
    """
    entry = name
    if name == "otlp":
        protocol = next((environment[one] for one in PROTOCOLS if environment.get(one)), "http/protobuf")
        entry = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    found = next(iter(entry_points(group=GROUP, name=entry)), None)
    if found is None:
        installed = ", ".join(sorted(one.name for one in entry_points(group=GROUP)))
        fix = f"{INSTALL}; or {EXPORTERS}=none for no traces"
        raise InputError(f"Traces are to go to {name!r} ({entry}), which is not installed.", allowed=installed, fix=fix)
    made: SpanExporter = found.load()()
    return made


class Tracing:
    """A recorder that makes the spans of a request once it is over, with the times that it had.

    Args:
        provider: of OpenTelemetry, which samples and sends them.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("lighten", version("lighten"))
        self._sent = TraceContextTextMapPropagator()

    def __call__(self, record: Record) -> None:
        """A request is over: its trace is that of its ``traceparent``, or a new one."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        span = self._tracer.start_span(
            f"{record.method} {record.route}".strip(),
            self._sent.extract(record.parent),
            SpanKind.SERVER,
            attributes_of(record),
            start_time=_nanoseconds(record, record.arrived),
        )
        record.trace = format(span.get_span_context().trace_id, "032x")
        if span.is_recording():
            inside = set_span_in_context(span)
            for name, begin, end in parts_of(record):
                part = self._tracer.start_span(name, inside, start_time=_nanoseconds(record, begin))
                part.end(_nanoseconds(record, end))
            if record.status >= 500:
                span.set_status(Status(StatusCode.ERROR, record.code))
        span.end(_nanoseconds(record, record.ended))

    def close(self) -> None:
        """Send what is left, and end."""
        self._provider.force_flush(FLUSH_MILLISECONDS)
        self._provider.shutdown()


def parts_of(record: Record) -> Iterator[tuple[str, float, float]]:
    """Name, begin and end of what a request consisted of; what it never came to is left out."""
    if record.queued:
        yield "receive", record.arrived, record.queued
        yield "queue", record.queued, record.began or record.ended
    if record.began and record.answered:
        yield "compute", record.began, record.answered


def attributes_of(record: Record) -> dict[str, Any]:
    """What its span says of a request."""
    found = {
        "http.request.method": record.method,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "error.type": record.code,
        "enduser.id": record.caller,
        "gen_ai.request.model": record.model,
        "gen_ai.usage.input_tokens": record.prompted,
        "gen_ai.usage.output_tokens": record.tokens,
        "lighten.version": record.version,
        "lighten.inputs": record.inputs,
        "lighten.request_id": record.id,
    }
    return {name: value for name, value in found.items() if value}


def _nanoseconds(record: Record, moment: float) -> int:
    return round(record.at(moment) * 1e9)
