"""What Ray opens is kept to loopback, and what is open to others all the same is found."""

from __future__ import annotations

import socket
import types
from typing import Any

import pytest

from lighten.serve.ray_ports import keep_to_loopback, open_to_others


def test_the_port_of_a_replica_is_opened_at_loopback() -> None:
    opened: list[Any] = []
    module = types.SimpleNamespace(add_port_to_grpc_server=lambda server, address: opened.append((server, address)))
    keep_to_loopback(module)
    module.add_port_to_grpc_server("server", "[::]:0")
    module.add_port_to_grpc_server("server", "127.0.0.1:9000")
    assert opened == [("server", "127.0.0.1:0"), ("server", "127.0.0.1:9000")]


def test_another_version_of_ray_is_refused_rather_than_left_open() -> None:
    with pytest.raises(RuntimeError, match="may be open to others"):
        keep_to_loopback(types.SimpleNamespace())


def test_what_listens_beyond_loopback_is_found() -> None:
    pytest.importorskip("psutil", reason="pip install psutil")
    with socket.create_server(("127.0.0.1", 0)), socket.create_server(("0.0.0.0", 0)) as one:
        port = one.getsockname()[1]
        assert [told for told in open_to_others(0) if f":{port} " in told]
        assert not [told for told in open_to_others(port) if f":{port} " in told]
        assert not [told for told in open_to_others(0) if told.startswith("127.")]
