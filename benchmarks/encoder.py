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
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", ORT_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="true")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
from encoder_rungs import Toolkits  # noqa: E402
from turns import FIRST, OURS, Rung, measure, rows_of, show  # noqa: E402

import lighten  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.store.folder import load_parts  # noqa: E402
from lighten.store.summaries import load_summary  # noqa: E402

OUT = Path(__file__).parent / "out"


def make_run(minutes: str) -> Path:
    """A run of the main job in a new folder."""
    out = OUT / time.strftime("encoder-%Y%m%d-%H%M%S")
    command = [sys.executable, "-m", "lighten", "optimize", "sample:minilm", "--data", "sample:reviews"]
    command += ["--keep", "accuracy>=-1pt", "--minimize", "throughput", "--time", minutes, "--out", str(out)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"lighten optimize ended with {done.returncode}")
    return out


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
