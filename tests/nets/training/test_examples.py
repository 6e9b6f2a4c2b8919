"""Examples are kept while there is room, and read again where there is none: the same either way."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

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
