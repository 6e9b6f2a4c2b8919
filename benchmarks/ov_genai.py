"""An engine that lives in an environment of its own, for real: made with pip, then measured beside llama.cpp.

    python benchmarks/ov_genai.py [--weights int8,int4] [--documents 40] [--seconds 20] [--json]

Makes the environment of ``ov_genai`` if it is not there (some hundred megabytes of downloads), takes ``sample:gemma``
out of its GGUF file, exports it there with each weight format, and measures every one in turns with llama.cpp on the
file as shipped, each in a process of its own; then bits per byte on documents about films. Writes
``benchmarks/out/ov_genai.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.language_codes import BYTES, NATS
from lighten.core.recipe import Recipe
from lighten.core.step import Step
from lighten.data.language import read_language
from lighten.data.samples import fetch_sample
from lighten.isolate.machine import allowed_cores
from lighten.measure.interleave import measure
from lighten.measure.workload import draw
from lighten.models.bring import bring
from lighten.pipeline.workshop import Workshop
from lighten.sessions.process import SessionProcess
from lighten.store.folder import save_parts
from lighten.verbs.engine import add

OUT = Path(__file__).parent / "out"
SHIPPED = "llama.cpp, as shipped"
SPEEDS = ("decode", "load", "memory", "prefill", "size", "streams")
COLUMNS = (
    "size",
    "memory",
    "bits_per_byte",
    "decode",
    "times_decode",
    "spread_decode",
    "decode4",
    "decode16",
    "prefill",
    "ttft",
    "load",
)
PATIENCE = 1800.0


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Make, export, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="int8,int4")
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began = time.monotonic()
    environment = add("ov-genai", progress=say)
    waited = time.monotonic() - began
    data = read_language(fetch_sample("reviews/movie-documents"))
    task, threads = catalog.load("tasks", "text_generation")(**data.task), allowed_cores()
    documents = data.parts.select.inputs[: asked.documents]
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-bench-")))
        save_parts(data.parts, scratch / "parts.json")
        workshop = Workshop(scratch / "store", scratch / "parts.json", task, seed=0, threads=threads)
        stack.callback(workshop.close)
        model = bring("sample:gemma", scratch / "model")
        engines = {name: catalog.load("engines", name)() for name in ("llama", "ov_genai")}
        rungs = {SHIPPED: (workshop.build(model, engines["llama"]), engines["llama"])}
        seconds: dict[str, float] = {}
        for weights in asked.weights.split(","):
            step: Step = catalog.load_step("quantize.openvino_language")(weights=weights)
            chain = Recipe("sample:gemma", (step,), engines["ov_genai"]).plan(format=model.format)
            say(f"exporting with weights in {weights}")
            began = time.monotonic()
            made: Artifact = workshop.build(workshop.make(model, chain), engines["ov_genai"])
            seconds[f"openvino {weights}"] = time.monotonic() - began
            rungs[f"openvino {weights}"] = (made, engines["ov_genai"])
        workshop.close()
        sessions = {
            name: stack.enter_context(SessionProcess(built, engine, threads=threads, task=task, deadline=PATIENCE))
            for name, (built, engine) in rungs.items()
        }
        say(f"measuring {len(sessions)} in turns")
        timed = measure(
            sessions, draw(data.parts.select, task.requests), meters=SPEEDS, seconds=asked.seconds * len(rungs)
        )
        rows: list[dict[str, Any]] = []
        for name, readings in timed.items():
            if isinstance(readings, Exception):
                rows.append({"rung": name, "failed": str(readings)})
                continue
            row = {quantity: reading.measured.value for quantity, reading in readings.items()}
            row |= {f"times_{quantity}": reading.ratio for quantity, reading in readings.items()}
            row |= {f"spread_{quantity}": reading.ratio_spread for quantity, reading in readings.items()}
            say(f"scoring {len(documents)} documents with {name}")
            began = time.monotonic()
            answers = sessions[name].run(documents)
            row["scoring_seconds"] = time.monotonic() - began
            row["bits_per_byte"] = float(answers[:, NATS].sum() / math.log(2) / answers[:, BYTES].sum())
            rows.append({"rung": name, "export_seconds": seconds.get(name), **row})
    record = {
        "environment": {
            "bytes": environment.bytes,
            "seconds": environment.seconds,
            "seconds_now": waited,
            "versions": dict(environment.versions),
        },
        "documents": len(documents),
        "rows": rows,
    }
    OUT.mkdir(exist_ok=True)
    (OUT / "ov_genai.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if asked.json:
        print(json.dumps(record, indent=1))
        return
    print(f"environment: {environment.bytes / 1e6:,.0f} MB, made in {environment.seconds:.0f} s")
    print(f"{'':24}" + "".join(f"{name:>14}" for name in COLUMNS))
    for row in rows:
        values = [row.get(name) for name in COLUMNS]
        shown = ["-" if value is None else f"{value:,.4g}" for value in values]
        print(f"{row['rung']:24}" + "".join(f"{value:>14}" for value in shown) + f"  {row.get('failed', '')}")


if __name__ == "__main__":
    main()
