"""Threads are given back, and bf16 is used only where it was measured to be faster."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.nets import precision
from lighten.nets.network import open_network
from lighten.nets.precision import autocast_dtype, using_threads
from lighten.testing.tiny import tiny_network_folder


def test_threads_are_given_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), using_threads(1):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_the_clock_decides_once(tmp_path: Path, family: str) -> None:
    net = open_network(tiny_network_folder(tmp_path, family)).net
    precision._speedup.cache_clear()
    first = autocast_dtype(net, 1)
    assert autocast_dtype(net, 1) is first
    assert precision._speedup.cache_info().misses == 1
    assert first is (
        torch.bfloat16
        if precision._speedup(precision.LEAST_HIDDEN, precision.LEAST_WIDE, 1) >= precision.WORTH
        else None
    )
