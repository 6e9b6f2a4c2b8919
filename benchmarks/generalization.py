"""What generalizes better, on real data: each measure of ``lighten train`` beside the same training without it.

    python benchmarks/generalization.py [--what augment] [--rows 4000] [--seeds 3] [--threads 2]

augment: the small CNN of the tutorials from random weights on ``sample:fashion`` and on ``sample:mnist``, 128 pictures
an update, with no variation, with shifts, with shifts and mirrors, by passes: accuracy on pictures that were not seen.

Each seed draws other weights and another order; every rung of a seed begins with the same ones. A gain is the median
over seeds of the difference to the first rung of the same seed, with its least and its greatest: what is no greater
than that spread brings nothing, and the output says so. Writes ``benchmarks/out/generalization-WHAT.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from lighten.core import catalog  # noqa: E402
from lighten.core.data_options import DataOptions  # noqa: E402
from lighten.core.rows import Rows  # noqa: E402
from lighten.core.step import Silent  # noqa: E402
from lighten.core.task import Data  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.nets.forward import logits  # noqa: E402
from lighten.nets.network import Network  # noqa: E402
from lighten.nets.training.loop import train  # noqa: E402
from lighten.nets.training.rows import RowsTraining  # noqa: E402
from lighten.nets.training.schedule import Schedule  # noqa: E402
from lighten.readers.image import ImageReader  # noqa: E402

OUT = Path(__file__).parent / "out"
JUDGED = 3_000
"""Unseen rows that everything is judged by, at most."""

Rungs = dict[str, Callable[[int], float]]
"""By name: from a seed to the accuracy on rows that were not seen. The first one is what is compared with."""


class Tutorial(nn.Module):
    """Two convolutions and two dense layers, for pictures of 28 x 28."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, classes),
        )  # fmt: skip

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """pixel_values: [batch, 1, 28, 28]. Returns [batch, classes]."""
        found: torch.Tensor = self.body(pixel_values)
        return found


def some(rows: Rows, count: int) -> Rows:
    """Evenly spaced rows."""
    count = min(count, len(rows))
    return rows.take([i * len(rows) // count for i in range(count)])


def right(network: Network, data: Data, rows: Rows, threads: int) -> float:
    """Share of rows that a network answers right."""
    return float(np.mean(data.task.right(logits(network, rows.inputs, threads), rows)))


def augment(rows: int, threads: int) -> dict[str, Rungs]:
    """Variations of pictures, by data set and passes."""
    found: dict[str, Rungs] = {}
    for name in ("fashion", "mnist"):
        data = catalog.load("tasks", "image_classification")().read(f"sample:{name}", DataOptions(), seed=0)
        part, tune = some(data.parts.train, rows), some(data.parts.tune, 500)
        proof = some(data.parts.proof, JUDGED)
        reader = ImageReader.fitted(part.inputs[:1000], {})
        for passes in (3, 20):

            def trained(
                seed: int, how: Sequence[str], data: Data = data, part: Rows = part, tune: Rows = tune,
                proof: Rows = proof, reader: ImageReader = reader, passes: int = passes,
            ) -> float:  # fmt: skip
                torch.manual_seed(seed)
                labels = data.parts.labels
                network = Network(Tutorial(len(labels)).eval(), reader, labels, has_head=False)
                schedule = Schedule(epochs=passes, learning_rate=2.5e-4, batch_rows=128, weight_decay=0.05)
                work = RowsTraining(network, part, tune, data.task, schedule, threads=threads, augment=how)
                train(work, seed=seed, threads=threads, watch=Silent())
                return right(network, data, proof, threads)

            found[f"{name}, {len(part):,} pictures, {passes} passes"] = {
                "as they are": lambda seed, trained=trained: trained(seed, ()),
                "shift": lambda seed, trained=trained: trained(seed, ("shift",)),
                "shift, flip": lambda seed, trained=trained: trained(seed, ("shift", "flip")),
            }
    return found


WORK: dict[str, Callable[[int, int], dict[str, Rungs]]] = {"augment": augment}


def told(gains: Sequence[float]) -> str:
    """A gain in points, and whether it is one."""
    middle, low, high = (100 * value for value in (statistics.median(gains), min(gains), max(gains)))
    verdict = "helps" if low > 0 else "harms" if high < 0 else "brings nothing"
    return f"{middle:+.2f} points ({low:+.2f} to {high:+.2f}): {verdict}"


def main() -> None:
    """Measure, print, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--what", choices=tuple(WORK), default="augment")
    asked.add_argument("--rows", type=int, default=4000)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--threads", type=int, default=allowed_cores())
    given = asked.parse_args()
    record: dict[str, dict[str, list[float]]] = {}
    for title, rungs in WORK[given.what](given.rows, given.threads).items():
        print(title, flush=True)
        own = record.setdefault(title, {})
        for name, measured in rungs.items():
            own[name] = [measured(seed) for seed in range(given.seeds)]
            first = next(iter(own.values()))
            gain = "" if own[name] is first else told([a - b for a, b in zip(own[name], first, strict=True)])
            print(f"  {name:30} {100 * statistics.median(own[name]):6.2f} %  {gain}", flush=True)
    OUT.mkdir(exist_ok=True)
    path = OUT / f"generalization-{given.what}.json"
    path.write_text(json.dumps({"asked": vars(given), "accuracy": record}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
