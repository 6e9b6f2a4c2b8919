"""The order of the data follows from seed and epoch alone."""

from __future__ import annotations

import numpy as np

from lighten.nets.training.order import chances, drawn


def test_it_is_the_same_whatever_came_before_and_different_for_each_pass() -> None:
    first = drawn(3, 1).random()
    drawn(3, 0).random()
    assert drawn(3, 1).random() == first
    assert len({drawn(seed, epoch).random() for seed in range(5) for epoch in range(5)}) == 25
    assert drawn(0, 0).getrandbits(32) == 565518557  # on every machine


def test_chances_of_a_row_follow_from_seed_and_epoch_alone() -> None:
    first = chances(3, 1, 10, 4)
    chances(3, 0, 5, 2)
    np.testing.assert_array_equal(chances(3, 1, 10, 4), first)
    assert first.shape == (10, 4) and first.min() >= 0.0 and first.max() < 1.0
    assert len({float(chances(seed, epoch, 1, 1)[0, 0]) for seed in range(5) for epoch in range(5)}) == 25
