"""Admission: whether a request may wait, said at once and with an honest estimate of when there is room."""

from __future__ import annotations

from dataclasses import dataclass

from lighten.serve.limits import Limits
from lighten.serve.rate import Rate
from lighten.serve.refusals import Refusal, overloaded

BATCHES = 2
"""Full batches that may wait however little ``queue_seconds`` is: a shorter queue would leave batches half empty."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a model is.

    Attributes:
        work, inputs: that wait. seconds: until a request that comes now would begin (``rate.waiting_time``).
        replicas: that answer.
    """

    work: int
    inputs: int
    seconds: float
    replicas: int


def refused(load: Load, work: int, deadline: float, rate: Rate, limits: Limits) -> Refusal | None:
    """Why a request of so much work may not wait; None where it may.

    It may where what waits takes no longer than ``queue_seconds`` by the measured rate, or is less than two batches for
    each replica; where it can be answered before its deadline; and where all that waits is not more than ``queue``. A
    batch is full by its inputs or by what it takes (``batch_seconds``), so a slow model has no longer queue.

    Args:
        deadline: seconds until it is given up.
    """
    batches = BATCHES * max(1, load.replicas)
    short = load.inputs < batches * limits.batch and load.work < batches * rate.work(limits.batch_seconds)
    short = short or load.inputs < batches  # a batch has one input at least, whatever that takes
    own = rate.seconds(work)
    if load.work and load.work + work > limits.queue:
        seen = f"Work of {load.work:,} units waits, and {work:,} more are beyond the {limits.queue:,} that may."
        return overloaded(seen, max(load.seconds, rate.seconds(load.work + work - limits.queue)))
    if not short and load.seconds > limits.queue_seconds:
        seen = f"What waits already takes about {load.seconds:.2g} s."
        return overloaded(seen, load.seconds - limits.queue_seconds)
    if load.seconds + own > deadline and load.work:
        seen = f"It would be answered in about {load.seconds + own:.2g} s, later than its deadline of {deadline:.2g} s."
        return overloaded(seen, load.seconds + own - deadline)
    return None
