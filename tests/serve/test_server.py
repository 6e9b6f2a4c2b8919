"""The server's life: it listens where it may, says when it is ready, finishes what runs, and ends well."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.keys import Keys
from lighten.serve.server import address_of, allow_files, check_extra, listen

Serving = Callable[..., Any]
PATIENCE = 30.0


def children_of(pid: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found


def until(true: Callable[[], object]) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def test_it_listens_beyond_this_machine_with_keys_only_or_where_asked_for_by_name() -> None:
    for host in ("0.0.0.0", "", "::"):
        with pytest.raises(InputError, match="no keys were given"):
            listen(host, 0, None)
    for given in ({"keys": Keys({"ci": b"x" * 32})}, {"keys": None, "unlocked": True}):
        with listen("0.0.0.0", 0, **given) as found:
            assert found.getsockname()[1] > 0


def test_addresses_are_written_as_people_write_them() -> None:
    with listen("127.0.0.1", 0, None) as found:
        assert address_of(found) == f"http://127.0.0.1:{found.getsockname()[1]}"


def test_a_port_that_is_taken_and_an_address_that_is_not_there_are_refused() -> None:
    with listen("127.0.0.1", 0, None) as found, pytest.raises(InputError, match="in use") as error:
        listen("127.0.0.1", found.getsockname()[1], None)
    assert "--port" in error.value.fix
    with pytest.raises(InputError, match="no address"):
        listen("no-such-host.invalid", 0, None, unlocked=True)


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra) as error:
        check_extra()
    assert error.value.fix == "pip install 'lighten[serve]'"


def test_it_answers_and_ends_with_zero(serving: Serving) -> None:
    with serving() as running:
        assert [(one["name"], one["version"]) for one in running.told["models"]] == [("m", "1")]
        status, headers, body = running.ask("/predict/m", {"inputs": ["a", "bb"]})
        assert status == 200 and [one["label"] for one in json.loads(body)["predictions"]] == ["odd", "even"]
        assert "server" not in headers
        pid, children = running.process.pid, children_of(running.process.pid)
        assert children
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(PATIENCE) == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children) and not children_of(pid)


def test_draining_says_so_refuses_what_is_new_and_finishes_what_runs(serving: Serving) -> None:
    with serving(milliseconds=1500.0) as running, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(running.ask, "/predict/m", {"inputs": ["a"]})
        until(lambda: 'batches_running{model="m",version="1"} 1' in running.ask("/metrics")[2].decode())
        running.process.send_signal(signal.SIGTERM)
        until(lambda: running.ask("/health/ready")[0] == 503)
        assert json.loads(running.ask("/health/ready")[2]) == {"ready": False, "state": "draining"}
        status, headers, body = running.ask("/predict/m", {"inputs": ["b"]})
        assert status == 503 and json.loads(body)["error"]["code"] == "draining" and int(headers["retry-after"]) >= 1
        assert slow.result(PATIENCE)[0] == 200
        assert running.process.wait(PATIENCE) == 0


def test_the_grace_time_ends(serving: Serving) -> None:
    with serving("--limit", "grace=0.2", milliseconds=60_000.0) as running, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(running.ask, "/predict/m", {"inputs": ["a"]})
        until(lambda: 'batches_running{model="m",version="1"} 1' in running.ask("/metrics")[2].decode())
        running.process.send_signal(signal.SIGTERM)
        assert slow.result(PATIENCE)[0] in (500, 503)
        assert running.process.wait(PATIENCE) == 0


def test_a_second_signal_ends_it_at_once(serving: Serving) -> None:
    with serving(milliseconds=60_000.0) as running, ThreadPoolExecutor(1) as pool:
        pool.submit(running.ask, "/predict/m", {"inputs": ["a"]})
        until(lambda: 'batches_running{model="m",version="1"} 1' in running.ask("/metrics")[2].decode())
        running.process.send_signal(signal.SIGINT)
        until(lambda: running.ask("/health/ready")[0] == 503)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE) == 0


def test_a_killed_engine_comes_back_and_nobody_hangs(serving: Serving) -> None:
    with serving(milliseconds=300.0) as running, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(running.ask, "/predict/m", {"inputs": ["a"]})
        until(lambda: 'batches_running{model="m",version="1"} 1' in running.ask("/metrics")[2].decode())
        (child,) = children_of(running.process.pid)
        os.kill(child, signal.SIGKILL)
        status, _, body = slow.result(PATIENCE)
        assert status == 500 and json.loads(body)["error"]["code"] == "failed"
        until(lambda: running.ask("/health/ready")[0] == 200)
        assert running.ask("/predict/m", {"inputs": ["a"]})[0] == 200


def test_files_are_allowed_for_all_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        allow_files(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (612, before[1])
        allow_files(1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 612  # never fewer than there were
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def answers(port: int, path: str) -> int:
    """The status that it answers; 0 where nobody listens yet."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    finally:
        connection.close()


def test_it_can_be_ended_while_it_loads(fake_engine: type, tmp_path: Path, model_of: Callable[..., Path]) -> None:
    pytest.importorskip("uvicorn")
    folder = model_of(tmp_path / "model", fake_engine(fault="hang", at="open"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "lighten", "serve", f"m={folder}", "--port", str(port)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        until(lambda: children_of(process.pid))
        until(lambda: answers(port, "/health/ready") == 503)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_model_that_cannot_be_opened_ends_it_with_its_reason(
    fake_engine: type, tmp_path: Path, model_of: Callable[..., Path]
) -> None:
    pytest.importorskip("uvicorn")
    folder = model_of(tmp_path / "model", fake_engine(fault="refuse", at="open"))
    words = [sys.executable, "-m", "lighten", "serve", f"m={folder}", "--port", "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "The fake refuses this model" in done.stderr and "Traceback" not in done.stderr


def test_sockets_of_a_family_are_listened_at() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        found = listen("::1", 0, None)
    except InputError:
        pytest.skip("no IPv6 here")
    with found:
        assert address_of(found).startswith("http://[::1]:")
