"""Walk and couple: the right matrices in every family, and removing parts that do nothing changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.core.errors import ModelError
from lighten.nets.encoders.couple import keep_heads, keep_neurons
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.walk import REFUSALS, head_size, layer_list, layers, refusal
from lighten.nets.network import Network
from lighten.testing.tiny import FAMILIES, tiny_network_folder

IDS = torch.tensor([[2, 5, 6, 25, 7, 3]])


def opened(tmp_path: Path, family: str) -> Network:
    return open_network(tiny_network_folder(tmp_path / family, family, layers=3))


def answers(network: Network) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = network.net(IDS).logits
    return result


@pytest.mark.parametrize("family", FAMILIES)
def test_finds_the_parts_of_every_layer(tmp_path: Path, family: str) -> None:
    network = opened(tmp_path, family)
    found = layers(network.net)
    assert [part.module for part in found] == list(layer_list(network.net))
    assert len(found) == 3
    for part in found:
        for linear in (part.query, part.key, part.value, part.out):
            assert tuple(linear.weight.shape) == (32, 32)
        assert len({id(x) for x in (part.query, part.key, part.value, part.out)}) == 4
        assert (tuple(part.up.weight.shape), tuple(part.down.weight.shape)) == ((128, 32), (32, 128))
    assert head_size(network.net) == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_removing_neurons_that_do_nothing_changes_nothing(tmp_path: Path, family: str) -> None:
    network = opened(tmp_path, family)
    for part in layers(network.net):
        part.down.weight.data[:, 10:50] = 0.0
    before = answers(network)
    for part in layers(network.net):
        keep_neurons(part, torch.tensor([*range(10), *range(50, 128)]))
        assert (part.up.out_features, part.down.in_features) == (88, 88)
    torch.testing.assert_close(answers(network), before)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in REFUSALS["heads"]])
def test_removing_heads_that_do_nothing_changes_nothing(tmp_path: Path, family: str) -> None:
    network = opened(tmp_path, family)
    for part in layers(network.net):
        part.out.weight.data[:, 8:16] = 0.0  # head 1
    before = answers(network)
    for part in layers(network.net):
        keep_heads(part, torch.tensor([0, 2, 3]), 8)
        assert (part.query.out_features, part.out.in_features) == (24, 24)
    torch.testing.assert_close(answers(network), before)
    keep_heads(layers(network.net)[0], torch.tensor([0, 1]), 8)
    assert not torch.allclose(answers(network), before)


@pytest.mark.parametrize("family", ["albert", "modernbert"])
def test_refuses_families_that_cannot_be_taken_apart(tmp_path: Path, family: str) -> None:
    assert refusal({"family": family}, "layers") == refusal({"family": family}, "ff") != ""
    with pytest.raises(ModelError, match=family):
        layers(opened(tmp_path, family).net)


def test_nothing_is_refused_of_an_unknown_network() -> None:
    assert {refusal({}, what) for what in REFUSALS} == {""}
