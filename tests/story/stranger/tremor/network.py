"""The network: two convolutions over time, and a class for their mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lighten.nets.network import Network
from tremor.reader import TraceReader

WEIGHTS = "model.safetensors"


class Shaken(nn.Module):
    """readings [rows, 3, moments] to logits [rows, classes]."""

    def __init__(self, first: int, second: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(3, first, 5, stride=2, padding=2)
        self.second = nn.Conv1d(first, second, 5, stride=2, padding=2)
        self.head = nn.Linear(second, classes)

    def forward(self, readings: Tensor) -> Tensor:
        found = torch.relu(self.second(torch.relu(self.first(readings))))
        return self.head(found.mean(dim=2))


class TraceNetwork(Network):
    """What lighten trains, exports and runs."""

    def outputs(self, arrays: Mapping[str, Tensor]) -> Tensor:
        return self.net(arrays["readings"]).float()


def fresh(channels: int, labels: tuple[str, ...], seed: int = 0) -> Shaken:
    """An untrained network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Shaken(channels, channels, len(labels))


def learned(folder: Path, reader: TraceReader, channels: int = 32) -> TraceNetwork:
    """A network that was trained on a folder with a folder for each class."""
    labels = tuple(sorted(path.name for path in folder.iterdir()))
    files = sorted(folder.glob("*/*.trace"))
    given = torch.from_numpy(np.stack(reader([reader.describe(path) for path in files])))
    wanted = torch.tensor([labels.index(path.parent.name) for path in files])
    net = fresh(channels, labels)
    descent = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        descent.zero_grad()
        nn.functional.cross_entropy(net(given), wanted).backward()
        descent.step()
    return TraceNetwork(net.eval(), reader, labels)


def restored(folder: Path, reader: TraceReader, own: tuple[str, ...], labels: tuple[str, ...]) -> TraceNetwork:
    """The network of a folder; own: its classes, empty where it has no head yet and gets one for ``labels``."""
    state = load_file(str(folder / WEIGHTS))
    net = Shaken(len(state["first.bias"]), len(state["second.bias"]), len(own or labels))
    net.load_state_dict(state, strict=bool(own))
    return TraceNetwork(net.eval(), reader, own or labels, bool(own))


def write(network: Network, folder: Path) -> None:
    """The weights; without the head where it was never trained."""
    state = network.net.state_dict()
    save_file({n: t.contiguous() for n, t in state.items() if network.has_head or "head" not in n}, folder / WEIGHTS)
