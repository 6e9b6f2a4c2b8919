"""What fine-tuning MiniLM comes to and how soon, lighten beside the best loop that a user has: accuracy on rows that
were not learned from, and the seconds of learning until it was first reached.

Both make three passes over the same rows of ``sample:reviews``, 32 at a time, with what is usual for each: the loop in
bf16 with rows of like length together, texts cut at 512 tokens, AdamW at 5e-5 with warm-up and linear decay, and the
dropout of 0.1 that the model's config has; lighten with its defaults, which drop nothing out. It ends with the weights
that did best on 2,000 rows of tune; what judging these takes is not counted. Both are judged by the same unseen rows
at the same places, while the clock stands. They take turns, seed by seed, and which begins changes.
``training.py --what accuracy`` prints it. ``of_pictures`` does the same for small networks of pictures, which make five
passes from random weights beside the loop that tutorials show: a DataLoader, 64 a batch, fp32, Adam at 1e-3; lighten
with its defaults.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from training_pictures import fashion, from_loader, reader_of, steps_of

from lighten.core.rows import Rows
from lighten.core.spread import half_iqr
from lighten.core.step import Silent
from lighten.core.task import Data
from lighten.nets.encoders.network import open_network
from lighten.nets.forward import logits
from lighten.nets.network import Network
from lighten.nets.training.loop import train
from lighten.nets.training.rows import RowsTraining, schedule_of
from lighten.nets.training.schedule import Hyperparameters, Schedule, State

PASSES, BATCH, PLACES = 3, 32, 12
PICTURE_PASSES = 5
BELOW = 0.005
"""The accuracy that both must reach is this much below what the loop ends with."""

Curve = list[tuple[float, float]]
"""Seconds of learning, and accuracy."""


def of_the_loop(folder: Path, rows: Rows, judged: Callable[[Any], float], data: Data, seed: int) -> Curve:
    """The plain loop in bf16, rows of like length together."""
    from transformers import AutoTokenizer

    torch.manual_seed(seed)
    rng, network = random.Random(seed), open_network(folder, data.parts.labels)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(list(rows.texts), truncation=True, max_length=512)["input_ids"]
    net: Any = network.net.train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-5)
    total = PASSES * (len(ids) // BATCH)
    warm = total // 10
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / max(warm, 1), (total - step) / max(total - warm, 1))
    )
    seconds, done, curve = 0.0, 0, []
    for _ in range(PASSES):
        order = list(range(len(ids)))
        rng.shuffle(order)
        chunks = [order[at : at + 50 * BATCH] for at in range(0, len(order), 50 * BATCH)]
        order = [row for chunk in chunks for row in sorted(chunk, key=lambda row: len(ids[row]))]
        cut = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)]
        rng.shuffle(cut)
        for batch in cut:
            began = time.perf_counter()
            padded = tokenizer.pad({"input_ids": [ids[row] for row in batch]}, return_tensors="pt")
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(net(**padded).logits.float(), torch.tensor([rows.targets[row] for row in batch]))
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            rate.step()
            optimizer.zero_grad()
            seconds, done = seconds + time.perf_counter() - began, done + 1
            if done * PLACES // total > (done - 1) * PLACES // total:
                curve.append((seconds, judged(network)))
                net.train()
    return curve


def of_lighten(work: RowsTraining, judged: Callable[[Any], float], seed: int) -> Curve:
    """``lighten train``'s loop."""
    network, curve, seen, every = work.network, [], 0, work.planned() / PLACES

    def heard(state: State, loss: float, share: float) -> None:
        nonlocal seen
        if state.rows // every > seen // every:
            training = network.net.training
            curve.append((state.seconds, judged(network)))
            network.net.train(training)
        seen = state.rows

    found = train(work, seed=seed, threads=work.threads, watch=Silent(), heard=heard)
    curve.append((found.seconds, judged(network)))  # the weights that did best on tune
    return curve


def until(curve: Curve, accuracy: float) -> float:
    """Seconds until it was first reached; infinity where it never was."""
    return next((seconds for seconds, reached in curve if reached >= accuracy), float("inf"))


