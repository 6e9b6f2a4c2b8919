"""All that training changes is named once, shared tensors too."""

from __future__ import annotations

import torch
from torch import nn

from lighten.nets.training.trainable import Trainable


def plain() -> Trainable:
    """One of which nothing but its network is asked."""
    kind = type("Plain", (Trainable,), {})
    kind.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    return kind()


def test_shared_tensors_are_named_once() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.BatchNorm1d(3))
    net[1].weight = net[0].weight
    one = plain()
    one.net = net
    found = one.weights()
    assert set(found) == set(net.state_dict()) - {"1.weight"}
    found["0.weight"].zero_()
    assert torch.equal(net[1].weight, torch.zeros(3, 3))
