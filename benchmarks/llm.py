"""What a user could pick instead of lighten for a small language model on this CPU, and the winner, side by side.

    python benchmarks/llm.py [--run DIR] [--time 30m] [--seconds 20] [--also 7] [--requantized] [--json]

Makes a run of the main job on ``sample:gemma`` and the movie documents (or takes the finished one in ``--run``), then
prints three tables. The ladder: llama.cpp with the file as shipped, in whichever of the engine's settings writes
fastest here, on request with that file requantized, eager torch in fp32 and bf16, the winner, and on request other
candidates of the run; each rung in a process of its own, all asked the same in turns, ratios taken turn by turn, ±
half their interquartile range. Tokens of a cut vocabulary hold less text than those of the whole one, so bytes per
second stand beside tokens per second, and ratios compare bytes. The few-shot table: labels by likelihood from a plain
loop (one row and one choice at a time, all logits, nothing reused) and from lighten's scorer, on the same rows. The
last one: perplexity of the shipped file as lighten measures it and as llama.cpp does. Goals are printed as met or
missed. Writes ``benchmarks/out/llm.json``.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402

from lighten.core import catalog  # noqa: E402
from lighten.core.artifact import Artifact  # noqa: E402
from lighten.core.engine import Engine  # noqa: E402
from lighten.core.errors import CandidateFailed  # noqa: E402
from lighten.core.language import LanguageSession, Span  # noqa: E402
from lighten.core.language_codes import BYTES, NATS, TOKENS  # noqa: E402
from lighten.core.matching import format_of  # noqa: E402
from lighten.core.recipe import engine_from, record_of  # noqa: E402
from lighten.core.rows import Rows  # noqa: E402
from lighten.core.summary import Summary  # noqa: E402
from lighten.core.task import Task  # noqa: E402
from lighten.data.language import read_language  # noqa: E402
from lighten.data.samples import fetch_sample  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.measure.environment import MachineRecord  # noqa: E402
from lighten.measure.interleave import Readings, measure  # noqa: E402
from lighten.measure.workload import draw  # noqa: E402
from lighten.nets.gguf.file import FILE  # noqa: E402
from lighten.nets.gguf.network import GgufModel, open_gguf, save_gguf  # noqa: E402
from lighten.nets.gguf.weights import floats, pack  # noqa: E402
from lighten.pipeline.workshop import Workshop  # noqa: E402
from lighten.search.roofline import Rates  # noqa: E402
from lighten.sessions.process import SessionProcess  # noqa: E402
from lighten.store.folder import load_parts  # noqa: E402
from lighten.store.summaries import load_summary  # noqa: E402
from lighten.verbs.load import engine_of  # noqa: E402

OUT = Path(__file__).parent / "out"
SHIPPED, EAGER, EAGER16, WINNER = "llama.cpp, as shipped", "HF eager fp32", "HF eager bf16", "lighten's winner"
PLAIN = "plain HF loop"
ALSO = "candidate "
SPEEDS = ("decode", "load", "memory", "prefill", "size", "streams")
PROMPT, CHOICES = "Review: {text}\\nSentiment:", ("positive", "negative")
PATIENCE = 1800.0
EMBEDDING = "token_embd.weight"
WINDOW = 512
"""Tokens of a chunk of llama-perplexity."""
COLUMNS = (
    ("size", "MB", 7, 1), ("memory", "memory MB", 10, 0), ("bits_per_byte", "bits/byte", 10, 4),
    ("decode", "tok/s", 8, 1), ("decode_bytes", "bytes/s", 9, 0), ("decode4", "4 streams", 10, 1),
    ("decode16", "16 streams", 11, 1), ("prefill", "prefill", 8, 0), ("prefill_bytes", "bytes/s", 9, 0),
    ("ttft", "ttft ms", 8, 0), ("load", "load s", 7, 2), ("decode_cpu", "CPU-s/1000", 11, 1),
    ("times_decode", "x decode", 9, 2), ("spread_decode", "±", 6, 2), ("times_prefill", "x prefill", 10, 2),
    ("spread_prefill", "±", 6, 2), ("roofline_decode", "% roofline", 11, 0), ("roofline_prefill", "% FLOPs", 8, 0),
)  # fmt: skip
"""Key, heading, width and decimals of the ladder's columns."""