def of_texts(folder: Path, data: Data, many: int, rounds: int, threads: int) -> list[dict[str, Any]]:
    """MiniLM: let both take turns, a seed at a time, and print what they came to."""
    part = data.parts.train.take(range(min(many, len(data.parts.train))))
    tune, unseen = (one.take(range(min(2000, len(one)))) for one in (data.parts.tune, data.parts.proof))

    def judged(network: Any) -> float:
        return float(data.task.right(logits(network, unseen.inputs, threads), unseen).mean())

    def lighten(seed: int) -> Curve:
        torch.manual_seed(seed)
        network = open_network(folder, data.parts.labels)
        schedule = Schedule(epochs=PASSES, batch_rows=BATCH)
        return of_lighten(RowsTraining(network, part, tune, data.task, schedule, threads=threads), judged, seed)

    first = "length-grouped bf16"
    return compare({first: lambda seed: of_the_loop(folder, part, judged, data, seed), "lighten": lighten}, rounds)


def of_pictures(made: Callable[[], nn.Module], many: int, rounds: int, threads: int) -> list[dict[str, Any]]:
    """A small network of pictures from random weights: the same, beside the loop that tutorials show."""
    learned, others = fashion(many)
    tune, unseen = (others[name].take(range(min(4000, len(others[name])))) for name in ("tune", "proof"))

    def judged(network: Any) -> float:
        return float(learned.task.right(logits(network, unseen.inputs, threads), unseen).mean())

    def begun(seed: int) -> Network:
        torch.manual_seed(seed)
        return Network(made(), reader_of(), learned.labels)

    def loop(seed: int) -> Curve:
        network, seconds, rows, curve = begun(seed), 0.0, 0, list[tuple[float, float]]()
        net, every = network.net.train(), PICTURE_PASSES * len(learned.x) / PLACES
        steps = steps_of(net, from_loader(learned), False, torch.contiguous_format)
        while len(curve) < PLACES - 1:
            began = time.perf_counter()
            more = next(steps)
            seconds, rows = seconds + time.perf_counter() - began, rows + more
            if rows // every > (rows - more) // every:
                curve.append((seconds, judged(network)))
                net.train()
        return curve

    def lighten(seed: int) -> Curve:
        network = begun(seed)
        schedule = schedule_of(network, Hyperparameters(epochs=PICTURE_PASSES, from_scratch=True))
        work = RowsTraining(network, learned.rows, tune, learned.task, schedule, threads=threads)
        return of_lighten(work, judged, seed)

    return compare({"the tutorials' loop": loop, "lighten": lighten}, rounds)


def compare(ways: Mapping[str, Callable[[int], Curve]], rounds: int) -> list[dict[str, Any]]:
    """Let them take turns, a seed at a time, and print what they came to beside the first one."""
    first, *_ = ways
    curves: dict[str, list[Curve]] = {name: [] for name in ways}
    for seed in range(rounds):
        for name in sorted(ways, reverse=bool(seed % 2)):
            curves[name].append(ways[name](seed))
        for name, every in curves.items():
            print(f"  seed {seed}: {name}: {every[-1][-1][1]:.2%} after {every[-1][-1][0]:.0f} s", flush=True)
    wanted = statistics.median(curve[-1][1] for curve in curves[first]) - BELOW
    print(f"\n| rung | accuracy at the end | s | s until {wanted:.1%} | x first |\n| --- | ---: | ---: | ---: | ---: |")
    firsts = [until(curve, wanted) for curve in curves[first]]
    found = []
    for name, every in curves.items():
        ends, times = [curve[-1][1] for curve in every], [until(curve, wanted) for curve in every]
        both = [pair for pair in zip(firsts, times, strict=True) if max(pair) < float("inf")]
        ratios = [base / own for base, own in both]
        row = {
            "rung": name, "accuracies": ends, "seconds": [curve[-1][0] for curve in every],
            "until": [seconds if seconds < float("inf") else None for seconds in times], "wanted": wanted,
            "ratio": statistics.median(ratios) if ratios else None, "spread": half_iqr(ratios) if ratios else None,
        }  # fmt: skip
        found.append(row)
        ratio = f"{row['ratio']:.2f} ± {row['spread'] or 0.0:.2f}" if ratios else "-"
        print(
            f"| {name} | {statistics.median(ends):.2%} ({min(ends):.2%} to {max(ends):.2%}) | "
            f"{statistics.median(row['seconds']):.0f} | {statistics.median(times):.0f} | "
            f"{ratio} ({len(ratios)} of {rounds} seeds) |"
        )
    return found
