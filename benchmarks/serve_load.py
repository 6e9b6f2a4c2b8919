"""Servers that are up and load on them: what the benchmarks of serving share."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from lighten.isolate.machine import busy_seconds

LUA = """local bodies = {} ; math.randomseed(7)
function init(args)
  for line in io.lines(args[1]) do
    bodies[#bodies + 1] = wrk.format("POST", args[2], {["Content-Type"] = "application/json"}, line)
  end
end
function request() return bodies[math.random(#bodies)] end
function done(summary, latency, _)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('@{"requests": %d, "us": %d, "p50": %f, "p99": %f, "errors": %d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), errors))
end"""


@dataclass(frozen=True)
class Rung:
    """A server that is up: its process, where it listens, and files of bodies with one text and with several."""

    name: str
    pid: int
    port: int
    path: str
    one: Path
    many: Path | None = None


@dataclass(frozen=True)
class Slice:
    """Some seconds of load on one rung. p50, p99 in milliseconds; server, client and others in cores."""

    requests: float
    p50: float
    p99: float
    errors: int
    server: float
    client: float
    others: float


def processes_of(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
        except OSError:
            continue
    waiting = [pid]
    while waiting:
        yield (one := waiting.pop())
        waiting += parents.get(one, [])


def cpu_of(pid: int) -> float:
    """CPU-seconds of a process and all that it started."""
    total = 0
    for one in processes_of(pid):
        try:
            total += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]))
        except OSError:
            continue
    return total / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """MiB of a process and all that it started: proportional set size, so that what they share counts once."""
    total = 0
    for one in processes_of(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def load(rung: Rung, bodies: Path, lua: Path, connections: int, seconds: float) -> Slice:
    """Some seconds of load."""
    busy, server, own = busy_seconds() or 0.0, cpu_of(rung.pid), sum(os.times()[:2])
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "20s", "-s", str(lua)]
    words += [f"http://127.0.0.1:{rung.port}", "--", str(bodies), rung.path]
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 60, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    served, all_of = cpu_of(rung.pid) - server, (busy_seconds() or 0.0) - busy
    told = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("@"))[1:])
    others = max(0.0, all_of - served - client - sum(os.times()[:2]) + own)
    return Slice(
        told["requests"] / told["us"] * 1e6, told["p50"] / 1e3, told["p99"] / 1e3, told["errors"],
        served / wall, client / wall, others / wall,
    )  # fmt: skip


@contextmanager
def ours(name: str, options: Sequence[str], model: Path, one: Path, many: Path, log: Path) -> Iterator[Rung]:
    """``lighten serve``, once it is ready."""
    words = [sys.executable, "-m", "lighten", "serve", f"m={model}", "--port", "0", "--json", *options]
    with log.open("w") as errors, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True) as up:
        try:
            assert up.stdout is not None
            line = up.stdout.readline()
            if not line:
                sys.exit(f"{name} does not start: {log.read_text()[-800:]}")
            port = int(json.loads(line)["address"].rpartition(":")[2])
            yield answering(Rung(name, up.pid, port, "/predict/m", one, many), up, log)
        finally:
            up.terminate()


def answering(rung: Rung, up: subprocess.Popen[Any], log: Path) -> Rung:
    """The same rung, once it has answered something."""
    body = rung.one.read_text(encoding="utf-8").splitlines()[0]
    for _ in range(300):
        try:
            connection = HTTPConnection("127.0.0.1", rung.port, timeout=5)
            connection.request("POST", rung.path, body, {"Content-Type": "application/json"})
            if connection.getresponse().status == 200:
                return rung
        except OSError:
            pass
        if up.poll() is not None:
            break
        time.sleep(0.2)
    sys.exit(f"{rung.name} does not answer: {log.read_text()[-800:]}")
