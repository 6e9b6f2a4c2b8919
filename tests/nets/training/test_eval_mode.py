"""A network answers as in use inside, and is what it was afterwards, whatever happens."""

from __future__ import annotations

import pytest
from torch import nn

from lighten.nets.training.eval_mode import eval_mode


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_what_it_was_also_after_an_error(training: bool) -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2)).train(training)
    with pytest.raises(ValueError, match="inside"), eval_mode(net):
        assert not any(module.training for module in net.modules())
        raise ValueError("inside")
    assert all(module.training is training for module in net.modules())
