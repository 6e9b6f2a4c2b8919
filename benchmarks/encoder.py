"""What a user could pick instead of lighten for a text classifier on this CPU, and the winner, in one interleaved run.

    python benchmarks/encoder.py [--time 15m] [--run DIR]

Makes a run of the main job on ``sample:minilm`` and ``sample:reviews`` (or takes the finished one in ``--run``), then
measures its winner beside what the toolkits give for the same fine-tuned model, each at its documented best (see
``encoder_rungs``): torch eager and compiled in fp32 and bf16, ONNX Runtime in fp32 and dynamic int8, OpenVINO in f32,
its default precision and NNCF static int8. Every rung gets the same requests, tokenizer included, and the same threads.

Rungs take turns. A turn in which others took much of the cores, or which took far longer than the same rung at its best
beside the first one, is set aside and taken again (see ``lighten.measure.rounds``). Ratios are medians of the ratios of
the turns that count, ± half their interquartile range. Accuracy is that of the whole proof part. Writes
``benchmarks/out/encoder.json``.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", ORT_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="true")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
from encoder_rungs import Rung, Toolkits  # noqa: E402

import lighten  # noqa: E402
from lighten.core.result import LOWER  # noqa: E402
from lighten.core.spread import half_iqr  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.isolate.neighbours import Neighbours  # noqa: E402
from lighten.measure.rounds import calm, ratios, severities  # noqa: E402
from lighten.store.folder import load_parts  # noqa: E402
from lighten.store.summaries import load_summary  # noqa: E402

FIRST, OURS = "torch eager fp32", "lighten's winner"
OUT = Path(__file__).parent / "out"
LEAST, MOST = 3, 3
"""Undisturbed turns below which figures are no result; how many times the turns asked for are taken at the most."""
KINDS = ("one", "many")


@dataclass
class Turns:
    """The turns of one rung and one kind: what each cost, in seconds, and what others took of the cores meanwhile."""

    costs: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def take(self, run: Callable[[], float]) -> None:
        """Another turn. run: does it, and says what it cost."""
        time.sleep(0.03)  # threads of another runtime may still spin
        neighbours = Neighbours()
        self.costs.append(run())
        self.others.append(neighbours.share() or 0.0)


Field = dict[str, dict[str, Turns]]
"""Turns by rung, then by kind."""


def make_run(minutes: str) -> Path:
    """A run of the main job in a new folder."""
    out = OUT / time.strftime("encoder-%Y%m%d-%H%M%S")
    command = [sys.executable, "-m", "lighten", "optimize", "sample:minilm", "--data", "sample:reviews"]
    command += ["--keep", "accuracy>=-1pt", "--minimize", "throughput", "--time", minutes, "--out", str(out)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"lighten optimize ended with {done.returncode}")
    return out


def disturbances(field: Field, name: str, kind: str) -> list[float]:
    """How disturbed each turn of a rung was beside the first rung's; above 1 it says nothing."""
    own, first = field[name][kind], field[FIRST][kind]
    others = [max(pair) for pair in zip(own.others, first.others, strict=True)]
    return severities(own.costs, first.costs, others)


def quiet(field: Field, name: str, kind: str) -> int:
    """How many turns of a rung were undisturbed."""
    return sum(one <= 1.0 for one in disturbances(field, name, kind))


def measure(rungs: Mapping[str, Rung], batch: list[str], singles: int, turns: int) -> Field:
    """All rungs in turns, every other round in reverse order, until each has enough turns that count."""
    found: Field = {name: {kind: Turns() for kind in KINDS} for name in rungs}
    for number in range(turns * MOST):
        texts = [batch[(number * singles + i) % len(batch)] for i in range(singles)]
        for name in list(rungs) if number % 2 == 0 else list(reversed(rungs)):
            rung = rungs[name]
            found[name]["one"].take(partial(median_wait, rung, texts))
            found[name]["many"].take(partial(seconds_for, rung, batch))
        print(f"round {number + 1} done", file=sys.stderr, flush=True)
        if min(quiet(found, name, kind) for name in rungs for kind in KINDS) >= turns:
            break
    return found


def median_wait(rung: Rung, texts: Sequence[str]) -> float:
    """Median seconds of single requests."""
    took = []
    for text in texts:
        began = time.perf_counter()
        rung.one([text])
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def seconds_for(rung: Rung, texts: list[str]) -> float:
    """Seconds of all rows at once."""
    began = time.perf_counter()
    rung.many(texts)
    return time.perf_counter() - began


