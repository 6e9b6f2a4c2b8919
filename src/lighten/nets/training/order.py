"""Order: in which order rows are learned from, a pure function of seed and epoch, so that a position is two numbers."""

from __future__ import annotations

import hashlib
import random

import numpy as np
from numpy.typing import NDArray


def drawn(seed: int, epoch: int, *more: int) -> random.Random:
    """The generator that shuffles one pass over the data; the same on every machine, whatever was drawn before.

    Args:
        more: numbers of something else that is drawn.
    """
    digest = hashlib.sha256("/".join(map(str, (seed, epoch, *more))).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def chances(seed: int, epoch: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) of every row of one pass over the data: [rows, columns]; whatever was drawn before."""
    digest = hashlib.sha256(f"chances/{seed}/{epoch}".encode()).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(digest[:8], "big"))).random((rows, columns))
