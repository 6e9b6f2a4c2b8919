"""A language model behind HTTP: ``lighten serve`` beside llama.cpp's own server, and the bare engine, on one GGUF file.

    python benchmarks/serve_llm.py MODEL.gguf [--rounds 3] [--tokens 128] [--streams 1 4 16] [--threads 2]

llama.cpp's server is xllamacpp's, which is llama-server's code, in a process of its own; ``engine`` is the same engine
in this process, asked without HTTP. Every stream asks ``/v1/completions`` once with a prompt of its own, greedily, and
all begin together; tokens are those of ``usage``. ``streamed`` reads server-sent events. Rungs take turns, every other
round in reverse order; no server is asked a prompt twice, so that nothing is kept from one turn for another. A ratio is
the median of the ratios of the turns of a round. CPU is cores busy on average, of a server with all its processes, of
this process, and of others. Says how many answers of a turn are the same texts. Needs xllamacpp. Writes
``benchmarks/out/serve-llm.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from serve_load import cpu_of

from lighten.isolate.machine import allowed_cores, busy_seconds
from lighten.measure.environment import MachineRecord

OUT = Path(__file__).parent / "out"
ENGINE, THEIRS, OURS = "engine", "llama.cpp's server", "lighten serve"
BEGINNINGS = ("The history of the city begins with", "A good recipe for bread needs", "In the last game of the season",
              "The engine of a modern car is", "My grandmother used to say that", "Rain fell on the harbour while",
              "The first rule of chess is", "Nobody in the village knew why")  # fmt: skip
Ask = Callable[[dict[str, Any]], tuple[str, int]]
"""From a body of ``/v1/completions`` to the answer's text and how many tokens it has."""


@dataclass(frozen=True)
class Rung:
    """Something that answers completions.

    Attributes:
        pid: of the server's process; 0 where it is this one.
    """

    name: str
    pid: int
    ask: Ask


@dataclass(frozen=True)
class Turn:
    """All streams answered once. rate: tokens/s; server, client, others: cores."""

    rate: float
    server: float
    client: float
    others: float
    texts: tuple[str, ...]


def engine(path: str, threads: int, streams: int, port: int) -> Any:
    """llama.cpp's server by xllamacpp: as many slots as streams, 512 tokens for each."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel, params.n_ctx, params.port, params.hostnames = streams, 512 * streams, port, ["127.0.0.1"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity, params.warmup = -1, True
    return xllamacpp.Server(params)


def whole(port: int, model: str) -> Ask:
    """Asks a server, and takes the answer at once."""

    def ask(body: dict[str, Any]) -> tuple[str, int]:
        connection = HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request(
            "POST", "/v1/completions", json.dumps({**body, "model": model}), {"Content-Type": "application/json"}
        )
        reply = connection.getresponse()
        told = json.loads(reply.read())
        connection.close()
        if reply.status != 200:
            sys.exit(f"port {port}: {reply.status} {told}")
        return told["choices"][0]["text"], told["usage"]["completion_tokens"]

    return ask


def streamed(port: int, model: str) -> Ask:
    """Asks a server, and reads the answer token by token."""

    def ask(body: dict[str, Any]) -> tuple[str, int]:
        connection = HTTPConnection("127.0.0.1", port, timeout=600)
        asked = {**body, "model": model, "stream": True, "stream_options": {"include_usage": True}}
        connection.request("POST", "/v1/completions", json.dumps(asked), {"Content-Type": "application/json"})
        reply, text, count = connection.getresponse(), "", 0
        if reply.status != 200:
            sys.exit(f"port {port}: {reply.status} {reply.read()!r}")
        for line in reply:
            if not line.startswith(b"data: {"):
                continue
            told = json.loads(line[6:])
            text += "".join(choice["text"] for choice in told["choices"])
            count = (told.get("usage") or {}).get("completion_tokens", count)
        connection.close()
        return text, count

    return ask


def inside(server: Any) -> Ask:
    """Asks the engine of this process."""

    def ask(body: dict[str, Any]) -> tuple[str, int]:
        told = server.handle_completions(body)
        told = json.loads(told) if isinstance(told, (str, bytes)) else told
        return told["choices"][0]["text"], told["usage"]["completion_tokens"]

    return ask


def turn(rung: Rung, streams: int, tokens: int, number: int) -> Turn:
    """One answer for each stream."""
    number += 500 * rung.name.endswith("streamed")
    bodies = [
        {"prompt": f"{number * streams + one}. {BEGINNINGS[(number + one) % len(BEGINNINGS)]}", "max_tokens": tokens,
         "temperature": 0, "cache_prompt": False}
        for one in range(streams)
    ]  # fmt: skip
    if rung.name.startswith(OURS):
        bodies = [{name: value for name, value in body.items() if name != "cache_prompt"} for body in bodies]
    served, busy, own = cpu_of(rung.pid) if rung.pid else 0.0, busy_seconds() or 0.0, sum(os.times()[:2])
    began = time.perf_counter()
    with ThreadPoolExecutor(streams) as pool:
        found = list(pool.map(rung.ask, bodies))
    wall = time.perf_counter() - began
    server = cpu_of(rung.pid) - served if rung.pid else 0.0
    client, all_of = sum(os.times()[:2]) - own, (busy_seconds() or 0.0) - busy
    others = max(0.0, all_of - server - client)
    return Turn(
        sum(count for _, count in found) / wall, server / wall, client / wall, others / wall,
        tuple(text for text, _ in found),
    )  # fmt: skip


@contextmanager
def theirs(path: Path, threads: int, streams: int) -> Iterator[tuple[int, int]]:
    """llama.cpp's server in a process of its own: its id, and where it listens."""
    words = [sys.executable, __file__, "--serve", str(path), "--threads", str(threads), "--streams", str(streams)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as up:
        try:
            assert up.stdout is not None
            line = next((line for line in up.stdout if line.startswith("@")), "")
            if not line:
                sys.exit("llama.cpp's server does not start")
            yield up.pid, int(line.rpartition(":")[2])
        finally:
            up.terminate()


@contextmanager
def ours(path: Path, threads: int, log: Path) -> Iterator[tuple[int, int]]:
    """``lighten serve``: its id, and where it listens."""
    words = [sys.executable, "-m", "lighten", "serve", f"m={path}", "--port", "0", "--json", "--threads", str(threads)]
    with log.open("w") as errors, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True) as up:
        try:
            assert up.stdout is not None
            line = up.stdout.readline()
            if not line:
                sys.exit(f"lighten serve does not start: {log.read_text()[-800:]}")
            yield up.pid, int(json.loads(line)["address"].rpartition(":")[2])
        finally:
            up.terminate()


