"""Rates: what memory and arithmetic of this machine reach at best, and whether a quiet moment was found for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from statistics import median
from time import perf_counter, sleep

from lighten.isolate.machine import allowed_cores, allowed_memory
from lighten.isolate.neighbours import Neighbours
from lighten.measure.rounds import DISTURBED

MOST_BYTES, READ_BYTES = 192 << 20, 256 << 20
MATRIX = 1024
LOOK_SECONDS = 0.15
"""What one look takes at the least; shorter ones do not show what others took."""
QUIET_LOOKS = 4
"""Undisturbed looks that are enough."""
PATIENCE_SECONDS = 4.0
"""How long a quiet moment is waited for."""
PAUSE_SECONDS = 0.2
UNSTEADY = 1.5
"""How many times the median of the looks the best one may reach before the machine counts as disturbed: where the
kernel does not show who disturbs (a neighbour on the same host), the looks still differ."""


@dataclass(frozen=True, slots=True)
class Look:
    """One stretch of repetitions.

    Attributes:
        rate: of its best repetition. others: share of the cores that others took meanwhile; None when unknown.
    """

    rate: float
    others: float | None


@dataclass(frozen=True, slots=True)
class Rate:
    """What was reached at most.

    Attributes:
        value: in the unit of who asked, one decimal.
        disturbed: why it may be far too low; empty when quiet looks agreed on it.
    """

    value: float
    disturbed: str = ""


def best_of(looks: Sequence[Look]) -> Rate:
    """The best of all looks, and what disturbed them."""
    best = round(max(look.rate for look in looks), 1)
    quiet = [look.rate for look in looks if (look.others or 0.0) <= DISTURBED]
    if len(quiet) < min(QUIET_LOOKS, 2):
        most = max(look.others or 0.0 for look in looks)
        return Rate(best, f"other processes took up to {most:.0%} of the cores")
    typical = median(look.rate for look in looks)
    if max(look.rate for look in looks) > UNSTEADY * typical:
        return Rate(best, f"repetitions reached from {min(look.rate for look in looks):.3g} to {best:.3g}")
    return Rate(best)


def measured(repeat: Callable[[], object], amount: float) -> Rate:
    """Repeat something until there were quiet looks enough, or patience is at its end.

    Args:
        amount: that one repetition does, in the rate's unit times seconds.
    """
    looks: list[Look] = []
    repeat()  # the first one also makes pages and wakes threads
    until = perf_counter() + PATIENCE_SECONDS
    while True:
        neighbours, best, began = Neighbours(), 0.0, perf_counter()
        while (started := perf_counter()) - began < LOOK_SECONDS:
            repeat()
            best = max(best, amount / (perf_counter() - started))
        looks.append(Look(best, neighbours.share()))
        quiet = sum((look.others or 0.0) <= DISTURBED for look in looks)
        if (quiet >= QUIET_LOOKS and not best_of(looks).disturbed) or perf_counter() >= until:
            return best_of(looks)
        if (looks[-1].others or 0.0) > DISTURBED:
            sleep(PAUSE_SECONDS)


@cache
def memory_bandwidth() -> Rate:
    """GB/s (1e9 bytes, two reads and one write per element) of ``c = a + b`` on all allowed cores.

    Source:
        McCalpin, STREAM: the Add kernel; arrays are 192 MiB together, or an eighth of the memory that is allowed.
    """
    import numpy as np

    cores = allowed_cores()
    items = max(min(MOST_BYTES, allowed_memory() // 8) // (3 * 4 * cores), 1)
    arrays = [tuple(np.full(items, i, dtype=np.float32) for i in range(3)) for _ in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        return measured(
            lambda: list(pool.map(lambda three: np.add(three[0], three[1], out=three[2]), arrays)),
            3 * 4 * items * cores / 1e9,
        )


@cache
def read_bandwidth() -> Rate:
    """GB/s (1e9 bytes) of finding the largest number of big arrays on all allowed cores.

    Weights are only read, and reading alone is faster than the reading and writing of :func:`memory_bandwidth`.
    """
    import numpy as np

    cores = allowed_cores()
    items = max(min(READ_BYTES, allowed_memory() // 8) // (4 * cores), 1)
    arrays = [np.full(items, i, dtype=np.float32) for i in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        return measured(lambda: list(pool.map(lambda array: array.max(), arrays)), 4 * items * cores / 1e9)


@cache
def matmul_rate() -> Rate:
    """GFLOP/s of a float32 [1024, 1024] product with numpy's BLAS and the threads it takes."""
    import numpy as np

    a = np.full((MATRIX, MATRIX), 0.5, dtype=np.float32)
    return measured(lambda: a @ a, 2 * MATRIX**3 / 1e9)


@cache
def product_rate(precision: str, threads: int) -> Rate:
    """GFLOP/s of a [1024, 1024] product in torch, as its layers make them: the most that a training could reach.

    Args:
        precision: ``fp32`` or ``bf16``. threads: that it computes with.
    """
    import torch
    from torch.nn.functional import linear

    from lighten.nets.training.precision import NAMED, using_threads

    with using_threads(threads), torch.inference_mode():
        a = torch.full((MATRIX, MATRIX), 0.5, dtype=NAMED[precision] or torch.float32)
        return measured(lambda: linear(a, a), 2 * MATRIX**3 / 1e9)
