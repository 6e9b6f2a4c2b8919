"""Narrowing: importance by hand, parity with Torch-Pruning, chains of steps, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.step import Needs
from lighten.nets.encoders.couple import keep_neurons
from lighten.nets.encoders.network import open_network, save_network
from lighten.nets.encoders.walk import REFUSALS, layers, shapes
from lighten.nets.facts import encoder_facts
from lighten.nets.forward import logits
from lighten.nets.network import Network
from lighten.prune.layers import DropLayers
from lighten.prune.vocabulary import Vocabulary
from lighten.prune.width import Narrow, magnitude, most, rounded, taylor
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import FAMILIES, tiny_network_folder, toy_rows

TASK, TRAIN, TUNE = TextClassification(), toy_rows(64), toy_rows(40, seed=1)
NEEDS = Needs(TASK, train=TRAIN, tune=TUNE)


def opened(tmp_path: Path, family: str = "bert", count: int = 2) -> Network:
    return open_network(tiny_network_folder(tmp_path, family, layers=count))


@pytest.mark.parametrize("family", FAMILIES)
def test_keeping_all_changes_nothing(tmp_path: Path, family: str) -> None:
    network = opened(tmp_path, family)
    before = logits(network, TUNE.inputs, 1)
    Narrow(ff=1.0, heads=1.0).run(network, NEEDS)
    assert np.array_equal(logits(network, TUNE.inputs, 1), before)
    assert all(p.requires_grad for p in network.net.parameters())


@pytest.mark.parametrize("importance", ["reconstruction", "taylor", "magnitude"])
@pytest.mark.parametrize("family", FAMILIES)
def test_parts_that_do_nothing_go_first(tmp_path: Path, family: str, importance: str) -> None:
    network = opened(tmp_path, family)
    for part in layers(network.net):
        part.down.weight.data[:, 64:] = 0.0
        part.out.weight.data[:, 16:] = 0.0  # heads 2 and 3
    before = logits(network, TUNE.inputs, 1)
    heads = 1.0 if family in REFUSALS["heads"] else 0.5
    Narrow(ff=0.5, heads=heads, importance=importance).run(network, NEEDS)
    assert shapes(network.net) == {"heads": [round(4 * heads)] * 2, "ff": [64, 64]}
    np.testing.assert_allclose(logits(network, TUNE.inputs, 1), before, atol=1e-5)


def test_importance_is_what_the_loss_loses_to_first_order(tmp_path: Path) -> None:
    """Scale one part's output by 1 - e: the loss changes by e times its (signed) importance."""
    network = opened(tmp_path)
    rows, part, step = TRAIN.take(range(8)), layers(network.net)[0], 0.01  # 8 rows are one batch: one sign

    def loss() -> float:
        return float(TASK.loss(torch.from_numpy(logits(network, rows.inputs, 1)).double(), torch.tensor(rows.targets)))

    network.net.double()
    neurons, heads = taylor(network, rows, lambda out, targets: TASK.loss(out, targets))
    for matrix, columns, expected in (
        (part.down, slice(5, 6), neurons[0][5]),
        (part.out, slice(8, 16), heads[0][1]),
    ):
        kept = matrix.weight.data[:, columns].clone()
        matrix.weight.data[:, columns] = kept * (1 + step)
        above = loss()
        matrix.weight.data[:, columns] = kept * (1 - step)
        below = loss()
        matrix.weight.data[:, columns] = kept
        assert abs(above - below) / (2 * step) * len(rows) == pytest.approx(float(expected), rel=0.02, abs=1e-6)


