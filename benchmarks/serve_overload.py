"""``lighten serve`` under more load than it can answer: what is refused, how soon, and what memory it takes.

    python benchmarks/serve_overload.py WINNER REVIEWS.csv [--minutes 5] [--calm 30] [--times 2]

What it can answer is taken from a closed loop of 64 connections (wrk, 10 s). Then comes ``hey`` at a constant rate:
0.8 of that for ``--calm`` seconds, and ``--times`` of it for ``--minutes``, in pieces of 20 s, from 800 connections,
each request with one text of the file, of middling length. Memory is that of the server with all its processes
(proportional set size), looked at each second. Requests are counted by status; p50 and p99 are of those that were
answered and of those that were refused. The load shares the machine's cores with the server; its CPU is said. A
refusal is prompt where its p99 is no later than that of answers at the calm load. Draws ``benchmarks/out/serve-
overload.svg`` and writes ``serve-overload.json``. Needs wrk and hey.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from serve_load import LUA, Rung, cpu_of, load, memory_of, ours

from lighten.measure.environment import MachineRecord

OUT = Path(__file__).parent / "out"
LOADS, CONNECTIONS = 20, 40
"""Processes of ``hey``, and connections of each. Those of one process ask at the same moment, each so often that they
make the rate together; processes begin one after the other, so that requests come evenly."""
PIECE = 20
"""Seconds of one run of the load: it keeps each request in memory."""


@dataclass
class Span:
    """Some seconds at one rate.

    Attributes:
        asked: requests/s that were wanted. sent, statuses: how many there were. answered, refused: their seconds.
        memory: MiB, each second. server, client: cores.
    """

    asked: float
    sent: float = 0.0
    server: float = 0.0
    client: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    answered: list[float] = field(default_factory=list, repr=False)
    refused: list[float] = field(default_factory=list, repr=False)
    memory: list[float] = field(default_factory=list, repr=False)

    def told(self) -> dict[str, object]:
        """As a plain dictionary, times in milliseconds."""
        times = {
            f"{name}_p{q}_ms": float(np.percentile(values, q)) * 1e3 if values else None
            for name, values in (("answered", self.answered), ("refused", self.refused))
            for q in (50, 99)
        }
        plain = {name: getattr(self, name) for name in ("asked", "sent", "server", "client")}
        return {**plain, "statuses": dict(self.statuses), **times, "memory_mib": [min(self.memory), max(self.memory)]}


@contextmanager
def watched(pid: int, memory: list[float]) -> Iterator[None]:
    """Memory of a server is looked at each second."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            memory.append(memory_of(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def begun(words: Sequence[str], pause: float) -> str:
    """Run a command after a pause, in seconds. Returns what it writes."""
    time.sleep(pause)
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def at_rate(rung: Rung, body: Path, rate: float, seconds: float) -> Span:
    """A constant rate for some seconds."""
    span, left, wall = Span(rate), seconds, 0.0
    address = f"http://127.0.0.1:{rung.port}{rung.path}"
    served, before = cpu_of(rung.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    with watched(rung.pid, span.memory):
        while left > 0:
            piece = min(PIECE, left)
            each = rate / (LOADS * CONNECTIONS)
            words = ["hey", "-z", f"{piece:g}s", "-c", str(CONNECTIONS), "-q", f"{each:.4f}", "-m", "POST"]
            words += ["-T", "application/json", "-D", str(body), "-o", "csv", "-t", "20"]
            began = time.perf_counter()
            with ThreadPoolExecutor(LOADS) as pool:
                done = list(pool.map(partial(begun, [*words, address]), (n / LOADS / each for n in range(LOADS))))
            wall += time.perf_counter() - began
            rows = [row for text in done for row in csv.DictReader(text.splitlines())]
            for row in rows:
                status, took = row["status-code"], float(row["response-time"])
                span.statuses[status] += 1
                if status == "200":
                    span.answered.append(took)
                elif status == "429":
                    span.refused.append(took)
            left -= piece
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    span.sent = sum(span.statuses.values()) / wall
    span.server = (cpu_of(rung.pid) - served) / wall
    span.client = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / wall
    return span


def checks_of(calm: Span, heavy: Span) -> dict[str, bool]:
    """What has to hold, by its words."""
    p99 = {name: float(np.percentile(values, 99)) for name, values in (
        ("calm", calm.answered), ("heavy", heavy.answered), ("refused", heavy.refused)) if values}  # fmt: skip
    grown = max(heavy.memory) / max(calm.memory)
    late = p99["heavy"] / p99["calm"]
    strange = sum(count for status, count in heavy.statuses.items() if status not in ("200", "429"))
    return {
        f"memory at most 1.2x of that at 0.8 of the load ({grown:.2f}x)": grown <= 1.2,
        f"p99 of what is answered within 3x of that at 0.8 of the load ({late:.2f}x)": late <= 3,
        f"every other request is a 429 ({strange} are not)": strange == 0 and bool(heavy.refused),
        "refusals are prompt": bool(heavy.refused) and p99["refused"] <= p99["calm"],
    }


def draw(calm: Span, heavy: Span, path: Path) -> None:
    """Distributions of times, and memory over the seconds, as a picture."""
    series = (("answered, calm", calm.answered, "#4477aa"), ("answered, overload", heavy.answered, "#cc6677"),
              ("refused, overload", heavy.refused, "#ddaa33"))  # fmt: skip
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 320" font-family="sans-serif" font-size="12">',
        '<rect width="900" height="320" fill="white"/>',
        '<text x="20" y="20">time of a request, ms (logarithmic), by share of requests</text>',
        '<text x="490" y="20">memory of the server, MiB, by second</text>',
    ]
    for at, label in ((1e-3, "1"), (1e-2, "10"), (1e-1, "100"), (1.0, "1000")):
        y = 280 - 60 * (np.log10(at) + 4)
        parts.append(f'<path d="M50 {y:.1f}H440" stroke="#ddd"/><text x="20" y="{y + 4:.1f}">{label}</text>')
    for place, (name, values, color) in enumerate(series):
        if not values:
            continue
        shares = np.linspace(0, 99.9, 200)
        points = zip(shares, np.percentile(values, shares), strict=True)
        line = " ".join(f"{50 + 3.9 * share:.1f},{280 - 60 * (np.log10(max(v, 1e-4)) + 4):.1f}" for share, v in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{60 + 130 * place}" y="306" fill="{color}">{name}</text>')
    most = max([*calm.memory, *heavy.memory]) * 1.1
    for values, color in ((calm.memory, "#4477aa"), (heavy.memory, "#cc6677")):
        step = 370 / max(1, len(heavy.memory) - 1)
        line = " ".join(f"{500 + step * place:.1f},{280 - 240 * v / most:.1f}" for place, v in enumerate(values))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
    parts.append(f'<text x="490" y="306">0 to {most:.0f} MiB over {len(heavy.memory)} s</text></svg>')
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def middling(texts: Sequence[str]) -> str:
    """The text of middling length."""
    return sorted(texts, key=len)[len(texts) // 2]


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--calm", type=float, default=30.0, help="seconds at 0.8 of what it can answer")
    parser.add_argument("--times", type=float, default=2.0, help="of what it can answer")
    parser.add_argument("--option", action="append", default=[], help="of lighten serve, as --option=--threads=1")
    asked = parser.parse_args()
    for tool in ("wrk", "hey"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} makes the load and is not installed: apt install {tool}")
    with asked.data.open(newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "load.lua").write_text(LUA, encoding="utf-8")
        one, body = work / "one", work / "body"
        body.write_text(json.dumps({"inputs": [middling(texts)]}), encoding="utf-8")
        one.write_text(body.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        with ours("lighten serve", asked.option, asked.model, one, one, work / "log") as rung:
            load(rung, one, work / "load.lua", 64, 3)
            able = load(rung, one, work / "load.lua", 64, 10).requests
            calm = at_rate(rung, body, 0.8 * able, asked.calm)
            heavy = at_rate(rung, body, asked.times * able, 60 * asked.minutes)
            after = load(rung, one, work / "load.lua", 64, 10).requests
    print(f"answers in a closed loop {able:.0f} requests/s, and {after:.0f} after the overload")
    for name, span in (("0.8 of it", calm), (f"{asked.times:g} times", heavy)):
        told = span.told()
        print(f"{name}: wanted {span.asked:.0f}/s, sent {span.sent:.0f}/s, statuses {dict(span.statuses)}, "
              f"answered p50 {told['answered_p50_ms']:.1f} p99 {told['answered_p99_ms']:.1f} ms, refused p50 "
              f"{told['refused_p50_ms'] or 0:.1f} p99 {told['refused_p99_ms'] or 0:.1f} ms, memory "
              f"{statistics.median(span.memory):.0f} (at most {max(span.memory):.0f}) MiB, cores {span.server:.2f} "
              f"server {span.client:.2f} load")  # fmt: skip
    checks = checks_of(calm, heavy)
    for what, met in checks.items():
        print(f"{'met   ' if met else 'MISSED'}  {what}")
    OUT.mkdir(exist_ok=True)
    draw(calm, heavy, OUT / "serve-overload.svg")
    record = {"able": able, "after": after, "calm": calm.told(), "heavy": heavy.told(), "checks": checks,
              "environment": MachineRecord.here().to_json()}  # fmt: skip
    (OUT / "serve-overload.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
