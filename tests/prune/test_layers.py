"""Dropping layers: which stay, that they stay as they were, and who refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from lighten.core import catalog
from lighten.core.step import Needs
from lighten.nets.network import facts, open_network, save_network
from lighten.nets.walk import layer_list
from lighten.prune.layers import DropLayers, chosen
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import FAMILIES, tiny_network_folder

NEEDS, IDS = Needs(TextClassification()), torch.tensor([[2, 5, 6, 25, 7, 3]])


@pytest.mark.parametrize(
    ("count", "kept", "choice", "expected"),
    [
        (6, 6, "even", [0, 1, 2, 3, 4, 5]),
        (6, 4, "even", [0, 2, 3, 5]),
        (6, 3, "even", [0, 2, 5]),
        (6, 2, "even", [0, 5]),
        (6, 1, "even", [0]),
        (12, 4, "even", [0, 4, 7, 11]),
        (6, 3, "first", [0, 1, 2]),
    ],
)
def test_which_layers_stay(count: int, kept: int, choice: str, expected: list[int]) -> None:
    assert chosen(count, kept, choice) == expected


def test_every_choice_has_as_many_layers_as_asked_for() -> None:
    for count in range(1, 40):
        for kept in range(1, count + 1):
            found = chosen(count, kept)
            assert len(set(found)) == kept
            assert found == sorted(found)
            assert found[0] == 0
            assert kept == 1 or found[-1] == count - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_keeping_all_changes_nothing_and_keeping_half_leaves_those_layers(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path / "a", family, layers=4))
    before = network.net(IDS).logits
    assert torch.equal(DropLayers(keep=1.0).run(network, NEEDS).net(IDS).logits, before)
    originals = list(layer_list(network.net))
    DropLayers(keep=0.5).run(network, NEEDS)
    assert [originals.index(layer) for layer in layer_list(network.net)] == [0, 3]
    assert facts(network)["layers"] == 2
    save_network(network, tmp_path / "b")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "b").eval()
    torch.testing.assert_close(plain(IDS).logits, network.net(IDS).logits)
    assert facts(open_network(tmp_path / "b")) == facts(tmp_path / "b")


@pytest.mark.parametrize("family", ["bert", "distilbert", "deberta-v2"])
def test_dropping_a_layer_that_does_nothing_changes_nothing(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=3))
    found = layer_list(network.net)
    reference = DropLayers(keep=0.67).run(open_network(tmp_path), NEEDS).net(IDS).logits
    found[1].forward = lambda hidden, *_, **__: (hidden, None) if family == "deberta-v2" else hidden
    torch.testing.assert_close(network.net(IDS).logits, reference)


def test_refusals() -> None:
    assert "same one" in DropLayers().check({"family": "albert", "layers": 6})
    assert DropLayers().check({"family": "modernbert", "layers": 6})
    assert "one layer only" in DropLayers().check({"family": "bert", "layers": 1})
    assert DropLayers().check({"family": "bert", "layers": 6}) == ""
    assert catalog.load_step("prune.layers") is DropLayers