@dataclass(frozen=True)
class Rung:
    """A model with what runs it."""

    artifact: Artifact
    engine: Engine


def say(text: str) -> None:
    """How far it is."""
    print(text, file=sys.stderr, flush=True)


def settings_text(engine: Engine) -> str:
    """An engine's settings in one line."""
    return ", ".join(f"{name} {value}" for name, value in record_of(engine).items() if name != "use") or "no settings"


def make_run(minutes: str) -> Path:
    """A run of the main job in a new folder."""
    out = OUT / time.strftime("llm-%Y%m%d-%H%M%S")
    command = [sys.executable, "-m", "lighten", "optimize", "sample:gemma", "--data", "sample:reviews/movie-documents"]
    command += ["--keep", "bits_per_byte<=+1%", "--minimize", "tpot", "--time", minutes, "--out", str(out)]
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"lighten optimize ended with {done.returncode}")
    return out


def candidate_of(run: Path, summary: Summary, number: int) -> tuple[str, Rung]:
    """Name and rung of a candidate of the run, whose file is still in the run's store."""
    one = next((one for one in summary.candidates if one.key == number), None)
    if one is None:
        sys.exit(f"{run} has no candidate {number}")
    for record in (run / "store").glob("*/lighten.json"):
        if json.loads(record.read_text(encoding="utf-8"))["id"] == one.artifact:
            engine = engine_from({"use": one.engine, **one.engine_settings})
            return one.name, Rung(Artifact.open(record.parent), engine)
    sys.exit(f"the file of candidate {number} is no longer in {run / 'store'}")


def requantized(shipped: Artifact, format: str, folder: Path) -> Artifact:
    """The shipped file with every matrix in one format; in Q4_0 the embedding, which is the head too, stays Q8_0."""
    model = open_gguf(shipped)

    def tensors() -> Iterator[tuple[str, Any]]:
        for name, packed in model.tensors():
            wanted = "Q8_0" if name == EMBEDDING else format
            yield name, packed if len(packed.shape) < 2 else pack(floats(packed), wanted)

    folder.mkdir()
    save_gguf(GgufModel(model.values, tensors, model.source), folder)
    return Artifact.seal(folder, format="gguf")


def ladder(
    rungs: Mapping[str, Rung], task: Task, work: Any, documents: Sequence[str], seconds: float, threads: int
) -> list[dict[str, Any]]:
    """All rungs measured in turns, then their bits per byte of the same documents."""
    rates = Rates.here()
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        sessions: dict[str, SessionProcess] = {}
        for name, rung in rungs.items():
            say(f"opening {name}")
            session = SessionProcess(rung.artifact, rung.engine, threads=threads, task=task, deadline=PATIENCE)
            sessions[name] = stack.enter_context(session)
        say(f"measuring {len(sessions)} rungs in turns")
        timed = measure(sessions, work, meters=SPEEDS, seconds=seconds * len(sessions))
        for name, readings in timed.items():
            if isinstance(readings, CandidateFailed):
                rows.append({"rung": name, "failed": str(readings)})
                continue
            row = {"rung": name, **numbers(readings), **rooflines(rungs[name], readings, rates)}
            row["unsure"] = {quantity: one.measured.note for quantity, one in readings.items() if one.unsure}
            if documents:
                say(f"scoring {len(documents)} documents with {name}")
                answers = sessions[name].run(documents)
                row["bits_per_byte"] = float(answers[:, NATS].sum() / math.log(2) / answers[:, BYTES].sum())
            rows.append(row)
    return rows


def numbers(readings: Readings) -> dict[str, float | None]:
    """Values; ratios against the file as shipped (``times_`` before the name; above 1 is better) and their spread."""
    values = {name: reading.measured.value for name, reading in readings.items()}
    times = {f"times_{name}": reading.ratio for name, reading in readings.items()}
    return {**values, **times, **{f"spread_{name}": reading.ratio_spread for name, reading in readings.items()}}


