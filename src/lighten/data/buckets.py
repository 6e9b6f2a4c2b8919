"""Batches of similar length, padding, and length buckets: less padding, less wasted arithmetic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lighten.core.reader import Reader

_MOST_CANDIDATES = 512


def batches_by_length(
    lengths: Sequence[int],
    max_rows: int,
    max_tokens: int | None = None,
    multiple: int = 1,
    shuffle: random.Random | None = None,
    chunk: int = 50,
) -> list[list[int]]:
    """Row numbers in batches of similar length; every row is in exactly one batch.

    Args:
        lengths: tokens per row.
        max_rows: most rows in a batch.
        max_tokens: most tokens in a batch, padding included; a row that is longer alone gets a batch of its own.
        multiple: lengths are padded up to a multiple of this.
        shuffle: None sorts all rows by length, shortest first. A generator shuffles the rows, sorts within chunks of
            ``chunk`` batches' worth of rows only, and shuffles the batches: random enough to train on.

    Raises:
        ValueError: a limit below 1 or a negative length.
    """
    if max_rows < 1 or multiple < 1 or chunk < 1 or (max_tokens is not None and max_tokens < 1):
        raise ValueError("max_rows, max_tokens, multiple and chunk are at least 1")
    if lengths and min(lengths) < 0:
        raise ValueError("lengths are not negative")
    order = list(range(len(lengths)))
    if shuffle is None:
        return _cut(sorted(order, key=lambda i: lengths[i]), lengths, max_rows, max_tokens, multiple)
    shuffle.shuffle(order)
    step = chunk * max_rows
    batches = []
    for start in range(0, len(order), step):
        piece = sorted(order[start : start + step], key=lambda i: lengths[i])
        batches += _cut(piece, lengths, max_rows, max_tokens, multiple)
    shuffle.shuffle(batches)
    return batches


def batches_by_size(
    reader: Reader[Any],
    examples: Sequence[Any],
    max_rows: int,
    most: int | None = None,
    multiple: int = 1,
    shuffle: random.Random | None = None,
) -> list[list[int]]:
    """As :func:`batches_by_length`, by the size that ``reader`` tells of its examples; where it does not pad, the rows
    of a batch have one shape."""
    sizes = [reader.size(example) for example in examples]
    shapes: dict[tuple[int, ...], list[int]] = {}
    for row, example in enumerate(examples):
        shapes.setdefault(() if reader.pads else np.shape(example), []).append(row)
    batches = []
    for rows in shapes.values():
        found = batches_by_length([sizes[row] for row in rows], max_rows, most, multiple, shuffle)
        batches += found if len(shapes) == 1 else [[rows[i] for i in batch] for batch in found]
    if shuffle is not None and len(shapes) > 1:
        shuffle.shuffle(batches)
    return batches


def pad(
    ids: Sequence[Sequence[int]], pad_id: int, length: int | None = None, side: Literal["right", "left"] = "right"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids of rows of different length as one array.

    Args:
        length: width of the result; the longest row's when None.
        side: where the padding goes.

    Returns:
        input_ids: int64 [rows, length]; attention_mask: int64 [rows, length], 1 for tokens and 0 for padding.

    Raises:
        ValueError: a row is longer than ``length``: cutting is the tokenizer's business.
    """
    widths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    longest = int(widths.max(initial=0))
    width = longest if length is None else length
    if longest > width:
        raise ValueError(f"a row has {longest} tokens and the padded length is {width}")
    places = np.arange(width)
    held = places < widths[:, None] if side == "right" else places >= width - widths[:, None]
    input_ids = np.full((len(ids), width), pad_id, dtype=np.int64)
    input_ids[held] = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(widths.sum()))
    return input_ids, held.astype(np.int64)


def bucket_edges(lengths: Sequence[int], count: int, multiple: int = 1) -> tuple[int, ...]:
    """Fixed lengths to pad to, ascending: the at most ``count`` edges that waste the fewest padding tokens.

    Optimal partition by dynamic programming over the distinct rounded lengths (over 512 of their quantiles when there
    are more). The last edge holds the longest row.

    Args:
        lengths: tokens per row of a representative sample.
        multiple: edges are multiples of this.

    Raises:
        ValueError: no lengths, or ``count`` or ``multiple`` below 1.
    """
    if not len(lengths) or count < 1 or multiple < 1:
        raise ValueError("bucket_edges needs lengths, and a count and a multiple of at least 1")
    rounded = np.maximum(-(-np.asarray(lengths, dtype=np.int64) // multiple), 1) * multiple
    edges, rows = np.unique(rounded, return_counts=True)
    if len(edges) > _MOST_CANDIDATES:
        quantiles = np.quantile(rounded, np.linspace(0, 1, _MOST_CANDIDATES), method="higher")
        edges = np.unique(quantiles)
        rows = np.bincount(np.searchsorted(edges, rounded), minlength=len(edges))
    below = np.concatenate([[0], np.cumsum(rows)])
    cost = edges * below[1:].astype(np.float64)
    cuts: list[NDArray[np.int64]] = []
    for _ in range(min(count, len(edges)) - 1):
        totals = np.concatenate([[0.0], cost])[:, None] + edges[None, :] * (below[None, 1:] - below[:, None])
        totals[np.arange(len(below))[:, None] > np.arange(len(edges))[None, :]] = np.inf
        cuts.append(totals.argmin(axis=0))
        cost = totals.min(axis=0)
    chosen, last = [int(edges[-1])], len(edges) - 1
    for cut in reversed(cuts):
        last = int(cut[last]) - 1
        if last < 0:
            break
        chosen.append(int(edges[last]))
    return tuple(reversed(chosen))


def _cut(
    order: Sequence[int], lengths: Sequence[int], max_rows: int, max_tokens: int | None, multiple: int
) -> list[list[int]]:
    """Consecutive batches of rows that come sorted by length, within both limits."""
    batches: list[list[int]] = []
    for row in order:
        padded = -(-lengths[row] // multiple) * multiple
        rows = len(batches[-1]) + 1 if batches else 0
        if rows and rows <= max_rows and (max_tokens is None or rows * padded <= max_tokens):
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches
