"""Refusals over gRPC: a status that its clients know, words that fit into a header, and what programs act on."""

from __future__ import annotations

import pytest

from lighten.serve.grpc_messages import message
from lighten.serve.grpc_refusals import CODES, trailers_of
from lighten.serve.refusals import Refusal, overloaded

grpc = pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")


def test_every_status_is_one_of_grpcs() -> None:
    assert all(hasattr(grpc.StatusCode, name) for name in CODES.values())


def test_errors_fit_into_a_header() -> None:
    long = Refusal(404, "not_found", "x" * 100_000 + "\ud800")
    ((name, data),) = trailers_of(long, 5)
    assert name == "grpc-status-details-bin" and isinstance(data, bytes) and len(data) < 4000
    status = message("Status").FromString(data)
    assert status.code == 5 and status.message.endswith("...")
    ((_, data),) = trailers_of(Refusal(404, "not_found", "\ud800"), 5)
    assert message("Status").FromString(data).message == "?"


def test_what_may_be_called_again_says_when() -> None:
    (name, milliseconds), (_, data) = trailers_of(overloaded("Much waits.", 1.25), 8)
    assert (name, milliseconds) == ("grpc-retry-pushback-ms", "1250")
    info, retry = message("Status").FromString(data).details
    assert info.type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    told = message("ErrorInfo").FromString(info.value)
    assert (told.reason, told.domain) == ("OVERLOADED", "lighten")
    assert retry.type_url == "type.googleapis.com/google.rpc.RetryInfo"
    delay = message("RetryInfo").FromString(retry.value).retry_delay
    assert (delay.seconds, delay.nanos) == (1, 250_000_000)
