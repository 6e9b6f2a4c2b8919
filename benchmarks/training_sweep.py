"""What twenty trials of a head over a frozen body take lighten, which computes the body once, beside twenty times one
training that computes it each time (that one is measured once; evaluations count on lighten's side only).
``training.py --what sweep`` prints it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from lighten.core.rows import Rows
from lighten.core.step import Silent
from lighten.core.task import Task
from lighten.nets.encoders.network import open_network
from lighten.nets.training.kept import Kept
from lighten.nets.training.loop import train
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule

TRIALS, EPOCHS, BATCH = 20, 3, 32
RATES = [1e-4 * 1.3**number for number in range(TRIALS)]


def plain(folder: Path, rows: Rows, labels: tuple[str, ...]) -> float:
    """Seconds of one training as it is usually written: the body frozen, its outputs computed for every update."""
    network = open_network(folder, labels)
    net: Any = network.net
    net.train()
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.startswith(("bert.pooler", "classifier")))
    optimizer = torch.optim.AdamW([one for one in net.parameters() if one.requires_grad], lr=1e-3)
    ids, targets = network.reader.for_learning()(rows.inputs), torch.tensor(rows.targets)
    start = time.perf_counter()
    for _ in range(EPOCHS):
        order = torch.randperm(len(ids)).tolist()
        for at in range(0, len(order), BATCH):
            some = order[at : at + BATCH]
            arrays = {n: torch.from_numpy(a) for n, a in network.reader.batch([ids[row] for row in some]).items()}
            loss = F.cross_entropy(net(**arrays).logits, targets[some])
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return time.perf_counter() - start


def lighten(
    folder: Path, rows: Rows, tune: Rows, labels: tuple[str, ...], task: Task, threads: int
) -> tuple[float, float]:
    """Seconds of twenty trials of lighten's loop, evaluations included, and of the first of them, which fills."""
    network = open_network(folder, labels)
    cache, seconds = PrefixCache(), []
    begin = Kept(dict(network.net.state_dict()))
    begin.keep()
    for rate in RATES:
        begin.give_back()
        schedule = Schedule(epochs=EPOCHS, batch_rows=BATCH, freeze="all", learning_rate=rate)
        start = time.perf_counter()
        work = RowsTraining(network, rows, tune, task, schedule, threads=threads, precision="fp32")
        work.cache = cache
        train(work, seed=0, threads=threads, watch=Silent())
        seconds.append(time.perf_counter() - start)
    begin.close()
    return sum(seconds), seconds[0]


def compare(
    folder: Path, rows: Rows, tune: Rows, labels: tuple[str, ...], task: Task, threads: int
) -> list[dict[str, Any]]:
    """Measure both and print them."""
    once = plain(folder, rows, labels)
    total, first = lighten(folder, rows, tune, labels, task, threads)
    print(
        f"one training that computes the body: {once:.1f} s; {TRIALS} times that: {TRIALS * once:,.0f} s (not measured)"
    )
    print(f"lighten, {TRIALS} trials: {total:.1f} s, the first {first:.1f} s; {TRIALS * once / total:.1f}x")
    return [
        {"rung": "one training", "seconds": once},
        {
            "rung": f"lighten, {TRIALS} trials",
            "seconds": total,
            "first": first,
            "ratio_to_trials_times_one": TRIALS * once / total,
        },
    ]
