"""Setback: an update whose loss or gradient is no number; the last good weights come back, at a lower rate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.schedule import State
from lighten.nets.training.trainable import Trainable

BACK = 0.3
"""What is left of the learning rate after what was learned since the last evaluation was thrown away: on 399 newspaper
editorials two passes at a peak rate of 6e-5 raised the bits per byte of others by 9 %, 0.3 of one at 3e-5 lowered them
by 3.3 %."""
SETBACKS = 2
"""How often a training that came apart goes back to the last good weights before it is given up."""
SHOWN = 8
"""Rows of a batch that are named where it made the loss infinite."""


def came_apart(work: Trainable, state: State, batch: Sequence[int], number: int, loss: float, norm: float) -> str:
    """Where a training came apart: the update, its rows, and what was no number.

    Args:
        work: with the last good weights. state: after the update. number: of the batch in its pass.
    """
    epoch = state.epoch + (state.batch != 0)
    return (
        f"update {state.updates:,} (epoch {epoch}, batch {number + 1}, {culprits(work, batch)}): "
        f"loss {loss:.4g}, gradient norm {norm:.4g}"
    )


def culprits(work: Trainable, batch: Sequence[int]) -> str:
    """The rows of a batch whose loss or gradient alone is infinite or NaN; all of them where that is none or all."""
    with eval_mode(work.net):
        alone = [row for row in batch if not _is_finite(work, row)]
    work.net.zero_grad(set_to_none=True)
    some = alone if 0 < len(alone) < len(batch) else batch
    rows = work.sources(some)
    shown = ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")
    if some is not alone:
        return f"rows {shown} of the training part"
    first = f", the first of which is {item!r}" if (item := work.item(rows[0])) else ""
    return f"rows not finite by themselves: {shown} of the training part{first}"


def _is_finite(work: Trainable, row: int) -> bool:
    work.net.zero_grad(set_to_none=True)
    if not math.isfinite(work.backward([row], 1.0)):
        return False
    found = (one.grad for one in work.net.parameters() if one.grad is not None)
    return all(bool((one._values() if one.is_sparse else one).isfinite().all()) for one in found)