def rows_of(field: Field, rungs: Mapping[str, Rung], accuracy: Mapping[str, float], rows: int) -> list[dict[str, Any]]:
    """What the table holds, one row per rung."""
    found = []
    for name, rung in rungs.items():
        row: dict[str, Any] = {"rung": name, "accuracy": accuracy[name], "way": rung.way}
        for kind in KINDS:
            kept = calm(disturbances(field, name, kind), least=LEAST)
            own, first = field[name][kind].costs, field[FIRST][kind].costs
            times = ratios([own[i] for i in kept], [first[i] for i in kept], LOWER)
            row |= {
                f"seconds_{kind}": statistics.median(own[i] for i in kept),
                f"times_{kind}": statistics.median(times),
                f"spread_{kind}": half_iqr(times) or 0.0,
                f"turns_{kind}": f"{quiet(field, name, kind)} of {len(own)}",
            }
        row["unsure"] = min(quiet(field, name, kind) for kind in KINDS) < LEAST
        row |= {"p50_ms": row["seconds_one"] * 1e3, "rows_per_second": rows / row["seconds_many"]}
        found.append(row)
    return found


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table."""
    print("quiet: turns that count; a rung with fewer than three is unsure, its figures are no result")
    print(f"{'rung':42s} {'accuracy':>8s} {'p50 ms':>7s} {'rows/s':>7s} {'x p50':>14s} {'x rows/s':>14s}  quiet, way")
    for row in rows:
        times = [f"{row[f'times_{kind}']:.2f} ± {row[f'spread_{kind}']:.2f}" for kind in KINDS]
        print(
            f"{row['rung']:42s} {row['accuracy']:8.4f} {row['p50_ms']:7.2f} {row['rows_per_second']:7.0f} "
            f"{times[0]:>14s} {times[1]:>14s}  {row['turns_one']}, {row['turns_many']}; {row['way']}"
            + ("  UNSURE" if row["unsure"] else "")
        )


def checks_of(rows: Sequence[Mapping[str, Any]], verdict: Mapping[str, Any]) -> dict[str, bool]:
    """What has to hold, by its words."""
    by = {row["rung"]: row for row in rows}
    ours, stock = by[OURS], [row for name, row in by.items() if name not in (OURS, FIRST)]
    return {
        "6x the rows/s of torch eager fp32": ours["times_many"] >= 6,
        "4x better p50 than torch eager fp32": ours["times_one"] >= 4,
        "more rows/s than every stock rung": all(ours["times_many"] > row["times_many"] for row in stock),
        "the machine was quiet enough": not any(row["unsure"] for row in rows),
        "verdict holds at 1 point": verdict["state"] == "holds" and verdict["margin"] <= 0.01 + 1e-9,
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="15m", help="of the search")
    parser.add_argument("--run", type=Path, help="a finished run of this benchmark")
    parser.add_argument("--turns", type=int, default=9, help="how many undisturbed turns every rung is to have")
    parser.add_argument("--rows", type=int, default=512, help="rows of one turn of throughput")
    parser.add_argument("--singles", type=int, default=40, help="requests of one turn of latency")
    asked = parser.parse_args()
    run = asked.run or make_run(asked.time)
    summary = load_summary(run / "summary.json")
    parts, threads = load_parts(run / "parts.json"), allowed_cores()
    rng = np.random.default_rng(0)
    size = min(asked.rows, len(parts.select))
    batch = [parts.select.inputs[i] for i in rng.choice(len(parts.select), size, replace=False)]
    with tempfile.TemporaryDirectory() as scratch, lighten.load(run / "winner", threads=threads) as winner:
        kits = Toolkits(Path(summary.paths["original"]), list(parts.tune.inputs[:200]), threads, Path(scratch))
        rungs = dict(kits.rungs())
        if FIRST not in rungs:
            sys.exit(f"{FIRST} does not work here, and everything is compared with it")
        rungs[OURS] = Rung(winner._session.run, {"its session": winner._session.run})
        truth, proof = np.asarray(parts.proof.targets), list(parts.proof.inputs)
        for rung in rungs.values():
            rung.settle(batch)  # warm, and ours has its way
            for text in batch[:20]:
                rung.one([text])
        accuracy = {name: float((rung.many(proof).argmax(1) == truth).mean()) for name, rung in rungs.items()}
        field = measure(rungs, batch, asked.singles, asked.turns)
        rows = rows_of(field, rungs, accuracy, len(batch))
    show(rows)
    verdict = summary.verdicts[0]
    print(f"verdict on {verdict['n']} proof rows: {verdict['state']}, difference {verdict['difference']:+.4f}, "
          f"lower bound {verdict['lower']:+.4f}, margin {verdict['margin']:.4f}")  # fmt: skip
    checks = checks_of(rows, verdict)
    for what, met in checks.items():
        print(f"{'met   ' if met else 'MISSED'}  {what}")
    OUT.mkdir(exist_ok=True)
    record = {"rows": rows, "verdict": dict(verdict), "checks": checks, "environment": dict(summary.environment)}
    (OUT / "encoder.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
