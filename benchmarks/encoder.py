"""What a user could pick instead of lighten for a text classifier on this CPU, and the winner, in one interleaved run.

    python benchmarks/encoder.py [--time 15m] [--run DIR]

Makes a run of the main job on ``sample:minilm`` and ``sample:reviews`` (or takes the finished one in ``--run``), then
measures its winner beside what the toolkits give for the same fine-tuned model: torch eager in fp32 and bf16, ONNX
Runtime in fp32 and dynamic int8, OpenVINO in its default precision and NNCF static int8. Every rung gets the same
requests, tokenizer included, and the same threads; rungs take turns, and ratios are medians of the ratios of each turn.
Accuracy is that of the whole proof part. Writes ``benchmarks/out/encoder.json``.
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
from collections.abc import Callable
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", ORT_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="true")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

import lighten  # noqa: E402
from lighten.core.summary import Summary  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.store.folder import load_parts  # noqa: E402

Answer = Callable[[list[str]], NDArray[np.float32]]
BATCH = 32
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


def toolkit_rungs(model: Path, calibration: list[str], threads: int, scratch: Path) -> dict[str, Answer]:
    """What the toolkits give for ``model``, each as their own documentation shows it."""
    import nncf
    import onnx
    import onnxruntime as ort
    import openvino as ov
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(model)

    def encode(texts: list[str]) -> dict[str, NDArray[np.int64]]:
        return dict(tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="np"))

    def eager(dtype: torch.dtype) -> Answer:
        net = AutoModelForSequenceClassification.from_pretrained(model, dtype=dtype).eval()

        def answer(texts: list[str]) -> NDArray[np.float32]:
            with torch.inference_mode():
                tensors = {name: torch.from_numpy(value) for name, value in encode(texts).items()}
                return net(**tensors).logits.float().numpy()

        return answer

    def onnxruntime(path: Path) -> Answer:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = {one.name for one in session.get_inputs()}
        return lambda texts: session.run(None, {k: v for k, v in encode(texts).items() if k in names})[0]

    def openvino(graph: ov.Model) -> Answer:
        compiled = core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads})
        names = {name for one in compiled.inputs for name in one.names}
        return lambda texts: compiled({k: v for k, v in encode(texts).items() if k in names})[0]

    net = AutoModelForSequenceClassification.from_pretrained(model).eval()
    example = {k: torch.from_numpy(v) for k, v in encode(["a b c", "d e f g"]).items()}
    free = {k: {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")} for k in example}
    exported = scratch / "model.onnx"
    torch.onnx.export(
        net, (), exported, kwargs=example, input_names=list(example), dynamic_shapes=free, dynamo=True,
        external_data=False, verbose=False,
    )  # fmt: skip
    graph = onnx.load(exported)
    graph.graph.ClearField("value_info")  # else onnxruntime's quantizer refuses the file
    onnx.save(graph, exported)
    quantize_dynamic(exported, scratch / "dynamic.onnx", weight_type=QuantType.QInt8)
    core = ov.Core()
    items = [encode([text]) for text in calibration]
    static = nncf.quantize(
        core.read_model(exported), nncf.Dataset(items), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(items)
    )
    return {
        "torch eager fp32": eager(torch.float32),
        "torch eager bf16": eager(torch.bfloat16),
        "onnxruntime fp32": onnxruntime(exported),
        "onnxruntime dynamic int8": onnxruntime(scratch / "dynamic.onnx"),
        "openvino default precision": openvino(core.read_model(exported)),
        "openvino NNCF static int8": openvino(static),
    }


def in_batches(answer: Answer, texts: list[str]) -> NDArray[np.float32]:
    """Answers of a toolkit rung, batches of 32 rows sorted by length so that little is padded: [n, classes]."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(order), BATCH):
        found.append(answer([texts[i] for i in order[start : start + BATCH]]))
    answers = np.concatenate(found)
    back = np.empty_like(answers)
    back[order] = answers
    return back


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="15m", help="of the search")
    parser.add_argument("--run", type=Path, help="a finished run of this benchmark")
    parser.add_argument("--turns", type=int, default=9, help="how often every rung is measured")
    parser.add_argument("--rows", type=int, default=512, help="rows of one turn of throughput")
    parser.add_argument("--singles", type=int, default=40, help="requests of one turn of latency")
    asked = parser.parse_args()
    run = asked.run or make_run(asked.time)
    summary = Summary.load(run / "summary.json")
    parts, threads = load_parts(run / "parts.json"), allowed_cores()
    rng = np.random.default_rng(0)
    batch = [parts.select.inputs[i] for i in rng.choice(len(parts.select), asked.rows, replace=False)]
    with tempfile.TemporaryDirectory() as scratch, lighten.load(run / "winner", threads=threads) as winner:
        rungs = toolkit_rungs(Path(summary.paths["original"]), list(parts.tune.inputs[:200]), threads, Path(scratch))
        alone: dict[str, Answer] = {**rungs, "lighten's winner": lambda texts: winner._session.run(texts)}
        many: dict[str, Answer] = {
            **{name: (lambda texts, one=one: in_batches(one, texts)) for name, one in rungs.items()},
            "lighten's winner": lambda texts: winner._session.run(texts),
        }
        truth = np.asarray(parts.proof.targets)
        accuracy = {n: float((f(list(parts.proof.inputs)).argmax(1) == truth).mean()) for n, f in many.items()}
        for one in alone.values():
            for text in batch[:20]:
                one([text])
        rates: dict[str, list[float]] = {name: [] for name in alone}
        waits: dict[str, list[float]] = {name: [] for name in alone}
        p50s: dict[str, list[float]] = {name: [] for name in alone}
        for turn in range(asked.turns):
            texts = [batch[(turn * asked.singles + i) % len(batch)] for i in range(asked.singles)]
            for name in list(alone) if turn % 2 == 0 else list(reversed(alone)):
                time.sleep(0.03)
                own = []
                for text in texts:
                    began = time.perf_counter()
                    alone[name]([text])
                    own.append((time.perf_counter() - began) * 1e3)
                waits[name] += own
                p50s[name].append(statistics.median(own))
                began = time.perf_counter()
                many[name](batch)
                rates[name].append(len(batch) / (time.perf_counter() - began))
    first = "torch eager fp32"
    rows = []
    for name in alone:
        rows.append(
            {
                "rung": name,
                "accuracy": accuracy[name],
                "p50_ms": float(np.percentile(waits[name], 50)),
                "p95_ms": float(np.percentile(waits[name], 95)),
                "rows_per_second": statistics.median(rates[name]),
                "times_p50": statistics.median(a / b for a, b in zip(p50s[first], p50s[name], strict=True)),
                "times_rows": statistics.median(b / a for a, b in zip(rates[first], rates[name], strict=True)),
            }
        )
    print(f"{'rung':28s} {'accuracy':>8s} {'p50 ms':>7s} {'p95 ms':>7s} {'rows/s':>7s} {'x p50':>6s} {'x rows/s':>8s}")
    for row in rows:
        print(
            f"{row['rung']:28s} {row['accuracy']:8.4f} {row['p50_ms']:7.2f} {row['p95_ms']:7.2f} "
            f"{row['rows_per_second']:7.0f} {row['times_p50']:6.2f} {row['times_rows']:8.2f}"
        )
    verdict = summary.verdicts[0]
    print(f"verdict on {verdict['n']} proof rows: {verdict['state']}, difference {verdict['difference']:+.4f}, "
          f"lower bound {verdict['lower']:+.4f}, margin {verdict['margin']:.4f}")  # fmt: skip
    ours, stock = rows[-1], rows[1:-1]
    checks = {
        "6x the rows/s of torch eager fp32": ours["times_rows"] >= 6,
        "4x better p50 than torch eager fp32": ours["times_p50"] >= 4,
        "more rows/s than every stock rung": all(ours["rows_per_second"] > row["rows_per_second"] for row in stock),
        "verdict holds at 1 point": verdict["state"] == "holds" and verdict["margin"] <= 0.01 + 1e-9,
    }
    for what, met in checks.items():
        print(f"{'met   ' if met else 'MISSED'}  {what}")
    OUT.mkdir(exist_ok=True)
    record = {"rows": rows, "verdict": dict(verdict), "checks": checks, "environment": dict(summary.environment)}
    (OUT / "encoder.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
