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
    """A picture: blots of its own, coarse and fine as photographs have them, under stripes or checks and some noise.

    Args:
        label: one of ``CLASSES``, whose pattern lies over the blots; blots alone when empty. size: width and height.
    """
    draw = np.random.default_rng([seed, ("", *CLASSES).index(label)])
    width, height = size
    levels = np.zeros((height, width, 3), np.float32)
    for side, weight in ((4, 0.45), (9, 0.35), (18, 0.2)):
        coarse = Image.fromarray(draw.integers(0, 256, (side, side + 1, 3)).astype(np.uint8))
        levels += weight * np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32)
    if label:
        across, down = np.arange(height)[:, None] // 4 % 2, np.arange(width)[None, :] // 4 % 2
        pattern = {"across": across + 0 * down, "down": down + 0 * across, "checks": across ^ down}[label]
        levels = 0.7 * levels + 0.3 * 255 * pattern[:, :, None]
    levels = np.clip(levels + draw.normal(0, 2, levels.shape), 0, 255).astype(np.uint8)
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
