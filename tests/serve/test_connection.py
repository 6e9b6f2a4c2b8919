"""Connections: headers that never end, senders that are slow, clients that go away; over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="pip install 'lighten[serve]'")

from lighten.serve.connection import GATHERED, Connection, Gathering, connections_within
from lighten.serve.limits import Limits

PATIENCE = 30.0
"""Seconds that only a test that fails takes."""


@pytest.fixture(scope="module")
def running(serving: Callable[..., Any]) -> Iterator[Any]:
    """A server whose limits are small."""
    limits = ("--limit", "headers=2000", "--limit", "slow=0.5", "--limit", "batch=1")
    with serving(*limits, milliseconds=30.0) as found:
        yield found


def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that the server says to some bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        found = b""
        while more := connection.recv(65536):
            found += more
        return found


def test_headers_are_bounded_however_they_come(running: Any) -> None:
    line = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
    assert said(running.port, line + b"X-Long: " + b"y" * 5000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert said(running.port, line, b"X-Long: " + b"y" * 5000, pause=0.05).startswith(b"HTTP/1.1 431")
    assert said(running.port, b"GET /" + b"a" * 5000).startswith(b"HTTP/1.1 431")
    many = b"".join(b"X-%d: y\r\n" % number for number in range(400))
    assert said(running.port, line, many, b"\r\n", pause=0.05).startswith(b"HTTP/1.1 431")


def test_a_large_body_in_one_go_is_no_large_header(running: Any) -> None:
    status, _, body = running.ask("/predict/m", {"inputs": ["x" * 20_000]})
    assert status == 200 and json.loads(body)["predictions"][0]["label"] == "even"


def test_trailers_are_bounded_and_are_no_headers(running: Any) -> None:
    start = b"POST /predict/m HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'{"inputs": ["a"]}'
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    late = (start, chunks[:5], chunks[5:] + b"Content-Encoding: gzip\r\n\r\n")
    assert said(running.port, *late, pause=0.05).startswith(b"HTTP/1.1 200")
    endless = (start, chunks, b"X-Long: " + b"y" * 3000)
    assert said(running.port, *endless, pause=0.05).startswith(b"HTTP/1.1 431")


def test_slow_senders_are_not_waited_for(running: Any) -> None:
    assert said(running.port, b"GET /health/live HTTP/1.1\r\nHost").startswith(b"HTTP/1.1 408")
    assert said(running.port).startswith(b"HTTP/1.1 408")
    half = b'POST /predict/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"inputs"'
    assert said(running.port, half).startswith(b"HTTP/1.1 408")
    none = b"POST /predict/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"
    assert said(running.port, none).startswith(b"HTTP/1.1 408")
    assert "pending_request_count" in (metrics := running.ask("/metrics")[2].decode()) and "no_room" not in metrics


def test_a_connection_is_used_again_and_may_rest_between(running: Any) -> None:
    ask = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as connection:
        for _ in range(3):
            connection.sendall(ask)
            found = b""
            while not found.endswith(b"}"):
                found += connection.recv(65536)
            assert found.startswith(b"HTTP/1.1 200")
            time.sleep(0.7)  # longer than a sender may take


def test_who_does_not_read_is_not_waited_for(running: Any) -> None:
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    whole = len(said(running.port, ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
    count, found = (32 << 20) // whole, 0  # more than sockets hold
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(ask * count)
        time.sleep(3.0)  # six times as long as a client may take
        while more := connection.recv(1 << 20):
            found += len(more)
    assert found < count * whole / 2
    assert running.ask("/health/live")[0] == 200


def test_what_is_no_http_is_refused(running: Any) -> None:
    assert said(running.port, b"hello\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_clients_that_disconnect_leave_no_place_behind(serving: Callable[..., Any]) -> None:
    with serving("--limit", "batch=1", "--limit", "queue_seconds=60", milliseconds=30.0) as running:
        metrics = left(running)
        assert running.ask("/predict/m", {"inputs": ["a"]})[0] == 200

    def counted(name: str) -> int:
        return sum(int(line.split()[-1]) for line in metrics.splitlines() if line.startswith(name + "{"))

    cancelled, answered = counted("lighten_cancelled_total"), counted("nv_inference_request_success")
    refused = counted("lighten_refused_total")  # none, unless the machine is slow
    assert cancelled + answered + refused == 100 and cancelled > 0


def left(running: Any) -> str:
    """Ask a hundred times and go away. Returns the metrics once nothing waits or runs."""
    body = json.dumps({"inputs": ["a"]}).encode()
    request = b"POST /predict/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for _ in range(5):
        clients = [socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) for _ in range(20)]
        for client in clients:
            client.sendall(request)
        for client in clients:
            client.close()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        metrics = running.ask("/metrics")[2].decode()
        if (
            'pending_request_count{model="m",version="1"} 0' in metrics
            and 'running{model="m",version="1"} 0' in metrics
        ):
            return str(metrics)
        time.sleep(0.05)
    raise AssertionError(metrics)


def test_limits_belong_to_a_server() -> None:
    limits = Limits(headers=600)
    assert connections_within(limits).limits == limits and Connection.limits == Limits()


def test_an_answer_is_one_packet(running: Any) -> None:
    body = b'{"inputs": ["abc"]}'
    ask = b"POST /predict/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as connection:
        for _ in range(3):
            connection.sendall(ask)
            found = connection.recv(65536)
            assert found.startswith(b"HTTP/1.1 200") and found.endswith(b"}")


def test_what_is_written_is_sent_in_order_and_held_back_for_no_long() -> None:
    sent: list[bytes] = []

    class Kept:
        """A transport that keeps what it is given."""

        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None:
            sent.append(b"closed")

        def is_closing(self) -> bool:
            return False

    async def body() -> None:
        kept: Any = Kept()
        found = Gathering(kept, asyncio.get_running_loop())
        found.write(b"a")
        found.write(b"b")
        assert sent == [] and not found.is_closing()
        await asyncio.sleep(0)
        assert sent == [b"ab"]
        found.write(b"c" * (GATHERED + 1))
        assert len(sent) == 2  # so much is not held back
        found.write(b"d")
        found.close()
        assert sent[2:] == [b"d", b"closed"]
        await asyncio.sleep(0)
        assert len(sent) == 4

    asyncio.run(body())
