"""Pictures of the training benchmarks: the small networks, what they learn from, and the loops that others write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lighten.core import catalog
from lighten.core.data_options import DataOptions
from lighten.core.rows import Rows
from lighten.core.task import Task
from lighten.readers.image import ImageReader

MEAN, STD = 0.286, 0.353
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor", "do_resize": False, "size": {"height": 28, "width": 28},
    "image_mean": [MEAN], "image_std": [STD],
}  # fmt: skip
LOADED = 64
"""Pictures of an update of the loop that tutorials show."""

Examples = tuple[torch.Tensor, torch.Tensor]


class Cnn(nn.Module):  # type: ignore[misc]
    """The small CNN of the tutorials for grey pictures of 28 x 28, answering as models of transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip

    def forward(self, pixel_values: torch.Tensor) -> SimpleNamespace:
        """pixel_values: [rows, 1, 28, 28]."""
        return SimpleNamespace(logits=self.layers(pixel_values))


def half_resnet() -> nn.Module:
    """A ResNet-18 of half the width for grey pictures, from random weights."""
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        num_channels=1, embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[2, 2, 2, 2], layer_type="basic",
        num_labels=10,
    )  # fmt: skip
    return ResNetForImageClassification(config).train()


@dataclass(frozen=True)
class Pictures:
    """To learn from. x: [n, 1, 28, 28], as the networks take them. y: classes. levels: of grey, [n, 28, 28]."""

    rows: Rows
    labels: tuple[str, ...]
    task: Task
    x: torch.Tensor
    y: torch.Tensor
    levels: Any


def reader_of() -> ImageReader:
    """What reads them."""
    return ImageReader(PROCESSOR, 1)


def fashion(many: int) -> tuple[Pictures, dict[str, Rows]]:
    """``many`` pictures of ``sample:fashion`` to learn from, and the other parts of its rows by name."""
    data = catalog.load("tasks", "image_classification")().read("sample:fashion", DataOptions(), seed=0)
    part, reader = data.parts.train.take(range(min(many, len(data.parts.train)))), reader_of()
    x, y = torch.from_numpy(reader.batch(reader(part.inputs))["pixel_values"]), torch.tensor(part.targets)
    levels = ((x[:, 0] * STD + MEAN) * 255).round().to(torch.uint8).numpy()
    learned = Pictures(part, data.parts.labels, data.task, x, y, levels)
    return learned, {"tune": data.parts.tune, "proof": data.parts.proof}


def from_loader(learned: Pictures) -> Iterator[Examples]:
    """As tutorials read them: a DataLoader over pictures that are decoded one at a time."""
    from PIL import Image

    class Decoded(torch.utils.data.Dataset[Any]):  # what torchvision's data sets do with each picture
        def __len__(self) -> int:
            return len(learned.levels)

        def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
            pixels = np.asarray(Image.fromarray(learned.levels[row]), dtype=np.float32) / 255
            return (torch.from_numpy(pixels)[None] - MEAN) / STD, int(learned.y[row])

    while True:
        yield from torch.utils.data.DataLoader(Decoded(), LOADED, shuffle=True, drop_last=True)


def from_memory(learned: Pictures, batch: int) -> Iterator[Examples]:
    """From one array, in another order each pass."""
    while True:
        order = torch.randperm(len(learned.x))
        for at in range(0, len(learned.x) - batch + 1, batch):
            yield learned.x[order[at : at + batch]], learned.y[order[at : at + batch]]


def steps_of(net: nn.Module, data: Iterator[Examples], bf16: bool, layout: torch.memory_format) -> Iterator[int]:
    """A plain loop with Adam. Yields the pictures of each update."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for images, wanted in data:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(net(images.contiguous(memory_format=layout)).logits, wanted)
        loss.backward()
        optimizer.step()
        yield len(wanted)
