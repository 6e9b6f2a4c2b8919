"""A classifier behind HTTP: ``lighten serve`` beside plain FastAPI, alone and with two uvicorn workers.

    python benchmarks/serve.py WINNER REVIEWS.csv [--rounds 3] [--seconds 5] [--connections 1 8 32 64]
    python benchmarks/serve.py WINNER sample:fashion

WINNER is an artifact with ``model.onnx`` and ``tokenizer.json`` or ``preprocessor_config.json``; the other rungs open
the same file. The load comes from wrk, one thread, closed loop, over loopback: one text of the column ``text``, or one
picture of a folder or a sample (see ``serve_bodies.py``), for each request, in random order. All servers are up; rungs
take turns, every other round in reverse order. A slice in which others took more than a tenth of the cores is set
aside, and so is the other one of a ratio; the two quietest are kept in any case. Ratios are medians of the ratios of
slices of one round; CPU is cores busy on average, of a server with all its processes, and of wrk, which shares the
cores. ``32 for each``: inputs/s where each request has 32, beside lighten's own session in turns. The handler of the
FastAPI rungs is ``async def`` and calls the model in it, which blocks the event loop of its worker; one with ``def``,
which runs in threads, is not measured. Needs wrk, fastapi and uvicorn. Writes ``benchmarks/out/serve.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from serve_bodies import asked_of
from serve_load import LUA, Rung, Slice, answering, load, ours

from lighten.core.item import Item
from lighten.isolate.machine import allowed_cores
from lighten.measure.environment import MachineRecord
from lighten.sessions.process import SessionProcess
from lighten.verbs.load import resolved
from lighten.verbs.question import question_of

HERE = Path(__file__).parent
OUT = HERE / "out"
OURS, FIRST, WORKERS = "lighten serve", "FastAPI", "FastAPI, two uvicorn workers"
MANY = 32
"""Inputs of a request that has several."""
FAIR = 0.1
"""Share of the cores that others may have taken of a slice that counts."""


@contextmanager
def fastapi(name: str, workers: int, model: Path, port: int, bodies: Path, log: Path) -> Iterator[Rung]:
    """Plain FastAPI, once its workers answer."""
    words = [sys.executable, "-m", "uvicorn", "--factory", "serve_rungs:app", "--workers", str(workers)]
    words += ["--port", str(port), "--no-access-log", "--log-level", "error", "--app-dir", str(HERE)]
    with log.open("w") as errors, subprocess.Popen(words, env={**os.environ, "MODEL": str(model)}, stderr=errors) as up:
        try:
            yield answering(Rung(name, up.pid, port, "/predict", bodies), up, log)
        finally:
            up.terminate()


def own_session(model: Path, items: Sequence[Item], seconds: float) -> float:
    """Inputs that lighten's own session answers in a second, ``MANY`` at a time, for some seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        artifact, engine = resolved(str(model), Path(scratch) / "model")
        task = question_of(artifact).task
        with SessionProcess(artifact, engine, threads=allowed_cores(), task=task) as session:
            answered, began = 0, 0.0
            for number in range(10**9):
                session.run(items[number * MANY % len(items) :][:MANY])
                if number == 20:
                    began = time.perf_counter()  # it is warm
                elif number > 20:
                    answered += MANY
                    if time.perf_counter() - began > seconds:
                        break
            return answered / (time.perf_counter() - began)


def quiet(groups: Sequence[Sequence[Slice]]) -> Sequence[Sequence[Slice]]:
    """Groups of slices that all count, or the two quietest."""
    calm = sorted(groups, key=lambda group: max(one.others for one in group))
    few = [group for group in calm if max(one.others for one in group) < FAIR * allowed_cores()]
    return few if len(few) >= 2 else calm[:2]


def medians(slices: Sequence[Slice]) -> Slice:
    """Of those that count, or of the two quietest."""
    kept = [one for (one,) in quiet([(one,) for one in slices])]
    values = {name: statistics.median(getattr(one, name) for one in kept) for name in asdict(kept[0])}
    return Slice(**{**values, "errors": sum(one.errors for one in slices)})


def ratio(found: Mapping[tuple[str, int], Sequence[Slice]], name: str, other: str, connections: int) -> float:
    """Requests/s of a rung beside another one's, in rounds in which both of their slices count."""
    pairs = list(zip(found[name, connections], found[other, connections], strict=True))
    return statistics.median(a.requests / b.requests for a, b in quiet(pairs))


