"""Every dropout has one rate inside, and its own again afterwards."""

from __future__ import annotations

from torch import nn

from lighten.nets.training.dropout import dropout


def test_rates_are_set_and_given_back() -> None:
    net = nn.Sequential(nn.Dropout(0.1), nn.Sequential(nn.Dropout(0.3)))
    with dropout(net, 0.5):
        assert [m.p for m in net.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout)] == [0.1, 0.3]
