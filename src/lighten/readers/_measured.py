"""What pictures are like that bring no processor with them: their most frequent size, their channels, their levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.errors import ModelError
from lighten.core.item import Reference, shown
from lighten.files.stored_zip import read_bytes
from lighten.readers._pixels import in_channels, loaded, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST, USUAL = 256, 224
"""Pixels of a side: pictures of this and less are taken as they are, larger ones are made as large as most networks
take them."""
MEASURED = 1_000
"""Pictures that levels are measured on."""
LEAST = 0.01
"""Standard deviation below which levels are taken to be constant, and are not stretched."""
GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def processor_of(items: Sequence[Reference], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Content of ``preprocessor_config.json`` for some pictures.

    Args:
        wanted: ``size`` (pixels of a side, or height and width), ``channels``, ``mean`` and ``std`` of each channel
            (levels are 0 to 1), where the network says them.

    Raises:
        DataError: a picture that cannot be opened. ModelError: a size that is none.
    """
    sizes, modes = [], set()
    for item in items[:MEASURED]:  # the pixels of one picture at a time are in memory
        image = _opened(item)
        sizes.append(image.size)
        modes.add(image.mode)
    channels = int(wanted.get("channels") or (1 if modes and modes <= set(GREY) else 3))
    height, width = side_of(wanted["size"]) if wanted.get("size") else _usual(sizes)
    levels = np.zeros((2, channels))
    for item in items[:MEASURED]:
        small = in_channels(loaded(_opened(item), shown(item)), channels, shown(item)).resize((width, height))
        numbers = np.asarray(small, np.float64).reshape(-1, channels) / 255
        levels += (numbers.mean(0), (numbers**2).mean(0))
    mean, square = levels / max(len(sizes), 1)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    std = np.where(std < LEAST, 1.0, std)
    return {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": height, "width": width},
        "image_mean": list(wanted.get("mean") or [round(float(one), 4) for one in mean]),
        "image_std": list(wanted.get("std") or [round(float(one), 4) for one in std]),
        "num_channels": channels,
    }


def _opened(item: Reference) -> Image:
    return open_picture(read_bytes(item), shown(item))


def side_of(size: Any) -> tuple[int, int]:
    """Height and width of a size: pixels of a side, or both.

    Raises:
        ModelError: it is none.
    """
    both = (size, size) if isinstance(size, int) and not isinstance(size, bool) else size
    if not (isinstance(both, Sequence) and len(both) == 2 and all(isinstance(n, int) and n > 0 for n in both)):
        raise ModelError(f"The size of pictures is {size!r}.", allowed="pixels of a side, or (height, width)")
    return both[0], both[1]


def _usual(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Height and width of the most frequent (width, height)."""
    (width, height), _ = Counter(sizes).most_common(1)[0] if sizes else ((USUAL, USUAL), 0)
    return (height, width) if max(width, height) <= LARGEST else (USUAL, USUAL)
