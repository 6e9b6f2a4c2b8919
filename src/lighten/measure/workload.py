"""Workload: what sessions are asked while they are timed, drawn from the user's own data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from time import perf_counter

from lighten.core.errors import DataError
from lighten.core.item import Item, size_of
from lighten.core.meter import SLICES, Workload
from lighten.core.priors import USUAL, Requests
from lighten.core.rows import Rows
from lighten.core.session import Session

LEAST_SINGLES, LEAST_BATCH = 40, 64
PASSES = 9
"""What a measurement costs, in runs of the batch by the original: warm-up and five turns, and half of that for a
candidate, which is meant to be quicker. The singles are run a third as often: once to warm up, once in slices."""


def draw(rows: Rows, requests: Requests = USUAL, *, seed: int = 0) -> Workload:
    """Draw requests that have the data's own mix of lengths. The same rows and seed give the same requests.

    Args:
        rows: the part to draw from, usually ``select``.
        requests: how many inputs to draw; fewer when there are fewer rows, none twice.

    Raises:
        DataError: there is no row to draw from.
    """
    if not rows.inputs:
        raise DataError("There is no row to measure with.", fix="give more data")
    rng = random.Random(seed)
    singles = _dealt(_by_size(rows.inputs, requests.singles, rng), rng)
    batch = list(_by_size(rows.inputs, requests.batch, rng))
    rng.shuffle(batch)
    return Workload(singles, tuple(batch))


def fit(work: Workload, session: Session, seconds: float) -> Workload:
    """Shrink a workload until measuring one candidate beside this session, the original, takes about ``seconds``.

    Do it once per run, so that all candidates are asked the same. Whichever of singles and batch takes longer is
    halved first, down to 40 and 64 inputs; what remains is still a random sample.
    """
    one, sample = [work.singles[:1]] * 3, [work.batch[:LEAST_BATCH]]
    per_single = _seconds(session, one) / len(one)
    per_row = _seconds(session, sample) / len(sample[0])
    singles, batch = len(work.singles), len(work.batch)
    while True:
        alone, together = singles * per_single * PASSES / 3, batch * per_row * PASSES
        fewer_singles, fewer_batch = max(LEAST_SINGLES, singles // 2), max(LEAST_BATCH, batch // 2)
        if alone + together <= seconds or (singles <= LEAST_SINGLES and batch <= LEAST_BATCH):
            return replace(work, singles=work.singles[:singles], batch=work.batch[:batch])
        if batch > LEAST_BATCH and (together >= alone or singles <= LEAST_SINGLES):
            batch = fewer_batch
        else:
            singles = fewer_singles


def _seconds(session: Session, requests: Sequence[Sequence[Item]]) -> float:
    """Seconds for all requests; once they are known to be quick, the second time counts, when all is warm."""
    taken = 0.0
    for _ in range(2):
        started = perf_counter()
        for inputs in requests:
            session.run(inputs)
        taken = perf_counter() - started
        if taken > 1.0:
            break
    return taken


def _by_size(inputs: Sequence[Item], count: int, rng: random.Random) -> list[Item]:
    """A random sample, the smallest first: one from each of ``count`` equal slices of the inputs sorted by size."""
    order = sorted(range(len(inputs)), key=lambda i: (size_of(inputs[i]), i))
    count = min(count, len(order))
    edges = [len(order) * i // count for i in range(count + 1)]
    return [inputs[order[rng.randrange(low, high)]] for low, high in pairwise(edges)]


def _dealt(drawn: Sequence[Item], rng: random.Random) -> tuple[Item, ...]:
    """The same requests in a random order in which neighbours by size, dealt to one slice each, stand side by side.

    So each slice has the whole mix of sizes: how much quicker one session is than another depends on the size, and
    three slices of eight texts gave ratios from 0.9 to 1.7. What begins the order has it too: it halves the sizes that
    are not there yet, over and over, from a random one on.

    Args:
        drawn: the smallest first.
    """
    whole = len(drawn) // SLICES * SLICES
    hands = [list(drawn[at : at + SLICES]) for at in range(0, whole, SLICES)]
    for hand in hands:
        rng.shuffle(hand)
    many, bits = len(hands), len(hands).bit_length()
    turned = rng.randrange(many) if many else 0
    halving = dict.fromkeys(int(f"{n:0{bits}b}"[::-1], 2) * many >> bits for n in range(1 << bits) if many)
    hands = [hands[(place + turned) % many] for place in halving]
    rest = list(drawn[whole:])
    rng.shuffle(rest)
    return tuple(item for hand in [*hands, rest] for item in hand)
