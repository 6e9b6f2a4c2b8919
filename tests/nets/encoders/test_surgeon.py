"""The surgeon's weights are those of least squares, and what others can make up for goes first."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.surgeon import Inputs, gather, operate
from lighten.nets.encoders.walk import layers
from lighten.nets.forward import logits
from lighten.testing.tiny import FAMILIES, tiny_network_folder, toy_rows


def fed(values: Tensor) -> Inputs:
    inputs = Inputs(torch.zeros(values.shape[1], values.shape[1]), torch.zeros(values.shape[1]))
    for part in values.split(100):
        inputs.add(part)
    return inputs


@pytest.fixture
def values() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(500, 6) @ torch.randn(6, 12) + 0.3 * torch.randn(500, 12) + 1.0


@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_those_of_least_squares(values: Tensor, group: int, bias: bool) -> None:
    linear, inputs = nn.Linear(12, 5, bias=bias), fed(values)
    kept, weight, moved = operate(linear, inputs, 6 // group, group)
    assert kept.tolist() == sorted(set(kept.tolist())) and weight.shape == (5, 6)
    columns = (kept[:, None] * group + torch.arange(group)).flatten()
    covariance = inputs.covariance(centred=bias)
    wanted = (
        linear.weight.detach().double() @ covariance[:, columns] @ torch.linalg.inv(covariance[columns][:, columns])
    )
    torch.testing.assert_close(weight, wanted.float(), rtol=1e-4, atol=1e-5)
    if not bias:
        assert moved is None
        return
    before, after = linear(values).mean(0), values[:, columns] @ weight.T + moved
    torch.testing.assert_close(after.mean(0), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("group", [1, 4])
def test_what_others_can_make_up_for_goes_first(group: int) -> None:
    torch.manual_seed(1)
    values = torch.randn(400, 16)
    values[:, 4:8] = 2 * values[:, 12:16]  # the same twice: one of them is enough
    linear = nn.Linear(16, 8)
    kept, weight, bias = operate(linear, fed(values), 12 // group, group)
    columns = (kept[:, None] * group + torch.arange(group)).flatten()
    assert {i % 8 - 4 for i in columns.tolist() if i % 8 >= 4} == {0, 1, 2, 3}
    torch.testing.assert_close(values[:, columns] @ weight.T + bias, linear(values), atol=0.05, rtol=0.05)


def test_the_best_choice_of_a_small_map_is_found(values: Tensor) -> None:
    """Taking out one of twelve columns: all twelve ways tried by hand."""
    linear, inputs = nn.Linear(12, 5), fed(values)
    covariance = inputs.covariance(centred=True)
    before, lost = linear.weight.detach().double(), []
    for gone in range(12):
        stays = [i for i in range(12) if i != gone]
        best = before @ covariance[:, stays] @ torch.linalg.inv(covariance[stays][:, stays])
        change = before.clone()
        change[:, stays] -= best
        lost.append(float(torch.trace(change @ covariance @ change.T)))
    kept, _, _ = operate(linear, inputs, 11)
    assert set(range(12)) - set(kept.tolist()) == {lost.index(min(lost))}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_maps_are_fed_does_not_depend_on_padding(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family))
    maps = [m for part in layers(network.net) for m in (part.down, part.out)]
    texts = toy_rows(24).inputs
    together = gather(network, maps, texts)
    alone = [gather(network, maps, [text]) for text in texts]
    for i, inputs in enumerate(together):
        assert inputs.count == sum(one[i].count for one in alone)
        torch.testing.assert_close(inputs.sums, sum(one[i].sums for one in alone), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(inputs.products, sum(one[i].products for one in alone), rtol=1e-3, atol=1e-3)
    assert logits(network, texts, 1).shape == (24, 2)  # no hook is left behind that would fail


def test_each_block_keeps_as_many_groups(values: Tensor) -> None:
    linear = nn.Linear(12, 5, bias=False)
    linear.weight.data[:, :6] *= 100.0  # all that matters is in the first block
    kept, weight, _ = operate(linear, fed(values), 6, blocks=2)
    assert [(kept < 6).sum().item(), weight.shape[1]] == [3, 6]
    kept, _, _ = operate(linear, fed(values), 2, 2, blocks=2)
    assert (kept < 3).tolist() == [True, False]
