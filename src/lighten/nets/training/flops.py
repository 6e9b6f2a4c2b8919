"""Flops: how many floating-point operations learning from one row takes, counted on a few batches.

Counted are matrix products, convolutions and attention, forward and for every gradient that is asked for: where all
weights learn, three times forward, but for what nothing learns in front of. What a kernel computes again on the way
back is no work that was to be done, and is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lighten.nets.training.convolution import quick_convolution
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.order import drawn
from lighten.nets.training.trainable import Batch, Trainable

BATCHES, ROWS = 16, 4
"""Batches that are counted at the most, and rows of each."""
LEAST, SECONDS = 2, 1.0
"""Batches that are counted at the least, and seconds after which no more are."""


def flops_per_row(work: Trainable, seed: int) -> float:
    """Operations of the products, convolutions and attention of a row or token there and back; 0 where none is counted.

    The network is left as it was: nothing is learned, and statistics of batch norms stay.
    """
    batches = work.batches(0, seed)
    chosen = drawn(seed, -1).sample(range(len(batches)), min(BATCHES, len(batches)))
    total = size = 0
    with _learning(work):
        begun = time.perf_counter()
        for done, number in enumerate(chosen):
            if done >= LEAST and time.perf_counter() - begun > SECONDS:
                break
            rows = batches[number][:ROWS]
            total, size = total + _counted(work, rows), size + work.size(rows)
    return total / size if size else 0.0


def flops_of(work: Trainable, batches: Sequence[Batch]) -> int:
    """Operations of whole batches there and back, their padding counted; the network is left as it was."""
    with _learning(work):
        return sum(_counted(work, rows) for rows in batches)


@contextmanager
def _learning(work: Trainable) -> Iterator[None]:
    with work.prepared(), eval_mode(work.net), quick_convolution():  # of one place nine weights see one
        yield
        work.net.zero_grad(set_to_none=True)


def _counted(work: Trainable, batch: Batch) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False, custom_mapping=_of_cpu()) as counter:
        work.backward(batch, 1.0)
    return int(counter.get_total_flops())


def _of_cpu() -> Mapping[Any, Callable[..., int]]:
    """What torch's counter does not know: the fused attention of CPUs, which counts as nothing there."""
    from torch import ops

    return {
        ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
        ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_back,
    }


def _attention(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], dropout: float = 0.0, causal: bool = False,
    **_: Any,
) -> int:  # fmt: skip
    """Operations of its two products; of causal attention half, which is what is not masked.

    Args:
        query, key, value: shapes, as [rows, heads, tokens, width].
    """
    rows, heads, tokens, width = query
    found = 2 * rows * heads * tokens * key[2] * (width + value[3])
    return found // 2 if causal else found


def _attention_back(
    gradient: Sequence[int], query: Sequence[int], key: Sequence[int], value: Sequence[int], out: Sequence[int],
    logsumexp: Sequence[int], dropout: float, causal: bool, **_: Any,
) -> int:  # fmt: skip
    """Operations of the four products that gradients take; that of queries and keys again is not among them."""
    return 2 * _attention(query, key, value, dropout, causal)
