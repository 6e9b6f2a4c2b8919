"""Blocks that are left out: which, and that the network is rebuilt from its config with the same answers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.nets.forward import logits
from lighten.nets.vision.blocks import STAGED, kept_blocks, leave_out
from lighten.nets.vision.facts import vision_facts
from lighten.nets.vision.network import open_vision, save_vision
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder


@pytest.mark.parametrize("choice", ["even", "first"])
@pytest.mark.parametrize("family", STAGED)
def test_a_network_of_fewer_blocks_is_rebuilt_from_its_config(tmp_path: Path, family: str, choice: str) -> None:
    rows = tiny_pictures(tmp_path / "pictures", 6)
    folder = tiny_vision_folder(tmp_path / "a", family)
    network = open_vision(folder)
    whole = logits(network, rows.inputs, 1)
    leave_out(network.net, 0.7, choice)
    cut = logits(network, rows.inputs, 1)
    assert np.abs(cut - whole).max() > 1e-4
    save_vision(network, tmp_path / "b")
    np.testing.assert_array_equal(logits(open_vision(tmp_path / "b"), rows.inputs, 1), cut)
    before, after = vision_facts(folder), vision_facts(tmp_path / "b")
    assert after["layers"] == round(0.7 * before["layers"])
    assert after["parameters"] < before["parameters"]


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.floats(0.01, 1.0),
    st.integers(1, 2),
    st.sampled_from(["even", "first"]),
)
def test_first_blocks_stay_and_the_share_is_kept(sizes: list[int], keep: float, step: int, choice: str) -> None:
    kept = kept_blocks(sizes, keep, step, choice)
    assert len(kept) == len(sizes)
    for size, chosen in zip(sizes, kept, strict=True):
        assert chosen[0] == 0 and chosen[-1] < size
        assert all(a < b for a, b in pairwise(chosen))
    if step == 1:
        assert sum(map(len, kept)) == max(len(sizes), round(keep * sum(sizes)))
    else:
        assert all(block % 2 == place % 2 for chosen in kept for place, block in enumerate(chosen))
