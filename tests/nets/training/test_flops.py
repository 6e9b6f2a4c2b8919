"""Operations there and back are counted, and nothing is learned meanwhile."""

from __future__ import annotations

from pathlib import Path

import torch

from lighten.nets.encoders.network import open_network
from lighten.nets.training.flops import flops_per_row
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows


def test_a_deeper_network_takes_more_and_stays_as_it_is(tmp_path: Path) -> None:
    found = []
    for layers in (2, 4):
        network = open_network(tiny_network_folder(tmp_path / str(layers), layers=layers), ("negative", "positive"))
        before = {name: tensor.clone() for name, tensor in network.net.state_dict().items()}
        rows = toy_rows(20)
        work = RowsTraining(network, rows, rows, TextClassification(), Schedule(), threads=1)
        found.append(flops_per_row(work, 0))
        assert all(torch.equal(tensor, before[name]) for name, tensor in network.net.state_dict().items())
        assert all(parameter.grad is None for parameter in network.net.parameters()) and not network.net.training
    assert 1.5 * found[0] < found[1] < 4.0 * found[0]  # of the last layer, only what the answer needs is computed
