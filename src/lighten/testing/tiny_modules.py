"""Code of a user's own that makes tiny networks, and models that it made; no network is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.item import Item
from lighten.core.matching import format_named
from lighten.core.rows import Parts, Rows
from lighten.models.bring import bring
from lighten.nets.module.permits import SWITCH

SOURCE = '''"""Networks of a user's own."""

import torch
from torch import nn

from parts import Block


class Small(nn.Module):
    """A few convolutions over pictures."""

    lighten = {"blocks": ["blocks"]}

    def __init__(self, classes, channels, width=8, depth=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.head = nn.Linear(width, classes)

    def forward(self, pictures):
        return self.head(self.blocks(self.stem(pictures)).mean((2, 3)))


class Reading(nn.Module):
    """An LSTM over tokens, of which the last state answers."""

    def __init__(self, vocabulary, classes, width=32):
        super().__init__()
        self.words, self.lstm = nn.Embedding(vocabulary, width), nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, ids):
        return self.head(self.lstm(self.words(ids))[0][:, -1])


class Masked(Reading):
    """The same, of which the mean of the states answers."""

    def forward(self, ids, mask):
        states, held = self.lstm(self.words(ids))[0], mask.unsqueeze(-1).float()
        return self.head((states * held).sum(1) / held.sum(1))


def pictures(classes, channels):
    return Small(classes, channels)


def texts(vocabulary, classes):
    return Reading(vocabulary, classes)


def masked(vocab_size, num_classes):
    return Masked(vocab_size, num_classes)


def raising(classes):
    raise RuntimeError("no such luck")


def returning(classes):
    return [classes]


def needing(classes, depth):
    return Small(classes, 3, depth=depth)


def misfit(channels):
    return Small(7, channels)


def narrow(classes):
    return Small(classes, 1)


def weightless(classes):
    return nn.ReLU()


def knowing():
    made = Small(3, 3)
    made.lighten = {"labels": ["bright", "dark", "striped"], "size": 32, "blocks": ["blocks"]}
    return made


number = 7
'''
PARTS = '''"""What the networks are made of."""

import torch
from torch import nn


class Block(nn.Module):
    """A convolution whose input is added."""

    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, inputs):
        return inputs + torch.relu(self.norm(self.conv(inputs)))
'''


def tiny_code(folder: Path) -> Path:
    """Write the modules ``mynets`` and ``parts`` into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mynets.py").write_text(SOURCE, encoding="utf-8")
    (folder / "parts.py").write_text(PARTS, encoding="utf-8")
    return folder


@contextmanager
def allowing(folder: Path) -> Iterator[None]:
    """Allow the code of a folder to be run inside, as ``--code`` does."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = str(folder)
    try:
        yield
    finally:
        del os.environ[SWITCH]
        if before is not None:
            os.environ[SWITCH] = before


def tiny_module(code: Path, factory: str, folder: Path, items: Sequence[Item], labels: Sequence[str]) -> Artifact:
    """The network of a factory of :func:`tiny_code`, made for items, untrained.

    Args:
        code: folder of the code. factory: name of the function. folder: of the artifact, new.
    """
    rows = Rows(tuple(items), tuple(i % len(labels) for i in range(len(items))))
    with allowing(code):
        brought = bring(f"mynets:{factory}", folder)
        return format_named("module").suit(brought, Parts(rows, rows, rows, rows, tuple(labels)))
