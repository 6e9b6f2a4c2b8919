"""Examples are kept while there is room, and read again where there is none: the same either way."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lighten.nets.training import examples
from lighten.nets.training.examples import Examples
from lighten.readers.image import ImageReader
from lighten.readers.text import Encoder
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_pictures import SIDE, tiny_pictures, tiny_vision_folder


def test_without_room_pictures_are_read_again(tmp_path: Path) -> None:
    reader = ImageReader.open(tiny_vision_folder(tmp_path / "net"))
    items = tiny_pictures(tmp_path / "pictures", 20).inputs
    kept, unread = Examples(reader, items, room=20 * SIDE * SIDE * 3), Examples(reader, items, room=20 * SIDE * SIDE)
    assert kept.kept is not None and unread.kept is None
    assert len(kept) == len(unread) == 20
    for one, other in zip(kept.take([7, 0, 19]), unread.take([7, 0, 19]), strict=True):
        np.testing.assert_array_equal(one, other)
    for found in (kept, unread):
        batches = found.batches(8, random.Random(1))
        assert sorted(row for batch in batches for row in batch) == list(range(20))
        assert sorted(map(len, batches)) == [4, 8, 8]
        assert batches == found.batches(8, random.Random(1)) != found.batches(8, random.Random(2))


def test_texts_are_always_kept(tmp_path: Path) -> None:
    reader = Encoder.open(tiny_network_folder(tmp_path))
    assert Examples(reader, ("good film", "bad"), room=0).kept == reader(("good film", "bad"))


def test_processes_share_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ImageReader.open(tiny_vision_folder(tmp_path / "net"))
    items = tiny_pictures(tmp_path / "pictures", 20).inputs
    monkeypatch.setattr(examples, "available_memory", lambda: 2 * 20 * SIDE * SIDE * 3 / examples.SHARE)
    assert Examples(reader, items, among=2).kept is not None
    assert Examples(reader, items, among=3).kept is None


def test_batches_of_several_shapes_do_not_depend_on_the_room_there_is(tmp_path: Path) -> None:
    reader = ImageReader({"image_processor_type": "ViTImageProcessor", "size": {"shortest_edge": 8}}, 3)
    pictures = []
    for n in range(70):
        Image.new("RGB", (8, 12 if n % 3 else 8)).save(tmp_path / f"{n}.png")
        pictures.append(ImageReader.describe(tmp_path / f"{n}.png"))
    kept, unread = Examples(reader, pictures, room=1e12), Examples(reader, pictures, room=0.0)
    assert kept.kept is not None and unread.kept is None
    for seed in (None, 1, 2):
        shuffles = [None if seed is None else random.Random(seed) for _ in range(2)]
        batches = unread.batches(8, shuffles[0])
        assert batches == kept.batches(8, shuffles[1])
        for batch in batches:
            assert len({example.shape for example in unread.take(batch)}) == 1
