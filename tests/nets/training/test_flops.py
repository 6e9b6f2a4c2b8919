"""Operations there and back are counted, and nothing is learned meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from lighten.nets.encoders.network import open_network
from lighten.nets.training.flops import flops_of, flops_per_row
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows


def tiny(folder: Path, layers: int = 2) -> RowsTraining:
    network = open_network(tiny_network_folder(folder, layers=layers), ("negative", "positive"))
    rows = toy_rows(20)
    return RowsTraining(network, rows, rows, TextClassification(), Schedule(), threads=1)


def test_a_deeper_network_takes_more_and_stays_as_it_is(tmp_path: Path) -> None:
    found = []
    for layers in (2, 4):
        work = tiny(tmp_path / str(layers), layers)
        before = {name: tensor.clone() for name, tensor in work.net.state_dict().items()}
        found.append(flops_per_row(work, 0))
        assert all(torch.equal(tensor, before[name]) for name, tensor in work.net.state_dict().items())
        assert all(parameter.grad is None for parameter in work.net.parameters()) and not work.net.training
    assert 1.5 * found[0] < found[1] < 4.0 * found[0]  # of the last layer, only what the answer needs is computed


class Attending(nn.Module):
    """One matrix product of tokens, and attention of what comes of it."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.layer, self.causal = nn.Linear(32, 32, bias=False), causal

    def forward(self, tokens: Tensor) -> Tensor:
        seen = self.layer(tokens)
        found: Tensor = scaled_dot_product_attention(seen, seen, seen, is_causal=self.causal)
        return found


@pytest.mark.parametrize("causal", [False, True])
def test_fused_attention_counts_two_products_forward_and_four_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, causal: bool
) -> None:
    rows, heads, many, width = 3, 2, 64, 32
    net, work = Attending(causal), tiny(tmp_path / "net")
    tokens = torch.randn(rows, heads, many, width)
    monkeypatch.setattr(work, "backward", lambda batch, weight: net(tokens).sum().backward())
    dense = 2 * rows * heads * many * width * width  # of the weights, and of their gradients; the tokens learn nothing
    attended = 2 * rows * heads * many * many * width
    assert flops_of(work, [[0]]) == 2 * dense + 6 * attended // (2 if causal else 1)
