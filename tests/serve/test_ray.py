"""On Ray Serve: its limits are ours, its replicas answer as one server does, and one that dies takes nobody with it.

What runs Ray itself is skipped where it is not installed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, MissingExtra
from lighten.nets.baselines.counts import fit_ngram
from lighten.serve import ray
from lighten.serve.limits import Limits
from lighten.serve.models import Models
from lighten.serve.ray import Fleet, Living, Replica, least_and_most, settings
from lighten.testing.require import client
from lighten.verbs.serve import application


def test_its_limits_and_times_are_ours() -> None:
    limits = Limits(connections=100, grace=7.0, hang=9.0, batch=32)
    found = settings(Fleet("127.0.0.1", 8000, 2, 2, 0.5), limits)
    assert found["num_replicas"] == 2 and "autoscaling_config" not in found
    assert (found["max_ongoing_requests"], found["max_queued_requests"]) == (100, 100)
    assert found["backpressure_config"]["status_code"] == 429 and found["backpressure_config"]["retry_after_s"] >= 1
    assert (found["graceful_shutdown_timeout_s"], found["health_check_timeout_s"]) == (7.0, 9.0)
    assert found["ray_actor_options"] == {"num_cpus": 0.5}
    scaled = settings(Fleet("127.0.0.1", 8000, 1, 4, 1), limits)
    assert "num_replicas" not in scaled
    assert scaled["autoscaling_config"] == {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 32}


def test_least_and_most_are_told_together() -> None:
    assert least_and_most("1:4") == (1, 4) and least_and_most("3:3") == (3, 3)
    for told in ("4", "0:2", "3:2", ":", "a:b", "1:", "-1:2"):
        with pytest.raises(InputError, match="MIN:MAX") as error:
            least_and_most(told)
        assert error.value.allowed


def test_without_it_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ray.SILENT:
        monkeypatch.setenv(name, "1")
    with pytest.raises(MissingExtra) as error:
        ray.check_extra()
    assert error.value.fix == "pip install 'lighten[ray]'" and os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_replica_is_unwell_once_its_models_have_not_answered_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now, ready = [0.0], [True]
    monkeypatch.setattr(ray, "monotonic", lambda: now[0])
    replica = Replica(lambda stack: None, 60.0, None, False)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(Models, "ready", property(lambda self: ready[0]))
    monkeypatch.setattr(Models, "state", property(lambda self: "restarting"))

    def look() -> None:
        asyncio.run(replica.check_health())

    now[0] = 100.0
    look()
    ready[0], now[0] = False, 159.0
    look()
    now[0] = 161.0
    with pytest.raises(RuntimeError, match="restarting"):
        look()
    ready[0] = True
    look()


def test_a_lifespan_ends_what_was_opened_and_requests_pass_through() -> None:
    said: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        said.append(scope["type"])

    async def ended() -> None:
        said.append("ended")

    async def receive() -> dict[str, str]:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        said.append(message["type"])

    living = Living(app, ended)
    asyncio.run(living({"type": "http"}, receive, send))
    asyncio.run(living({"type": "lifespan"}, receive, send))
    assert said == ["http", "lifespan.startup.complete", "ended", "lifespan.shutdown.complete"]


def test_nobody_changes_versions_of_one_replica_alone(opened: Callable[..., Any]) -> None:
    async def body() -> None:
        async with opened(load=False) as stage:
            operating = {(route.method, route.path) for route in stage.app.routes.every if route.operates}
            fixed = application(stage.models, Limits(), changing=False).routes.every
            assert operating and not operating & {(route.method, route.path) for route in fixed}

    asyncio.run(body())


@contextmanager
def on_ray(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``lighten serve --ray`` in a process of its own, and where it listens. It ends all that it started."""
    every = [sys.executable, "-m", "lighten", "serve", "--ray", "--port", "0", "--json", *words]
    environment = {name: value for name, value in os.environ.items() if name != ray.ADDRESS}
    process = subprocess.Popen(every, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "it could not be deployed"
        yield process, json.loads(line)["address"].removeprefix("http://")
    finally:
        process.terminate()
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def asked(address: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
    """One request: status, headers, and the value or text of the answer."""
    connection = HTTPConnection(address, timeout=60)
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
    reply = connection.getresponse()
    data = reply.read()
    headers = {name.lower(): value for name, value in reply.getheaders()}
    connection.close()
    told = json.loads(data) if headers["content-type"] == "application/json" else data.decode()
    return reply.status, headers, told


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def others_reach(pid: int) -> list[str]:
    """Addresses beyond loopback that processes below one listen at."""
    sockets = set[str]()
    for one in processes_of(pid):
        for file in Path(f"/proc/{one}/fd").glob("*"):
            with suppress(OSError):
                sockets.add(str(file.readlink()))
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            here = local.startswith("0100007F:") or local.rpartition(":")[0] in (
                "0000000000000000FFFF00000100007F", "00000000000000000000000001000000",
            )  # fmt: skip
            if state == "0A" and not here and f"socket:[{rest[5]}]" in sockets:
                found.append(local)
    return found


def replicas_of(pid: int) -> list[int]:
    """Actors that serve, among the processes below one."""
    return [one for one, name in processes_of(pid).items() if b"ServeReplica:lighten" in name]


def processes_of(pid: int) -> dict[int, bytes]:
    """Processes below one, and itself, each with its command."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told, name = path.read_text(), (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        one = int(path.parent.name)
        parents[one], names[one] = int(told.rpartition(")")[2].split()[1]), name

    def below(one: int) -> bool:
        while one > 1 and one != pid:
            one = parents.get(one, 0)
        return one == pid

    return {one: name for one, name in names.items() if below(one)}


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """The folder of an n-gram model of bytes: it writes, and needs no library."""
    (tmp_path / "letters").mkdir()
    fit_ngram(["the old mill was sold in spring. " * 20], 4).save(tmp_path / "letters")
    return Artifact.seal(tmp_path / "letters", format="byte-lm").path


def test_two_replicas_answer_refuse_count_together_and_survive_the_death_of_one(
    fake_engine: type, tmp_path: Path, model_of: Callable[..., Path], letters: Path
) -> None:
    client("ray.serve", "ray[serve]")
    quick, slow = (
        model_of(tmp_path / "quick", fake_engine()),
        model_of(tmp_path / "slow", fake_engine(milliseconds=200.0)),
    )
    late = model_of(tmp_path / "late", fake_engine(milliseconds=5000.0))
    words = [
        f"m={quick}",
        f"slow={slow}",
        f"late={late}",
        f"w={letters}",
        "--replicas",
        "2",
        "--log",
        str(tmp_path / "log"),
    ]
    with on_ray(*words, "--limit", "queue_seconds=0.1", "--limit", "batch=1") as (process, address):
        assert asked(address, "/health/ready")[2] == {"ready": True, "state": "ready"}
        for _ in range(20):
            status, headers, found = asked(address, "/predict/m", {"inputs": ["a", "bb"]})
            assert status == 200 and [one["label"] for one in found["predictions"]] == ["odd", "even"]
            assert headers["x-request-id"]
        assert asked(address, "/predict/other", {"inputs": ["a"]})[0] == 404
        stream = {"model": "w", "prompt": "the old", "max_tokens": 12, "temperature": 0, "stream": True}
        status, headers, text = asked(address, "/v1/completions", stream)
        assert status == 200 and headers["content-type"].startswith("text/event-stream")
        assert text.count("data: ") >= 12 and text.endswith("data: [DONE]\n\n")

        def counted(metric: str, model: str) -> list[int]:
            """A metric of each replica."""
            lines = asked(address, "/metrics")[2].splitlines()
            told = [one for one in lines if one.startswith(f"{metric}{{") and f'model="{model}"' in one]
            return [int(line.rpartition(" ")[2]) for line in told]

        answered = "nv_inference_request_success"
        until(lambda: len(counted(answered, "m")) == 2 and sum(counted(answered, "m")) == 20)
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(lambda _: asked(address, "/predict/slow", {"inputs": ["a"]}), range(64)))
        assert {status for status, *_ in found} == {200, 429}
        assert all(int(headers["retry-after"]) >= 1 for status, headers, _ in found if status == 429)
        assert not others_reach(process.pid)
        (first, *_) = replicas_of(process.pid)
        os.kill(first, signal.SIGKILL)
        statuses = [asked(address, "/predict/m", {"inputs": ["a"]})[0] for _ in range(50)]
        assert statuses.count(200) >= 49 and set(statuses[1:]) == {200}  # the first may have been on its way to it
        until(lambda: len(set(replicas_of(process.pid)) - {first}) == 2)
        leaving = HTTPConnection(address, timeout=60)
        leaving.request("POST", "/predict/late", '{"inputs": ["a"]}')
        until(lambda: sum(counted("lighten_requests_open", "late")) == 1)
        leaving.close()
        until(lambda: sum(counted("lighten_cancelled_total", "late")) == 1)
        assert sum(counted("lighten_requests_open", "late")) == 0
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(asked, address, "/predict/late", {"inputs": ["a"]})
            until(lambda: sum(counted("lighten_requests_open", "late")) == 1)
            process.send_signal(signal.SIGTERM)
            assert answer.result()[0] == 200
        assert process.wait(120) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sum(line.get("model") == "m" and line["status"] == 200 for line in lines) >= 69
