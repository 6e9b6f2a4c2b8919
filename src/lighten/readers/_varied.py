"""Pictures that are moved and mirrored, exactly: no pixel is computed anew, so that nothing depends on a library.

What is done to each picture is decided by numbers that are given, so the same numbers make the same pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FAR = 8
"""A picture moves by up to so great a part of its side: 4 of 32 pixels, as He et al. (2015) trained on CIFAR."""


def varied(
    examples: Sequence[NDArray[np.uint8]], how: Sequence[str], chance: NDArray[np.float64]
) -> list[NDArray[np.uint8]]:
    """Pictures of one size, each moved, and mirrored with the chance of one half.

    Args:
        examples: [height, width, channels] each. how: ``shift``, ``flip``. chance: uniform in [0, 1), [examples, 3] at
            least: down, to the right, whether mirrored.
    """
    pictures = np.stack(examples)
    if "flip" in how:
        mirrored = chance[:, 2] < 0.5
        pictures[mirrored] = pictures[mirrored, :, ::-1]
    return list(moved(pictures, chance) if "shift" in how else pictures)


def moved(pictures: NDArray[np.uint8], chance: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Pictures [n, height, width, channels], each moved by whole pixels; the pixels of its edge go on beyond it."""
    height, width = pictures.shape[1:3]
    down, right = height // FAR, width // FAR
    wider = np.pad(pictures, ((0, 0), (down, down), (right, right), (0, 0)), mode="edge")
    tops = (chance[:, 0] * (2 * down + 1)).astype(np.intp)
    lefts = (chance[:, 1] * (2 * right + 1)).astype(np.intp)
    found = np.empty_like(pictures)
    for number, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        found[number] = wider[number, top : top + height, left : left + width]
    return found
