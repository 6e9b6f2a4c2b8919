"""The order of the data follows from seed and epoch alone."""

from __future__ import annotations

from lighten.nets.training.order import drawn


def test_it_is_the_same_whatever_came_before_and_different_for_each_pass() -> None:
    first = drawn(3, 1).random()
    drawn(3, 0).random()
    assert drawn(3, 1).random() == first
    assert len({drawn(seed, epoch).random() for seed in range(5) for epoch in range(5)}) == 25
    assert drawn(0, 0).getrandbits(32) == 565518557  # on every machine
