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


def test_what_changes_nothing_is_not_tunable() -> None:
    one = plain()
    one.net = nn.Sequential(nn.Linear(3, 3))
    assert "learning_rate" in one.tunable() and not {"dropout", "freeze"} & one.tunable()
    one.net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.1))
    one.net.add_module("embedder", nn.Linear(3, 3))
    assert {"dropout", "freeze"} <= one.tunable()