def best_way(rung: Rung, task: Task, work: Any, threads: int) -> Rung:
    """A model with those settings of its engine that write fastest here, all measured in turns."""
    ways = {number: Rung(rung.artifact, engine) for number, engine in enumerate(rung.engine.ways())}
    with ExitStack() as stack:
        sessions: dict[int, SessionProcess] = {}
        for number, way in ways.items():
            with suppress(CandidateFailed):  # settings that this build refuses are not its best
                session = SessionProcess(way.artifact, way.engine, threads=threads, task=task, deadline=PATIENCE)
                sessions[number] = stack.enter_context(session)
        timed = measure(sessions, work, meters=("decode",), seconds=5.0 * len(sessions))
    found = {n: one["decode"].ratio or 0.0 for n, one in timed.items() if not isinstance(one, CandidateFailed)}
    return ways[max(found, key=found.__getitem__)]


def rooflines(rung: Rung, readings: Readings, rates: Rates) -> dict[str, float]:
    """Per cent of what reading memory allows for an answer, and of float32 arithmetic for a prompt."""
    load = format_of(rung.artifact).traffic(rung.artifact.path, record_of(rung.engine))
    decode, prefill = readings["decode"].measured.value, readings["prefill"].measured.value
    if load is None or not decode or not prefill:
        return {}
    return {
        "roofline_decode": 100 * load.read * decode / (rates.bandwidth * 1e9),
        "roofline_prefill": 100 * 2.0 * load.multiplied * prefill / (rates.arithmetic * 1e9),
    }


def plain_loop(pipe: Connection, folder: str, threads: int, prefix: str, choices: Sequence[str]) -> None:
    """What a script does: for each prompt and each choice one pass over everything, with the logits of every token."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.set_num_threads(threads)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(folder) / "tokenizer.json"))
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()

    def likelihood(prompt: str, choice: str) -> float:
        before, whole = (tokenizer(text).input_ids for text in (prefix + prompt, prefix + prompt + choice))
        with torch.inference_mode():
            logprobs = torch.log_softmax(net(input_ids=torch.tensor([whole])).logits[0].float(), -1)
        return sum(float(logprobs[at - 1, whole[at]]) for at in range(len(before), len(whole)))

    pipe.send("ready")
    while (prompts := pipe.recv()) is not None:
        began = time.perf_counter()
        found = [[likelihood(prompt, choice) for choice in choices] for prompt in prompts]
        pipe.send((time.perf_counter() - began, found))


def few_shot(
    rungs: Mapping[str, Rung], labelled: Path, count: int, shots: int, turns: int, threads: int
) -> list[dict[str, Any]]:
    """Rows per second and labels of the plain loop and of lighten's scorer, in turns.

    In each turn the plain loop, which costs the same for every row, takes a slice of the rows; the scorer is handed
    all of them at once, as a user would do. Proof rows come first, and rows that are examples too come last.
    """
    data = read_language(labelled, prompt=PROMPT, choices=CHOICES, shots=shots)
    task: Task = catalog.load("tasks", "text_generation")(**data.task)
    parts = [data.parts[name] for name in ("proof", "select", "tune", "train")]
    rows = Rows(sum((p.inputs for p in parts), ()), sum((p.targets for p in parts), ()))
    rows = rows.take(range(min(count, len(rows))))
    rates: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    labels: dict[str, list[int]] = {PLAIN: []}
    sums: dict[str, list[Any]] = {PLAIN: []}
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    settings = (str(rungs[EAGER].artifact.path), threads, data.task["prefix"], data.task["choices"])
    loop = context.Process(target=plain_loop, args=(theirs, *settings), daemon=True)
    loop.start()
    theirs.close()  # so that its end is noticed
    with ExitStack() as stack:
        stack.callback(loop.terminate)
        fast = {}
        for name in (EAGER, SHIPPED):
            session = SessionProcess(
                rungs[name].artifact, rungs[name].engine, threads=threads, task=task, deadline=PATIENCE
            )
            fast[f"lighten's scorer, {rungs[name].engine.version()}"] = stack.enter_context(session)
        if not ours.poll(PATIENCE) or ours.recv() != "ready":
            raise RuntimeError("the plain loop did not start")
        for session in fast.values():
            session.run(rows.inputs[:2])
        for turn in range(turns):
            say(f"few-shot turn {turn + 1} of {turns}")
            part = rows.inputs[turn * len(rows) // turns : (turn + 1) * len(rows) // turns]
            for name in [PLAIN, *fast] if turn % 2 == 0 else [*reversed(list(fast)), PLAIN]:
                time.sleep(0.05)
                if name == PLAIN:
                    ours.send(part)
                    seconds, scores = ours.recv()
                    labels[PLAIN] += np.argmax(scores, axis=1).tolist()
                    sums[PLAIN] += scores
                    rates.setdefault(PLAIN, []).append(len(part) / seconds)
                else:
                    fast[name].child.ask("forget", PATIENCE)  # what the last turn began with
                    began = time.perf_counter()
                    answers = fast[name].run(rows.inputs)
                    rates.setdefault(name, []).append(len(rows) / (time.perf_counter() - began))
                    labels[name], sums[name] = answers.argmax(axis=1).tolist(), answers.tolist()
            for name in fast:
                ratios.setdefault(name, []).append(rates[name][-1] / rates[PLAIN][-1])
        ours.send(None)
    agree = {name: float(np.mean(np.array(found) == np.array(labels[PLAIN]))) for name, found in labels.items()}
    right = {name: float(np.mean(np.array(found) == np.array(rows.targets))) for name, found in labels.items()}
    apart = {name: float(np.abs(np.array(found) - np.array(sums[PLAIN])).max()) for name, found in sums.items()}
    return [
        {
            "way": name,
            "rows": len(rows),
            "nats_apart": apart[name],
            "rows_per_second": statistics.median(rates[name]),
            "times": statistics.median(ratios.get(name, [1.0])),
            "same_labels": agree[name],
            "accuracy": right[name],
        }
        for name in labels
    ]


def perplexities(shipped: Rung, texts: Sequence[str], task: Task, threads: int) -> list[dict[str, Any]]:
    """Perplexity of the shipped file as lighten measures it, and as llama.cpp's own tools do on the same tokens."""
    with shipped.engine.open(shipped.artifact, threads=threads) as session:
        assert isinstance(session, LanguageSession)
        texts = [text for text in texts if len(session.encode(text)) <= WINDOW]
        answers = task.wrap(session).run(texts)
        found = [
            {
                "on": f"{len(texts)} documents",
                "ours": math.exp(answers[:, NATS].sum() / answers[:, TOKENS].sum()),
                "theirs": None,
            }
        ]
        path = str(shipped.artifact.path / FILE)
        if find_spec("llama_cpp") is not None:
            theirs = by_llama_cpp_python(path, texts, threads)
            found[0] |= {"by": "llama-cpp-python, logits of every token", "theirs": theirs}
        if (tool := shutil.which("llama-perplexity")) is not None:
            text = "\n\n".join(texts)
            row = {"on": f"chunks of {WINDOW} tokens", "ours": in_chunks(session, text), "by": "llama-perplexity"}
            found.append({**row, "theirs": by_llama_perplexity(tool, path, text, threads)})
    return found


def in_chunks(session: LanguageSession, text: str) -> float:
    """Perplexity as llama-perplexity defines it: the second half of each chunk, the start token first in each."""
    ids, half = session.encode(text), WINDOW // 2
    start = session.encode("")[:1]
    chunks = [[*start, *ids[at + len(start) : at + WINDOW]] for at in range(0, len(ids) - WINDOW + 1, WINDOW)]
    scores = session.score([Span(tuple(c[: half + 1]), tuple(c[half + 1 :])) for c in chunks])
    return math.exp(-float(np.concatenate([score.logprobs for score in scores]).mean()))


def by_llama_perplexity(tool: str, model: str, text: str, threads: int) -> float | None:
    """What llama.cpp's own program says of a text; None when it says nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = [tool, "-m", model, "-f", file.name, "-c", str(WINDOW), "-t", str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = re.search(r"Final estimate: PPL = ([\d.]+)", done.stdout + done.stderr)
    return float(said[1]) if said else None


def by_llama_cpp_python(model: str, texts: Sequence[str], threads: int) -> float:
    """From the logits of every token, as the bindings give them. texts: each of at most ``WINDOW`` tokens."""
    from llama_cpp import Llama  # type: ignore[import-not-found]

    llama = Llama(model, n_ctx=WINDOW, n_batch=WINDOW, n_threads=threads, logits_all=True, verbose=False)
    nats, count = 0.0, 0
    for text in texts:
        ids = llama.tokenize(text.encode(), add_bos=True)
        llama.reset()
        llama.eval(ids)
        logits = np.asarray(llama.scores[: len(ids) - 1], dtype=np.float64)
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        nats += float((total - logits[np.arange(len(ids) - 1), ids[1:]]).sum())
        count += len(ids) - 1
    return math.exp(nats / count)


def goals(rows: Sequence[Mapping[str, Any]], shots: Sequence[Mapping[str, Any]], summary: Summary) -> dict[str, Any]:
    """What has to hold, by its words: the number that was reached (None when it is unknown), and whether that is it."""
    by = {row["rung"]: row for row in rows}
    ours, eager = by.get(WINNER, {}), by.get(EAGER, {})
    verdict = next((v for v in summary.verdicts if v["metric"] == "bits_per_byte"), None)
    holds = ours and verdict is not None and verdict["state"] == "holds"
    loss = verdict["candidate"] / verdict["original"] - 1 if ours and verdict else None

    def ratio(top: float | None, bottom: float | None) -> float | None:
        return top / bottom if top and bottom else None

    fast = [row for row in shots if row["way"] != PLAIN]
    best = max(fast, key=lambda row: (row["same_labels"] >= 0.99, row["times"]), default={})
    size, memory = (ratio(1.0, ours.get(f"times_{name}")) for name in ("size", "memory"))
    checks: dict[str, tuple[float | None, bool]] = {
        "bits per byte at most 1 % above the original's on the proof documents": (
            loss,
            loss is not None and loss <= 0.01,
        ),
        "the verdict holds": (1.0 if holds else 0.0, bool(holds)),
        "2x the text written per second of the file as shipped": at_least(ours.get("times_decode"), 2.0),
        "0.45x its size": at_most(size, 0.45),
        "0.45x its memory": at_most(memory, 0.45),
        "no worse prefill": at_least(ours.get("times_prefill"), 1.0),
        "15x the text written per second of HF eager fp32": at_least(
            ratio(ours.get("decode_bytes"), eager.get("decode_bytes")), 15.0
        ),
        **{
            f"16 streams give 4x the tok/s of one, {row['rung']}": at_least(
                ratio(row.get("decode16"), row.get("decode")), 4.0
            )
            for row in rows
            if row["rung"] == WINNER or row["rung"].startswith(ALSO)
        },
        "few-shot choices 15x the plain HF loop": at_least(best.get("times"), 15.0),
        "the same labels on 99 % of the rows": at_least(best.get("same_labels"), 0.99),
    }
    left = [*([] if rows else list(checks)[:-2]), *([] if shots else list(checks)[-2:])]  # tables that were left out
    return {what: {"reached": reached, "met": met} for what, (reached, met) in checks.items() if what not in left}


def at_least(value: float | None, bound: float) -> tuple[float | None, bool]:
    """The value, and whether it is known and no less."""
    return value, value is not None and value >= bound


def at_most(value: float | None, bound: float) -> tuple[float | None, bool]:
    """The value, and whether it is known and no more."""
    return value, value is not None and value <= bound


def show(record: Mapping[str, Any]) -> None:
    """The three tables and the goals."""
    wide = max((len(row["rung"]) for row in record["rungs"]), default=0) + 1
    print(" " * wide + "".join(f"{head:>{width}}" for _, head, width, _ in COLUMNS))
    for row in record["rungs"]:
        cells = [f"{'–' if (v := row.get(key)) is None else format(v, f',.{d}f'):>{w}}" for key, _, w, d in COLUMNS]
        print(f"{row['rung']:{wide}}" + (f" failed: {row['failed']}" if "failed" in row else "".join(cells)))
        for quantity, note in row.get("unsure", {}).items():
            print(f"{'':{wide}} {quantity}: {note}")
    for row in record["few-shot choices"]:
        print(
            f"{row['way']:44s} {row['rows_per_second']:8.2f} rows/s {row['times']:7.1f}x  same labels "
            f"{row['same_labels']:7.2%}  {row['nats_apart']:.2g} nats apart  "
            f"accuracy {row['accuracy']:7.2%}  ({row['rows']} rows)"
        )
    for row in record["perplexity"]:
        theirs = "neither llama-perplexity nor llama-cpp-python is installed"
        if row["theirs"] is not None:
            theirs = f"{row['by']} {row['theirs']:.4f}, {row['ours'] / row['theirs'] - 1:+.3%}"
        print(f"perplexity of the shipped file on {row['on']}: lighten {row['ours']:.4f}; {theirs}")
    for what, goal in record["goals"].items():
        reached = "unknown" if goal["reached"] is None else f"{goal['reached']:.4g}"
        print(f"{'met   ' if goal['met'] else 'MISSED'}  {what} ({reached})")


def written(record: Mapping[str, Any]) -> str:
    """``benchmarks/out/llm.json``, and its text."""
    OUT.mkdir(exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False, default=str)
    (OUT / "llm.json").write_text(text + "\n", encoding="utf-8")
    return text


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="30m", help="of the search")
    parser.add_argument("--run", type=Path, help="a finished run of this benchmark")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of measuring, for each rung; 0 leaves the ladder out"
    )
    parser.add_argument("--documents", type=int, default=32, help="proof documents that every rung scores")
    parser.add_argument("--rows", type=int, default=100, help="rows of the few-shot table; 0 leaves it out")
    parser.add_argument("--labelled", type=Path, help="a csv with text and label for that table, instead of the sample")
    parser.add_argument("--shots", type=int, default=8, help="examples before every prompt of the few-shot table")
    parser.add_argument("--turns", type=int, default=5, help="of the few-shot table")
    parser.add_argument("--also", type=int, nargs="*", default=(), help="other candidates of the run, by number")
    parser.add_argument("--requantized", action="store_true", help="also the file in Q8_0 and Q4_0")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    asked = parser.parse_args()
    run: Path = asked.run or make_run(asked.time)
    summary, parts, threads = load_summary(run / "summary.json"), load_parts(run / "parts.json"), allowed_cores()
    shipped = Artifact.open(run / "store" / "model")
    if shipped.format != "gguf":
        sys.exit(f"{run} began with a model of format {shipped.format}; this benchmark begins with a GGUF file")
    task: Task = catalog.load("tasks", "text_generation")()
    llama, eager = (catalog.load("engines", name)() for name in ("llama", "eager"))
    documents = parts.proof.texts[: asked.documents]
    with tempfile.TemporaryDirectory(prefix="lighten-llm-") as scratch:
        llama = llama.settle(shipped, threads=threads)  # of several builds of llama.cpp the one that is faster here
        say(f"the file as shipped runs in {llama.version()}")
        work = draw(parts.select, task.requests)
        rungs = {SHIPPED: best_way(Rung(shipped, llama), task, work, threads)}
        llama = rungs[SHIPPED].engine
        say(f"it writes fastest with {settings_text(llama)}")
        for format in ("Q8_0", "Q4_0") if asked.requantized else ():
            say(f"requantizing to {format}")
            rungs[f"llama.cpp, {format}"] = Rung(requantized(shipped, format, Path(scratch) / format), llama)
        say("dequantizing for eager torch")
        workshop = Workshop(Path(scratch) / "store", run / "parts.json", task, seed=0, threads=threads)
        try:
            rungs[EAGER] = Rung(workshop.make(shipped, (catalog.load_step("export.dequantize")(),)), eager)
            rungs[EAGER16] = Rung(rungs[EAGER].artifact, replace(eager, dtype="bfloat16"))
        finally:
            workshop.close()
        if (run / "winner").is_dir():
            winner = Artifact.open(run / "winner")
            rungs[WINNER] = Rung(winner, engine_of(winner))
        for number in asked.also:
            name, other = candidate_of(run, summary, number)
            rungs[f"{ALSO}{number}: {name}"] = other
        record: dict[str, Any] = {
            "run": {"command": summary.command, "state": summary.state, "verdicts": list(map(dict, summary.verdicts))},
            "environment": MachineRecord.here().to_json(),
            "perplexity": perplexities(rungs[SHIPPED], documents, task, threads) if documents else [],
        }
        rows = ladder(rungs, task, work, documents, asked.seconds, threads) if asked.seconds > 0 else []
        written({**record, "rungs": rows})  # minutes of measuring, kept whatever the next table does
        labelled = asked.labelled or fetch_sample("reviews/movie")
        shots = few_shot(rungs, labelled, asked.rows, asked.shots, asked.turns, threads) if asked.rows else []
    record |= {"rungs": rows, "few-shot choices": shots, "goals": goals(rows, shots, summary)}
    text = written(record)
    print(text) if asked.json else show(record)


if __name__ == "__main__":
    main()
