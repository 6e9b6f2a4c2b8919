"""Flops: how many floating-point operations learning from one row takes, counted on a few batches."""

from __future__ import annotations

import time

from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.order import drawn
from lighten.nets.training.trainable import Trainable

BATCHES, ROWS = 16, 4
"""Batches that are counted at the most, and rows of each."""
LEAST, SECONDS = 2, 1.0
"""Batches that are counted at the least, and seconds after which no more are."""


def flops_per_row(work: Trainable, seed: int) -> float:
    """Operations of the products, convolutions and attention of a row or token there and back; 0 where none is counted.

    The network is left as it was: nothing is learned, and statistics of batch norms stay.
    """
    from torch.utils.flop_counter import FlopCounterMode

    batches = work.batches(0, seed)
    chosen = drawn(seed, -1).sample(range(len(batches)), min(BATCHES, len(batches)))
    total = size = 0
    with work.prepared(), eval_mode(work.net):
        begun = time.perf_counter()
        for done, number in enumerate(chosen):
            if done >= LEAST and time.perf_counter() - begun > SECONDS:
                break
            rows = batches[number][:ROWS]
            with FlopCounterMode(display=False) as counter:
                work.backward(rows, 1.0)
            total, size = total + counter.get_total_flops(), size + work.size(rows)
        work.net.zero_grad(set_to_none=True)
    return total / size if size else 0.0
