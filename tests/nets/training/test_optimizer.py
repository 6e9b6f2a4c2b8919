"""The optimizer: plain AdamW with clipping on dense weights, lazy Adam on touched rows."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from lighten.core.errors import InputError
from lighten.nets.encoders.network import open_network
from lighten.nets.network import Network
from lighten.nets.training.optimizer import ADAMW, MUON, SEVERAL, Descent, matrices_of, width_of, words_of
from lighten.nets.vision.network import open_vision
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_pictures import SIDE, tiny_vision_folder

IDS = torch.tensor([[2, 5, 6, 25, 3], [2, 9, 5, 5, 3]])


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2))


def loss(net: nn.Module) -> torch.Tensor:
    value: torch.Tensor = nn.functional.cross_entropy(net(IDS).logits, torch.tensor([0, 1]))
    return value


@pytest.mark.parametrize("clip", [1e-3, 1e3])
def test_dense_weights_follow_adamw_with_clipping(network: Network, clip: float) -> None:
    # In float64: the gradient of the keys' biases is zero but for rounding, and Adam divides it by itself. Rounding of
    # float32 is as large as Adam's epsilon, so that half of a step would depend on the processor; of float64 it is not.
    ours, plain = network.net.double(), copy.deepcopy(network.net.double())
    for net in (ours, plain):
        net.bert.embeddings.requires_grad_(False)
    descent = Descent(ours, 1e-3 * 32 / 384, 0.01, clip)
    dense = [p for n, p in plain.named_parameters() if ".embeddings." not in n]
    groups = [{"params": [p for p in dense if p.dim() > 1], "weight_decay": 0.01}]
    groups.append({"params": [p for p in dense if p.dim() <= 1], "weight_decay": 0.0})
    adam = torch.optim.AdamW(groups, lr=1e-3, eps=1e-8)
    for share in (0.5, 1.0, 0.3):
        loss(ours).backward()
        norm = descent.step(share)
        loss(plain).backward()
        for group in adam.param_groups:
            group["lr"] = 1e-3 * share
        assert norm == pytest.approx(float(nn.utils.clip_grad_norm_(dense, clip)), rel=1e-5)
        adam.step()
        adam.zero_grad()
    for (name, mine), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, other, msg=name, atol=1e-8, rtol=1e-5)
    descent.close()
    assert not ours.get_input_embeddings().sparse


def test_only_touched_rows_of_the_embedding_move(network: Network) -> None:
    words = network.net.get_input_embeddings()
    before = words.weight.detach().clone()
    descent = Descent(network.net, 1e-3, 0.01, 1.0)
    for _ in range(3):
        loss(network.net).backward()
        assert words.weight.grad is not None
        assert words.weight.grad.is_sparse
        descent.step(1.0)
    moved = (words.weight.detach() != before).any(dim=1).nonzero().flatten().tolist()
    assert moved == sorted(set(IDS.flatten().tolist()))
    descent.close()
    assert not words.sparse


def test_the_first_lazy_update_is_adams(network: Network) -> None:
    words = network.net.get_input_embeddings()
    before = words.weight.detach().clone()
    descent = Descent(network.net, 1e-3 * 32 / 384, 0.01, 1e6)
    loss(network.net).backward()
    gradient = words.weight.grad.to_dense()
    descent.step(1.0)
    touched = gradient.abs() > 1e-4
    expected = before - 1e-3 * gradient.sign()  # Adam's first step is the rate in the direction of the sign
    torch.testing.assert_close(words.weight.detach()[touched], expected[touched], atol=2e-5, rtol=0.0)


def test_a_gradient_that_is_not_finite_changes_nothing(network: Network) -> None:
    before = copy.deepcopy(network.net.state_dict())
    descent = Descent(network.net, 1e-3, 0.01, 1.0)
    (loss(network.net) * math.nan).backward()
    assert math.isnan(descent.step(1.0))
    assert all(torch.equal(before[name], tensor) for name, tensor in network.net.state_dict().items())


@pytest.mark.parametrize(("family", "width"), [("resnet", SEVERAL), ("convnext", SEVERAL), ("vit", 32), ("swin", 32)])
def test_networks_of_several_widths_learn_at_one_rate(tmp_path: Path, family: str, width: int) -> None:
    net = open_vision(tiny_vision_folder(tmp_path, family)).net
    assert width_of(net) == width and words_of(net) is None
    descent = Descent(net, 1e-3, 0.01, 1.0)
    assert descent.peak == pytest.approx(1e-3 * 384 / width) and descent.lazy is None
    before = copy.deepcopy(net.state_dict())
    net.train()
    net(torch.randn(4, 3, SIDE, SIDE)).logits.sum().backward()
    assert descent.step(1.0) > 0
    moved = [name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])]
    assert any(name.startswith("classifier") for name in moved)
    if family == "resnet":
        assert any(name.endswith("running_mean") for name in moved)
    descent.close()


def test_matrices_of_blocks_follow_muon_and_nothing_else_does(network: Network) -> None:
    ours, plain = network.net, copy.deepcopy(network.net)
    blocks = matrices_of(network.blocks, MUON)
    names = {name for name, one in ours.named_parameters() if any(one is other for other in blocks)}
    assert len(names) == 2 * 6 and all(".encoder.layer." in name and name.endswith("weight") for name in names)
    descent = Descent(ours, 1e-3 * 32 / 384, 0.01, 1e3, matrices=blocks)
    own = [one for name, one in plain.named_parameters() if name in names]
    muon = torch.optim.Muon(own, lr=1e-3, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    before = {name: one.detach().clone() for name, one in ours.named_parameters()}
    for _ in range(2):
        for net in (ours, plain):
            net.load_state_dict({**net.state_dict(), **{n: t for n, t in before.items() if n not in names}})
            loss(net).backward()
        descent.step(1.0)
        muon.step()
        plain.zero_grad()
    for name, one in plain.named_parameters():
        if name in names:
            torch.testing.assert_close(ours.get_parameter(name), one, msg=name, atol=1e-5, rtol=1e-3)
    assert not torch.equal(ours.get_parameter("classifier.weight"), before["classifier.weight"])
    tensors, plain_values = descent.state()
    assert {name.split(".")[0] for name in tensors} == {"dense", "lazy", "muon"}
    other = Descent(ours, 1e-3, 0.01, 1e3, matrices=blocks)
    other.restore(tensors, plain_values)
    assert all(torch.equal(other.state()[0][name], tensor) for name, tensor in tensors.items())


def test_muon_is_refused_where_blocks_have_no_matrices() -> None:
    with pytest.raises(InputError, match="no blocks with matrices"):
        matrices_of([nn.Sequential(nn.Conv2d(1, 2, 3))], MUON)
    with pytest.raises(InputError, match="'sgd'") as error:
        matrices_of([], "sgd")
    assert "adamw, muon" in str(error.value)
    assert matrices_of([nn.Linear(2, 2)], ADAMW) == []
