"""The sample network learns from the parts train and tune of IDX files, and notes what it learned from."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.data.learned import learned_in
from lighten.nets.vision import sample
from lighten.nets.vision.facts import vision_facts
from lighten.nets.vision.network import open_vision


def write_idx(folder: Path, part: str, count: int, seed: int) -> None:
    """Grey pictures of 28 x 28 with stripes across or down, and their classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    stripes = np.where(np.arange(28) // 3 % 2, 200.0, 40.0)
    levels = np.where(labels[:, None, None] == 1, stripes[None, None, :], stripes[None, :, None])
    pixels = np.clip(levels + rng.normal(0.0, 60.0, (count, 28, 28)), 0, 255).astype(np.uint8)
    head = struct.pack(">III", count, 28, 28)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + head + pixels.tobytes())
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(
        b"\0\0\x08\x01" + struct.pack(">I", count) + labels.astype(np.uint8).tobytes()
    )


def test_it_is_trained_and_says_on_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Mapping[str, Any]] = []
    monkeypatch.setattr(sample, "emit", said.append)
    monkeypatch.setattr(sample, "TRAINING", {"epochs": 1.0, "learning_rate": 0.003, "batch_rows": 16})
    data, out = tmp_path / "data", tmp_path / "net"
    data.mkdir()
    write_idx(data, "train", 120, 0)
    write_idx(data, "t10k", 60, 1)
    made = sample.train_sample(str(data), str(out))
    assert said[0]["message"] == "Reading the pictures." and said[0]["total"] == 0
    assert said[-1]["done"] == said[-1]["total"] > 0 and "pass 1.00 of 1.00" in said[-1]["message"]
    assert len(learned_in(out)) == made["rows"] <= 120, "rows of the test part are none to learn from"
    network, known = open_vision(out), vision_facts(out)
    assert network.has_head and network.labels == ("0", "1")
    assert (known["layers"], known["channels"], known["convolutions"]) == (6, 1, True)
    assert 600_000 < known["parameters"] < 800_000


def test_the_untrained_network_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        sample.untrained(tmp_path / name)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
