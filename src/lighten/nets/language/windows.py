"""Windows: texts as token ids in parts of a length, and the batches that a pass over them has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.training.order import drawn

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork

Window = list[int]
"""Token ids, the start token at the front where the tokenizer has one."""


def windows(network: LanguageNetwork, texts: Sequence[str], longest: int) -> list[Window]:
    """Texts as token ids in windows of at most ``longest``, the start token at the front of each."""
    return [window for _, window in numbered_windows(network, texts, longest)]


def numbered_windows(network: LanguageNetwork, texts: Sequence[str], longest: int) -> Iterator[tuple[int, Window]]:
    """Each window, with the number of its text."""
    before, _ = network.tokens.around
    room = longest - before
    for number, ids in enumerate(network.tokens(texts)):
        start, rest = ids[:before], ids[before:]
        for begin in range(0, len(rest), room):
            window = [*start, *rest[begin : begin + room]]
            if len(window) > 1:
                yield number, window


def planned(rows: list[Window], schedule: LanguageSchedule, seed: int) -> list[list[Window]]:
    """Batches in the order of the training: lengths alike within one, the batches shuffled."""
    found = (batches_of(rows, schedule, epoch, seed) for epoch in range(math.ceil(schedule.passes)))
    return [[rows[row] for row in batch] for batches in found for batch in batches]


def batches_of(rows: Sequence[Window], schedule: LanguageSchedule, epoch: int, seed: int) -> list[list[int]]:
    """Numbers of the windows of each batch of one pass, or of the part of it that is left of the schedule."""
    rng, order = drawn(seed, epoch), list(range(len(rows)))
    rng.shuffle(order)
    left = max(min(schedule.passes - epoch, 1.0), 0.0)
    found = list(_batches(rows, order[: math.ceil(left * len(rows))], schedule.tokens))
    rng.shuffle(found)
    return found


def _batches(rows: Sequence[Window], chosen: Sequence[int], tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in sorted(chosen, key=lambda row: len(rows[row])):
        if batch and (len(batch) + 1) * len(rows[row]) > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
