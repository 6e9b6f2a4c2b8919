"""Small pictures of classes that can be told apart, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lighten.core.item import Reference
from lighten.readers.image import ImageReader

CLASSES = ("across", "down", "checks")


def picture(seed: int, label: str = "", *, size: tuple[int, int] = (32, 32), grey: bool = False) -> Image.Image:
    """A picture: stripes across or down, or checks, between two colours, with soft blots of its own and some noise.

    Args:
        label: one of ``CLASSES``; blots alone when empty. size: width and height.
    """
    draw = np.random.default_rng(seed)
    width, height = size
    blots = Image.fromarray(draw.integers(0, 256, (5, 6, 3)).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    levels = np.asarray(blots, np.float32)
    if label:
        across, down = np.arange(height)[:, None] // 4 % 2, np.arange(width)[None, :] // 4 % 2
        drawn = {"across": across + 0 * down, "down": down + 0 * across, "checks": across ^ down}[label]
        levels = 0.3 * levels + 0.7 * 255 * drawn[:, :, None]
    levels = np.clip(levels + draw.normal(0, 4, levels.shape), 0, 255).astype(np.uint8)
    made = Image.fromarray(levels)
    return made.convert("L") if grey else made


def saved_picture(path: Path, seed: int, label: str = "", *, size: tuple[int, int] = (32, 32)) -> Reference:
    """A file with a picture, and the reference to it. The folder is made; the suffix says the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed, label, size=size).save(path)
    return ImageReader.describe(path)


def picture_folder(folder: Path, each: int, classes: Sequence[str] = CLASSES, suffix: str = ".png") -> Path:
    """A folder for each class, with so many pictures in it."""
    for number, label in enumerate(classes):
        for at in range(each):
            saved_picture(folder / label / f"{at}{suffix}", 1000 * number + at, label)
    return folder
