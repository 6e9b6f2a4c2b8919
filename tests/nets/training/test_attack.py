"""Inputs are moved within their bounds, against the network, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lighten.core.errors import StepFailed
from lighten.nets.encoders.network import open_network
from lighten.nets.forward import tensors
from lighten.nets.network import Network
from lighten.nets.training.attack import AmountAttack, EmbeddingAttack, attack_on, attacked
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder


class Line(nn.Module):
    """The sum of its inputs against 0; remembers what it read."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.read: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.read.append(x.detach())
        whole = (self.scale * x).flatten(1).sum(1)
        return torch.stack([whole, torch.zeros_like(whole)], 1)


def test_amounts_are_moved_as_far_as_allowed_and_stay_in_their_range() -> None:
    net = Line().train()
    network = Network(net, None, ("a", "b"))  # type: ignore[arg-type]
    low, high = np.array([0.0, -1.0], np.float32), np.array([1.0, 1.0], np.float32)
    x = torch.tensor([[0.5, 0.0], [0.95, -1.0]])[:, :, None, None]
    attack = AmountAttack(0.1, {"x": (low, high)})
    targets = torch.tensor([1, 1])
    attack.outputs(network, {"x": x}, lambda outputs: nn.functional.cross_entropy(outputs, targets))
    torch.testing.assert_close(net.read[-1].flatten(1), torch.tensor([[0.6, 0.2], [1.0, -0.8]]))
    assert net.training and net.scale.grad is None


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return open_network(tiny_network_folder(tmp_path_factory.mktemp("net"), layers=2), ("negative", "positive"))


def test_embeddings_are_moved_by_a_share_of_their_length_towards_a_higher_loss(texts: Network) -> None:
    rows = toy_rows(6)
    arrays = tensors(texts.reader.batch(texts.reader(rows.inputs)))
    targets, task = torch.tensor(rows.targets), TextClassification()

    def loss(outputs: Tensor) -> Tensor:
        return task.loss(outputs, targets)

    with torch.no_grad():
        plain = loss(texts.outputs(arrays)).item()
    near, far = (loss(EmbeddingAttack(radius).outputs(texts, arrays, loss)).item() for radius in (1e-3, 1e-2))
    assert plain < near < far
    assert all(parameter.grad is None for parameter in texts.net.parameters()) and not texts.net.training
    with torch.no_grad():
        assert loss(texts.outputs(arrays)).item() == plain  # no hook is left


def test_a_network_without_embeddings_is_refused(texts: Network) -> None:
    bare = Network(nn.Linear(2, 2), texts.reader, ("a", "b"))
    with pytest.raises(StepFailed, match="no embedding that could be moved"):
        EmbeddingAttack(0.1).outputs(bare, {}, torch.sum)


def test_what_reads_decides_how_and_answers_under_attack_are_the_same_again(texts: Network, tmp_path: Path) -> None:
    pictures = open_vision(tiny_vision_folder(tmp_path / "net"))
    assert isinstance(attack_on(pictures, 0.1), AmountAttack) and isinstance(attack_on(texts, 0.1), EmbeddingAttack)
    assert attack_on(texts, 0.0) is None
    rows, task = tiny_pictures(tmp_path / "rows", 9), ImageClassification()
    found = [attacked(pictures, rows, task, 0.05, seed=seed, threads=1) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].shape == (9, 3) and (found[0] != found[2]).any()
    assert attacked(texts, toy_rows(5), TextClassification(), 0.1, seed=0, threads=1).shape == (5, 2)
