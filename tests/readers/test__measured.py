"""Pictures that bring no processor are measured."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lighten.core.errors import ModelError
from lighten.core.item import Reference
from lighten.readers import _measured
from lighten.readers._measured import processor_of, side_of
from lighten.readers._pixels import open_picture
from lighten.readers.image import ImageReader


def drawn(folder: Path, sizes: list[tuple[int, int]], mode: str = "RGB") -> list[Reference]:
    rng = np.random.default_rng(0)
    found = []
    for number, (width, height) in enumerate(sizes):
        path = folder / f"{number}.png"
        shape = (height, width, 3) if mode == "RGB" else (height, width)
        Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8)).save(path)
        found.append(ImageReader.describe(path))
    return found


def test_the_most_frequent_size_and_the_levels_of_train_are_taken(tmp_path: Path) -> None:
    items = drawn(tmp_path, [(40, 30), (40, 30), (50, 20)])
    reader = ImageReader.fitted(items, {})
    assert reader.sizes() == {"channels": 3, "size": (30, 40)}
    (pixels,) = reader.batch(reader(items)).values()
    assert pixels.shape == (3, 3, 30, 40)
    np.testing.assert_allclose(pixels.mean((0, 2, 3)), 0, atol=0.05)
    np.testing.assert_allclose(pixels.std((0, 2, 3)), 1, atol=0.05)


def test_grey_pictures_are_read_in_one_channel_and_what_is_wished_is_obeyed(tmp_path: Path) -> None:
    items = drawn(tmp_path, [(16, 16)] * 2, "L")
    assert ImageReader.fitted(items, {}).sizes() == {"channels": 1, "size": 16}
    wished = ImageReader.fitted(items, {"size": (8, 12), "channels": 3, "mean": [0, 0, 0], "std": [1, 1, 1]})
    assert wished.sizes() == {"channels": 3, "size": (8, 12)}
    assert processor_of(items, {})["image_mean"] != [0, 0, 0] == wished.settings["image_mean"]


def test_a_reader_that_was_measured_is_saved_and_opened(tmp_path: Path) -> None:
    items = drawn(tmp_path, [(16, 10)] * 2)
    reader = ImageReader.fitted(items, {})
    (tmp_path / "model").mkdir()
    reader.save(tmp_path / "model")
    again = ImageReader.open(tmp_path / "model")
    assert again.sizes() == reader.sizes()
    for one, other in zip(reader.batch(reader(items)).values(), again.batch(again(items)).values(), strict=True):
        assert np.array_equal(one, other)


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    assert ImageReader.fitted(drawn(tmp_path, [(400, 300)] * 2), {}).sizes()["size"] == 224


@pytest.mark.parametrize("size", ["32", 0, (1, 2, 3), True, None, (8, -1)])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(ModelError, match="The size of pictures"):
        side_of(size)


def test_one_picture_is_in_memory_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = drawn(tmp_path, [(30, 20)] * 6)
    known: list[weakref.ref[Image.Image]] = []
    alive: list[int] = []

    def watched(data: bytes, name: str) -> Image.Image:
        image = open_picture(data, name)
        known.append(weakref.ref(image))
        alive.append(sum(one() is not None for one in known))
        return image

    monkeypatch.setattr(_measured, "open_picture", watched)
    assert processor_of(items, {})["size"] == {"height": 20, "width": 30}
    assert max(alive) <= 2, "the one that is opened, and the one before it"
