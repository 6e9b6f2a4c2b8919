"""The sample network: a small residual network for grey pictures of 28 x 28, trained where it is first asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import ResNetConfig, ResNetModel

from lighten.core import catalog
from lighten.core.step import Needs, Silent
from lighten.data.columns import find_columns
from lighten.data.learned import save_learned
from lighten.data.parts import split
from lighten.data.table import read_table
from lighten.isolate.child import emit
from lighten.isolate.machine import allowed_cores
from lighten.isolate.quiet import quiet
from lighten.nets.vision.folder import PROCESSOR
from lighten.nets.vision.network import open_vision, save_vision

SHAPE: dict[str, Any] = {
    "embedding_size": 32,
    "hidden_sizes": [32, 64, 128],
    "depths": [2, 2, 2],
    "layer_type": "basic",
}
"""Blocks of two convolutions in three stages, 0.7 million weights."""
SIDE = 40
"""Pixels of a side that pictures are enlarged to: the first layers of this family make them smaller by four."""
MEAN, STD = 0.286, 0.353
"""Of the grey levels of clothes."""
TRAINING: dict[str, Any] = {"epochs": 3.0, "learning_rate": 0.00075, "batch_rows": 128, "weight_decay": 0.05}
SEED = 0


class Telling(Silent):
    """A watch that tells the parent process how far a training is."""

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell it."""
        emit({"done": done, "total": total, "message": f"training: {message}"})


def train_sample(data: str, folder: str) -> dict[str, int]:
    """Train the network on the parts train and tune of a data set, and write it into an empty folder.

    The rows that it learned from are noted beside it, so that none of them proves anything later.

    Returns:
        ``rows`` that it learned from.

    Raises:
        DataError: the data cannot be read.
    """
    emit({"done": 0, "total": 0, "message": "Reading the pictures."})
    table = read_table(data)
    parts = split(table, find_columns(table, kind="image"), seed=SEED)
    target = Path(folder)
    untrained(target)
    task, step = catalog.load("tasks", "image_classification")(), catalog.load_step("train.full")(**TRAINING)
    needs = Needs(task=task, train=parts.train, tune=parts.tune, seed=SEED, threads=allowed_cores(), watch=Telling())
    save_vision(step.run(open_vision(target, parts.labels, seed=SEED), needs), target)
    ids = (*parts.train.ids, *parts.tune.ids)
    save_learned(target, [], ids)
    return {"rows": len(ids)}


def untrained(folder: Path) -> None:
    """Write the network without a head, with random weights, and its processor."""
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        ResNetModel(ResNetConfig(num_channels=1, **SHAPE)).save_pretrained(folder)
    settings = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "image_mean": [MEAN],
        "image_std": [STD],
    }
    (folder / PROCESSOR).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
