"""Randomness: the generators that code may draw from, torch's, Python's and numpy's, seeded and put back together."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class Generators(NamedTuple):
    """States of all of them. torch: a tensor. plain: the others, as plain values."""

    torch: Tensor
    plain: list[Any]


def seed_all(seed: int) -> None:
    """Let all begin anew."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % (1 << 32))  # a network of one's own may draw from it


def generators() -> Generators:
    """Where they are."""
    version, words, gauss = random.getstate()
    name, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
    drawn = [name, keys.tolist(), place, has_gauss, cached]  # type: ignore[union-attr]
    return Generators(torch.random.get_rng_state(), [[version, list(words), gauss], drawn])


def put_back(state: Tensor, plain: Sequence[Any]) -> None:
    """Let them go on where they were; see :class:`Generators`."""
    (version, words, gauss), (name, keys, *rest) = plain
    torch.random.set_rng_state(state)
    random.setstate((version, tuple(words), gauss))
    np.random.set_state((name, np.asarray(keys, dtype=np.uint32), *rest))


@contextmanager
def untouched() -> Iterator[None]:
    """Whatever is drawn inside, afterwards they are where they were."""
    before = generators()
    try:
        yield
    finally:
        put_back(*before)
