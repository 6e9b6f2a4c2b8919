"""Which items flipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.proof.flips import find_flips
from lighten.proof.verdict import judge_paired


def test_by_hand() -> None:
    flips = find_flips(truth=[0, 0, 0, 0, 0, 0], original=[0, 0, 1, 1, 1, 2], candidate=[0, 1, 0, 2, 1, 1])
    assert flips.broke.tolist() == [1]
    assert flips.fixed.tolist() == [2]
    assert flips.moved.tolist() == [3, 5]
    assert (flips.n, flips.b, flips.c, flips.changed) == (6, 1, 1, 4)
    assert flips.rate == pytest.approx(4 / 6)


def test_labels_may_be_text() -> None:
    assert find_flips(["cat", "dog"], ["cat", "cat"], ["dog", "dog"]).broke.tolist() == [0]


labels = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=60)


@given(labels)
def test_counts_agree_with_the_verdict_and_swap(rows: list[tuple[int, int, int]]) -> None:
    truth, before, after = np.array(rows).T
    flips, verdict = find_flips(truth, before, after), judge_paired(before == truth, after == truth, 0.01)
    assert (flips.b, flips.c) == (verdict.b, verdict.c)
    assert flips.changed == np.count_nonzero(before != after)
    swapped = find_flips(truth, after, before)
    assert swapped.broke.tolist() == flips.fixed.tolist()
    assert swapped.moved.tolist() == flips.moved.tolist()


@pytest.mark.parametrize(
    ("truth", "original", "candidate", "says"),
    [
        ([], [], [], "non-empty"),
        ([1, 2], [1, 2], [1], "one length"),
        ([[1]], [[1]], [[1]], "one length"),
        ([1.0, float("nan")], [1.0, 2.0], [1.0, 2.0], "NaN"),
    ],
)
def test_refusals(truth: Any, original: Any, candidate: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        find_flips(truth, original, candidate)
