"""Weights that are kept come back as they were, from memory and from a file."""

from __future__ import annotations

import pytest
import torch

from lighten.nets.training.kept import Kept, tensors_of


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_what_is_kept_comes_back(small: int) -> None:
    live = {"a": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}
    kept = Kept(live, small)
    assert kept.version == 0
    kept.keep()
    live["a"].mul_(-1)
    live["n"].add_(1)
    assert torch.equal(kept.values()["a"], torch.arange(6.0).reshape(2, 3))
    kept.give_back()
    assert torch.equal(live["a"], torch.arange(6.0).reshape(2, 3)) and int(live["n"]) == 3
    kept.put({"a": torch.ones(2, 3), "n": torch.tensor(9)})
    kept.give_back()
    assert torch.equal(live["a"], torch.ones(2, 3)) and kept.version == 2
    kept.close()
    kept.close()


def test_all_that_answers_depend_on_is_named_once() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    net[1].weight = net[0].weight
    assert set(tensors_of(net)) == set(net.state_dict()) - {"1.weight"}
