"""Batches by length, padding and length buckets."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.data.buckets import batches_by_length, bucket_edges, pad

LENGTHS = st.lists(st.integers(0, 60), max_size=80)


@given(LENGTHS, st.integers(1, 9), st.none() | st.integers(1, 200), st.integers(1, 8), st.booleans())
def test_every_row_is_in_one_batch_within_the_limits(
    lengths: list[int], max_rows: int, max_tokens: int | None, multiple: int, shuffled: bool
) -> None:
    shuffle = random.Random(3) if shuffled else None
    batches = batches_by_length(lengths, max_rows, max_tokens, multiple, shuffle, chunk=2)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= max_rows
        padded = -(-max(lengths[i] for i in batch) // multiple) * multiple
        assert max_tokens is None or len(batch) == 1 or len(batch) * padded <= max_tokens


def test_sorted_batches_waste_little_and_shuffled_ones_are_random_and_repeatable() -> None:
    lengths = [random.Random(1).randrange(5, 100) for _ in range(2000)]
    ordered = batches_by_length(lengths, 16)
    assert [lengths[i] for batch in ordered for i in batch] == sorted(lengths)
    one, same, other = (batches_by_length(lengths, 16, shuffle=random.Random(s)) for s in (1, 1, 2))
    assert one == same != other
    waste = sum(max(lengths[i] for i in b) * len(b) - sum(lengths[i] for i in b) for b in one) / sum(lengths)
    assert waste < 0.10


@given(st.lists(st.lists(st.integers(1, 50), max_size=9), max_size=9), st.sampled_from(["left", "right"]))
def test_padding_round_trip(ids: list[list[int]], side: str) -> None:
    input_ids, mask = pad(ids, 0, 10, side="left" if side == "left" else "right")
    assert input_ids.shape == mask.shape == (len(ids), 10)
    assert input_ids.dtype == mask.dtype == np.int64
    assert [row[held == 1].tolist() for row, held in zip(input_ids, mask, strict=True)] == ids
    assert not input_ids[mask == 0].any()


def test_padding_sides_and_refusal() -> None:
    assert pad([[1], [2, 3]], 9)[0].tolist() == [[1, 9], [2, 3]]
    assert pad([[1], [2, 3]], 9, side="left")[0].tolist() == [[9, 1], [2, 3]]
    with pytest.raises(ValueError, match="2 tokens"):
        pad([[1, 2]], 0, 1)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.integers(1, 4), st.sampled_from([1, 4, 8]))
def test_bucket_edges_waste_the_least(lengths: list[int], count: int, multiple: int) -> None:
    edges = bucket_edges(lengths, count, multiple)
    allowed = sorted({-(-length // multiple) * multiple for length in lengths})

    def padded(candidate: tuple[int, ...]) -> int:
        return sum(min(edge for edge in candidate if edge >= length) for length in lengths)

    best = min(
        padded((*some, allowed[-1]))
        for size in range(min(count, len(allowed)))
        for some in combinations(allowed[:-1], size)
    )
    assert list(edges) == sorted(set(edges)) and len(edges) <= count
    assert padded(edges) == best


def test_bucket_edges_of_many_distinct_lengths() -> None:
    edges = bucket_edges([1 + i * 7 for i in range(5000)], 6, 16)
    assert len(edges) == 6 and edges[-1] >= 1 + 4999 * 7 and all(edge % 16 == 0 for edge in edges)