def checks_of(
    table: Mapping[tuple[str, int], Slice], found: Mapping[tuple[str, int], Sequence[Slice]], several: float
) -> dict[str, bool]:
    """What has to hold, by its words."""
    best = max((name for name in (FIRST, WORKERS)), key=lambda name: max(
        one.requests for (rung, _), one in table.items() if rung == name))  # fmt: skip
    checks = {}
    for connections in sorted({connections for _, connections in table}):
        one = table[OURS, connections]
        if connections == 1:
            checks["p50 at one connection is no worse"] = one.p50 <= table[best, 1].p50
            continue
        times = ratio(found, OURS, best, connections)
        checks[f"1.3x the requests/s of {best} at {connections} connections ({times:.2f}x)"] = times >= 1.3
        checks[f"p99 at most 2x p50 at {connections} connections"] = one.p99 <= 2 * one.p50
    checks[f"{MANY} inputs for each request: 90 % of the session ({several:.0%})"] = several >= 0.9
    checks["no errors"] = not any(one.errors for one in table.values())
    return checks


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", help="a CSV with a column text, or pictures: a folder or a sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32, 64])
    parser.add_argument(
        "--option", action="append", default=[], help="an option of lighten serve, as --option=--threads=1"
    )
    parser.add_argument(
        "--port", type=int, default=8311, help="of the first of the others; the second has the next one"
    )
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk makes the load and is not installed: apt install wrk")
    inputs = asked_of(asked.data)
    found: dict[tuple[str, int], list[Slice]] = {}
    many: list[tuple[Slice, float]] = []
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (work / "load.lua").write_text(LUA, encoding="utf-8")
        plain, one_each, many_each = inputs.written(work, MANY)
        bodies = one_each, many_each
        enter, two = stack.enter_context, [*asked.option, "--replicas", "2"]
        rungs = [
            enter(fastapi(FIRST, 1, asked.model, asked.port, plain, work / "fastapi.log")),
            enter(fastapi(WORKERS, 2, asked.model, asked.port + 1, plain, work / "workers.log")),
            enter(ours(OURS, asked.option, asked.model, *bodies, work / "one.log")),
            enter(ours(f"{OURS}, two replicas", two, asked.model, *bodies, work / "two.log")),
        ]
        lua = work / "load.lua"
        for rung in rungs:
            load(rung, rung.one, lua, 8, 1)
        for number in range(asked.rounds):
            for connections in asked.connections:
                for rung in rungs if number % 2 == 0 else reversed(rungs):
                    one = load(rung, rung.one, lua, connections, asked.seconds)
                    found.setdefault((rung.name, connections), []).append(one)
                    print(f"round {number + 1}: {rung.name}, {connections}: {one}", file=sys.stderr, flush=True)
            several = load(rungs[2], bodies[1], lua, 4, asked.seconds)
            many.append((several, own_session(asked.model, inputs.items, asked.seconds)))
    table = {key: medians(slices) for key, slices in found.items()}
    share = statistics.median(one.requests * MANY / alone for one, alone in many)
    heads = ("req/s", "p50 ms", "p99 ms", "server", "client", "others")
    print(f"{'rung':32s} {'conns':>5s} " + " ".join(f"{head:>7s}" for head in heads))
    for (name, connections), one in sorted(table.items(), key=lambda item: item[0][1]):
        print(f"{name:32s} {connections:5d} {one.requests:7.0f} {one.p50:7.2f} {one.p99:7.2f} {one.server:7.2f} "
              f"{one.client:7.2f} {one.others:7.2f}")  # fmt: skip
    print(f"{MANY} for each request: {statistics.median(one.requests for one, _ in many) * MANY:.0f} {inputs.unit}/s, "
          f"the session alone {statistics.median(alone for _, alone in many):.0f}")  # fmt: skip
    checks = checks_of(table, found, share)
    for what, met in checks.items():
        print(f"{'met   ' if met else 'MISSED'}  {what}")
    OUT.mkdir(exist_ok=True)
    rows = [{"rung": name, "connections": n, **asdict(one)} for (name, n), one in table.items()]
    record = {"rows": rows, "share_of_session": share, "checks": checks, "environment": MachineRecord.here().to_json()}
    (OUT / "serve.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
