"""How much of this machine's arithmetic rate lighten's training reaches, forward and backward.

Work: the products, convolutions and attention of the very batches that a turn learned from, counted there and back
(``nets/training/flops.py``): gradients that are not asked for are not counted, nor is what a kernel computes again.
Padding is counted, as it is computed: that of texts is told beside it, that around maps is what convolutions have by
definition (where a map has one place, only the weight that sees it counts). Everything else that an update takes,
reading examples, the optimizer, norms and activations, takes time and counts for nothing.

Roof: the fastest square product that torch reached in the whole run with the same threads and in the precision that the
training chose, looked for before and after every turn.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear
from training_pictures import fashion, reader_of

from lighten.core import catalog
from lighten.core.data_options import DataOptions
from lighten.core.spread import half_iqr
from lighten.core.step import Silent
from lighten.data.samples import fetch_sample
from lighten.isolate.neighbours import Neighbours
from lighten.nets.encoders.network import open_network
from lighten.nets.network import Network
from lighten.nets.training.flops import flops_of
from lighten.nets.training.loop import train
from lighten.nets.training.precision import NAMED
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule, State

SIDES = (512, 1024, 2048)
"""Of the square matrices that are multiplied."""
LOOK = 0.5
"""Seconds of one look at one size."""
WARM = 3
"""Updates of a turn that are left out."""
COUNTED, ALIKE = 64, 2
"""Batches of a turn whose operations are counted, evenly spaced, at the most; the same where all rows are one size."""
MANY = 100_000
"""Passes: more than any turn makes."""


def text(rows: int, threads: int) -> RowsTraining:
    """MiniLM beside reviews, 32 rows an update."""
    data = catalog.load("tasks", "text_classification")().read("sample:reviews", DataOptions(), seed=0)
    part = data.parts.train.take(range(min(rows, len(data.parts.train))))
    network = open_network(Path(fetch_sample("minilm")), data.parts.labels)
    few = part.take(range(8))
    return RowsTraining(network, part, few, data.task, Schedule(epochs=MANY, batch_rows=32), threads=threads)


def pictures(made: Callable[[], nn.Module], rows: int, threads: int) -> RowsTraining:
    """A network beside pictures of Fashion-MNIST, 256 an update."""
    learned, _ = fashion(rows)
    network, few = Network(made(), reader_of(), learned.labels), learned.rows.take(range(8))
    schedule = Schedule(epochs=MANY, batch_rows=256)
    return RowsTraining(network, learned.rows, few, learned.task, schedule, threads=threads)


class Enough(Exception):
    """A turn is over."""


def turn(work: RowsTraining, seconds: float, threads: int, seed: int) -> tuple[float, list[list[int]]]:
    """Train for some seconds: how long it took by the clock, and the batches that were learned meanwhile."""
    work.network.has_head = False  # nothing is judged before it begins
    seen: list[float] = []

    def heard(state: State, loss: float, share: float) -> None:
        seen.append(time.perf_counter())
        if len(seen) > WARM and seen[-1] - seen[WARM - 1] > seconds:
            raise Enough

    with contextlib.suppress(Enough):
        train(work, seed=seed, threads=threads, watch=Silent(), heard=heard)
    every: Iterator[list[int]] = chain.from_iterable(work.batches(epoch, seed) for epoch in count())
    return seen[-1] - seen[WARM - 1], list(islice(every, WARM, len(seen)))


def fastest(dtype: torch.dtype | None) -> float:
    """GFLOP/s of the fastest square product, as the layers of a network make them."""
    found = 0.0
    for side in SIDES:
        a = torch.full((side, side), 0.5, dtype=dtype or torch.float32)
        with torch.inference_mode():
            linear(a, a)
            until = time.perf_counter() + LOOK
            while (start := time.perf_counter()) < until:
                linear(a, a)
                found = max(found, 2e-9 * side**3 / (time.perf_counter() - start))
    return found


def padding(work: RowsTraining, batches: Sequence[Sequence[int]]) -> float:
    """Share of what was computed that is padding, by length."""
    sizes = [[work.extent(row) for row in batch] for batch in batches]
    return 1.0 - sum(map(sum, sizes)) / sum(len(one) * max(one) for one in sizes)


def share_of(name: str, work: RowsTraining, unit: str, rounds: int, seconds: float, threads: int) -> dict[str, Any]:
    """Let training and products take turns, and print what training reaches of them."""
    rates, roofs, rows_per_second, others, learned = [], [], [], 0.0, []
    for number in range(rounds):
        neighbours = Neighbours()
        roofs.append(fastest(work.dtype) if number else 0.0)  # before the first turn nobody knows in what
        took, batches = turn(work, seconds, threads, number)
        roofs.append(fastest(work.dtype))
        others = max(others, neighbours.share() or 0.0)
        most = COUNTED if work.network.reader.pads else ALIKE
        counted = batches[:: -(-len(batches) // most)]
        operations = flops_of(work, counted) / sum(map(len, counted))
        rows_per_second.append(sum(map(len, batches)) / took)
        rates.append(1e-9 * operations * rows_per_second[-1])
        learned += batches
        print(f"  round {number + 1}: {name}: {rates[-1]:,.1f} of {max(roofs):,.1f} GFLOP/s", flush=True)
    roof = max(roofs)
    shares = [rate / roof for rate in rates]
    return {
        "work": name, "precision": next(word for word, dtype in NAMED.items() if dtype is work.dtype),
        "rate": statistics.median(rows_per_second), "unit": unit, "gflops": statistics.median(rates), "roof": roof,
        "share": statistics.median(shares), "spread": half_iqr(shares), "shares": shares, "others": others,
        "padding": padding(work, learned), "threads": threads,
    }  # fmt: skip


def compare(works: dict[str, Callable[[], RowsTraining]], rounds: int, seconds: float, threads: int) -> list[Any]:
    """The table: one row for each kind of work."""
    found = []
    for name, make in works.items():
        print(f"  {name} ...", flush=True)
        unit = "rows/s" if name == "text" else "images/s"
        found.append(share_of(name, make(), unit, rounds, seconds, threads))
    print("\n| work | learned | in | GFLOP/s | of at most | share | padding | others took |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for row in found:
        spread = f" ± {row['spread']:.0%}" if row["spread"] else ""
        print(
            f"| {row['work']} | {row['rate']:,.1f} {row['unit']} | {row['precision']} | {row['gflops']:,.1f} | "
            f"{row['roof']:,.1f} | {row['share']:.0%}{spread} | {row['padding']:.1%} | {row['others']:.0%} |"
        )
    return found