def ratio(found: Mapping[tuple[str, int], Sequence[Turn]], name: str, other: str, streams: int) -> float:
    """Tokens/s of a rung beside another one's, turn by turn."""
    pairs = zip(found[name, streams], found[other, streams], strict=True)
    return statistics.median(a.rate / b.rate for a, b in pairs)


def serve(path: Path, threads: int, streams: int) -> None:
    """Be llama.cpp's server until standard input ends."""
    held = engine(str(path), threads, streams, 8452)
    print("@" + held.listening_address, flush=True)
    sys.stdin.read()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--threads", type=int, default=allowed_cores())
    asked = parser.parse_args()
    if asked.serve is not None:
        serve(asked.serve, asked.threads, max(asked.streams))
        return
    if asked.model is None:
        parser.error("a GGUF file is needed")
    found: dict[tuple[str, int], list[Turn]] = {}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        most = max(asked.streams)
        they, port = stack.enter_context(theirs(asked.model, asked.threads, most))
        us, own = stack.enter_context(ours(asked.model, asked.threads, scratch / "log"))
        bare = engine(str(asked.model), asked.threads, most, 8451)
        rungs = [
            Rung(ENGINE, 0, inside(bare)),
            Rung(THEIRS, they, whole(port, "m")),
            Rung(f"{THEIRS}, streamed", they, streamed(port, "m")),
            Rung(OURS, us, whole(own, "m")),
            Rung(f"{OURS}, streamed", us, streamed(own, "m")),
        ]
        for rung in rungs:
            turn(rung, 1, 16, 999)
        for number in range(asked.rounds):
            for streams in asked.streams:
                for rung in rungs if number % 2 == 0 else reversed(rungs):
                    one = turn(rung, streams, asked.tokens, number)
                    found.setdefault((rung.name, streams), []).append(one)
                    told = f"{one.rate:.1f} tokens/s, server {one.server:.2f}, others {one.others:.2f}"
                    print(f"round {number + 1}: {rung.name}, {streams}: {told}", file=sys.stderr, flush=True)
    show(found, asked.streams)


def show(found: Mapping[tuple[str, int], Sequence[Turn]], streams: Sequence[int]) -> None:
    """The table, what has to hold, and the record of both."""
    print(f"{'rung':32s} {'streams':>7s} {'tok/s':>7s} {'server':>7s} {'client':>7s} {'others':>7s} {'of engine':>9s}")
    rows = []
    for (name, number), turns in sorted(found.items(), key=lambda item: item[0][1]):
        values = {
            key: statistics.median(getattr(one, key) for one in turns) for key in ("rate", "server", "client", "others")
        }
        share = ratio(found, name, ENGINE, number)
        rows.append({"rung": name, "streams": number, **values, "of_engine": share})
        print(f"{name:32s} {number:7d} {values['rate']:7.1f} {values['server']:7.2f} {values['client']:7.2f} "
              f"{values['others']:7.2f} {share:9.0%}")  # fmt: skip
    checks = {}
    for number in streams:
        for name, other in ((OURS, THEIRS), (f"{OURS}, streamed", f"{THEIRS}, streamed")):
            times = ratio(found, name, other, number)
            checks[f"{name}: {other} at {number} streams ({times:.2f}x)"] = times >= 1.0
        share = ratio(found, OURS, ENGINE, number)
        checks[f"95 % of the engine at {number} streams ({share:.0%})"] = share >= 0.95
        same = [
            a == b
            for one, two in zip(found[OURS, number], found[THEIRS, number], strict=True)
            for a, b in zip(one.texts, two.texts, strict=True)
        ]
        print(f"{number} streams: {sum(same)} of {len(same)} answers are the same texts as {THEIRS} gives")
    for what, met in checks.items():
        print(f"{'met   ' if met else 'MISSED'}  {what}")
    OUT.mkdir(exist_ok=True)
    turns = [{"rung": name, "streams": n, **asdict(one)} for (name, n), all_of in found.items() for one in all_of]
    record = {"rows": rows, "checks": checks, "turns": turns, "environment": MachineRecord.here().to_json()}
    (OUT / "serve-llm.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
