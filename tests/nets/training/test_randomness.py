"""Three generators are seeded, kept and put back together."""

from __future__ import annotations

import json
import random

import numpy as np
import torch

from lighten.nets.training.randomness import generators, put_back, seed_all, untouched


def drawn() -> list[float]:
    return [float(torch.rand(())), random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn()]


def test_all_are_seeded_and_go_on_where_they_were() -> None:
    with untouched():
        seed_all(5)
        first = drawn()
        seed_all(5)
        assert drawn() == first
        state, plain = generators()
        following = drawn()
        put_back(state, json.loads(json.dumps(plain)))
        assert drawn() == following != first


def test_what_is_drawn_inside_does_not_count() -> None:
    with untouched():
        seed_all(5)
        with untouched():
            drawn()
        seen = drawn()
        seed_all(5)
        assert drawn() == seen
