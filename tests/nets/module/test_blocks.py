"""Blocks that a module names itself can be left out; nothing else is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lighten.core.errors import ModelError
from lighten.nets.module.blocks import block_lists, chosen_blocks, leave_out


class Net(nn.Module):  # type: ignore[misc, unused-ignore]
    """Four blocks in a list, inside of a part."""

    def __init__(self, named: object = ("inner.layers",)) -> None:
        super().__init__()
        self.lighten = {"blocks": named}
        self.inner = nn.Module()
        self.inner.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.inner.layers:
            x = layer(x)
        return x


def test_what_stays_are_the_numbers_that_were_said() -> None:
    net = Net()
    wanted = net.inner.layers[3](net.inner.layers[0](torch.ones(1, 2)))
    leave_out(net, {"inner.layers": [0, 3]})
    assert torch.equal(net(torch.ones(1, 2)), wanted)
    assert {name: len(part) for name, part in block_lists(net).items()} == {"inner.layers": 2}


def test_the_first_block_of_each_list_stays() -> None:
    assert chosen_blocks({"a": 6, "b": 2}, 0.01) == {"a": [0], "b": [0]}
    assert chosen_blocks({"a": 3}, 1.0) == {"a": [0, 1, 2]}


@pytest.mark.parametrize("named", ["inner", "inner.layers.0", "nowhere"])
def test_what_is_no_list_of_blocks_is_refused(named: str) -> None:
    with pytest.raises(ModelError, match="is no list of modules"):
        block_lists(Net([named]))


@pytest.mark.parametrize("kept", [{"inner.layers": [4]}, {"other": [0]}, {"inner.layers": []}])
def test_numbers_of_other_code_are_refused(kept: dict[str, list[int]]) -> None:
    with pytest.raises(ModelError, match="were kept"):
        leave_out(Net(), kept)