def test_magnitude_by_hand(tmp_path: Path) -> None:
    part = layers(opened(tmp_path).net)[0]
    part.up.weight.data[3] = 0.0
    part.up.weight.data[3, 0] = 3.0
    part.down.weight.data[:, 3] = 0.0
    part.down.weight.data[:2, 3] = torch.tensor([3.0, 4.0])
    part.value.weight.data[8:16] = 0.5
    part.out.weight.data[:, 8:16] = 2.0
    neurons, heads = magnitude([part], 8)
    assert float(neurons[0][3]) == pytest.approx(3.0 * 5.0)
    assert float(heads[0][1]) == pytest.approx(0.5 * 16 * 2.0 * 16)  # sqrt(8 x 32) = 16


def test_what_stays() -> None:
    assert most(torch.tensor([1.0, 5.0, 1.0, 3.0]), 2).tolist() == [1, 3]
    assert most(torch.tensor([2.0, 2.0, 2.0]), 2).tolist() == [0, 1]
    assert [rounded(w, s) for w, s in ((768, 1536), (1030, 1536), (10, 1536), (1536, 1536))] == [768, 1024, 64, 1536]
    assert [rounded(w, 128) for w in (64, 60, 1, 128)] == [64, 64, 8, 128]


def test_the_same_matrices_as_torch_pruning(tmp_path: Path) -> None:
    pruning = pytest.importorskip("torch_pruning")
    ours, theirs = (layers(opened(tmp_path).net)[0] for _ in range(2))
    block = nn.Sequential(theirs.up, nn.GELU(), theirs.down)
    graph = pruning.DependencyGraph().build_dependency(block, torch.zeros(1, 32))
    gone = [0, 7, 31, 100, 127]
    graph.get_pruning_group(theirs.up, pruning.prune_linear_out_channels, idxs=gone).prune()
    keep_neurons(ours, torch.tensor([i for i in range(128) if i not in gone]))
    for mine, other in ((ours.up, block[0]), (ours.down, block[2])):
        assert torch.equal(mine.weight, other.weight)
        assert torch.equal(mine.bias, other.bias)
        assert (mine.in_features, mine.out_features) == (other.in_features, other.out_features)


def test_chains_with_vocabulary_and_layers(tmp_path: Path) -> None:
    network = opened(tmp_path / "a", count=4)
    for step in (Vocabulary(spare=0.0), DropLayers(keep=0.5), Narrow(ff=0.5, heads=0.5), Narrow(ff=0.75)):
        network = step.run(network, NEEDS)
    save_network(network, tmp_path / "b")
    known = encoder_facts(tmp_path / "b")
    assert (known["layers"], known["heads"], known["intermediate"]) == (2, 2, 48)
    again = open_network(tmp_path / "b")
    assert np.array_equal(logits(again, TUNE.inputs, 1), logits(network, TUNE.inputs, 1))
    assert known["parameters"] == sum(weight.numel() for weight in again.net.parameters())


def test_refusals(tmp_path: Path) -> None:
    assert Narrow().check({"family": "albert"})
    assert Narrow(heads=0.67).check({"family": "mpnet"}).endswith("heads = 1.0 would do")
    assert Narrow().check({"family": "mpnet"}) == Narrow(heads=0.67).check({"family": "bert"}) == ""
    with pytest.raises(StepFailed, match="there are none"):
        Narrow().run(opened(tmp_path), Needs(TASK))
    assert catalog.load_step("prune.width") is Narrow


def test_language_models_say_what_cannot_be_cut_and_what_is_left() -> None:
    facts = {"language": True, "vocabulary": 600, "hidden": 10, "intermediate": 20, "layers": 5, "parameters": 10_000}
    assert Narrow(ff=0.5).share(facts) == pytest.approx(1 - 0.3 * 0.5)
    assert Narrow(ff=1.0, heads=0.5).share(facts) == pytest.approx(1 - 0.1 * 0.5)
    assert Narrow(heads=0.5).check({**facts, "family": "llama"}) == ""
    assert "taylor" in Narrow(importance="taylor").check({**facts, "family": "llama"})
    assert "heads = 1.0 would do" in Narrow(heads=0.5).check({**facts, "family": "qwen2"})
    assert Narrow().check({**facts, "family": "qwen2"}) == ""
