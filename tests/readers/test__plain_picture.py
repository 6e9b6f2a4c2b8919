"""Pictures are read without lighten as with it: the same floats, whatever their format and their processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lighten.core.errors import DataError
from lighten.core.plain import ARRAYS_OF
from lighten.readers.image import ImageReader

SETTINGS: dict[str, dict[str, Any]] = {
    "whole": {"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 32}},
    "crop": {"image_processor_type": "MobileNetV2ImageProcessor", "size": {"shortest_edge": 30}, "crop_size": 24},
    "convnext": {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.875},
    "offset": {
        "image_processor_type": "EfficientNetImageProcessor",
        "size": 40,
        "crop_size": 32,
        "rescale_offset": True,
    },
    "top": {"image_processor_type": "EfficientNetImageProcessor", "size": 40, "do_center_crop": True, "crop_size": 32},
    "plain": {"image_processor_type": "ViTImageProcessor", "do_resize": False, "do_normalize": False},
    "levels": {"image_processor_type": "ViTImageProcessor", "size": 32, "do_rescale": False},
}


def drawn(folder: Path) -> list[Path]:
    """Pictures in every mode that Pillow writes as PNG or JPEG, one of them lying on its side."""
    rng, paths = np.random.default_rng(0), []
    pixels = rng.integers(0, 256, (45, 60, 4), dtype=np.uint8)
    for mode in ("RGB", "L", "RGBA", "LA", "P", "1", "I;16"):
        path = folder / f"{mode.replace(';', '')}.png"
        if mode == "I;16":
            Image.fromarray(rng.integers(0, 65536, (45, 60)).astype(np.uint16)).save(path)
        else:
            Image.fromarray(pixels).convert(mode).save(path)
        paths.append(path)
    side, exif = folder / "side.jpg", Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels[:, :, :3]).save(side, exif=exif)
    return [*paths, side]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_floats_are_the_readers(settings: dict[str, Any], channels: int, tmp_path: Path) -> None:
    means = (
        {} if settings.get("do_normalize") is False else {"image_mean": [0.4] * channels, "image_std": [0.2] * channels}
    )
    reader = ImageReader({**settings, **means}, channels)
    reading = reader.plain()
    space: dict[str, Any] = {"np": np}
    exec("\n".join((*reading.imports, *reading.setup, reading.code)), space)
    for path in drawn(tmp_path):
        wanted = reader.batch(reader([ImageReader.describe(path)]))["pixel_values"]
        for value in (str(path), path.read_bytes()):
            found = space[ARRAYS_OF](value)["pixel_values"]
            assert found.shape == wanted.shape and found.dtype == np.float32
            assert np.array_equal(found, wanted), path.name


@pytest.mark.parametrize("numbers", [np.full((30, 40), 0.5, np.float32), np.full((30, 40), 70_000, np.int32)])
def test_numbers_that_are_no_grey_levels_are_refused_by_both(numbers: Any, tmp_path: Path) -> None:
    reader, path = ImageReader(SETTINGS["whole"], 3), tmp_path / "numbers.tiff"
    Image.fromarray(numbers).save(path)
    reading = reader.plain()
    space: dict[str, Any] = {"np": np}
    exec("\n".join((*reading.imports, *reading.setup, reading.code)), space)
    with pytest.raises(DataError, match="no grey levels"):
        reader([ImageReader.describe(path)])
    with pytest.raises(ValueError, match="no grey levels"):
        space[ARRAYS_OF](str(path))


def test_there_are_pictures_to_ask_where_there_is_no_data(tmp_path: Path) -> None:
    reader = ImageReader(SETTINGS["whole"], 3)
    assert reader.batch(reader(reader.samples(tmp_path)))["pixel_values"].shape == (3, 3, 24, 32)
