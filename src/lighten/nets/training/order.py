"""Order: in which order rows are learned from, a pure function of seed and epoch, so that a place is two numbers."""

from __future__ import annotations

import hashlib
import random


def drawn(seed: int, epoch: int) -> random.Random:
    """The generator that shuffles one pass over the data; the same on every machine, whatever was drawn before."""
    digest = hashlib.sha256(f"{seed}/{epoch}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))
