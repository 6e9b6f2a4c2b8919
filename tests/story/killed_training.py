"""A program that trains a tiny network with checkpoints and says what it does, to be killed at any moment.

``python killed_training.py KIND FOLDER LINE [SECONDS]`` prints ``update N`` after each update, ``piece N`` after each
piece of one, and at the end the SHA-256 of the weights. It kills itself, as ``kill -9`` would, right after it has
printed ``LINE``.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from lighten.core.step import Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.language.network import open_language
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import TextTraining
from lighten.nets.training.checkpoint import Checkpoints
from lighten.nets.training.loop import train
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule
from lighten.nets.training.trainable import Batch, Trainable
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_language, tiny_texts
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder

SCHEDULE = Schedule(epochs=3, batch_rows=8, dropout=0.1, learning_rate=1e-3)
FITS = 3
"""Rows that fit the memory of this program; it says so as torch would."""


def texts(folder: Path) -> Trainable:
    """A text classifier whose head is new."""
    network = open_network(tiny_network_folder(folder, layers=2, labels=None), ("negative", "positive"))
    return RowsTraining(network, toy_rows(44), toy_rows(20, seed=1), TextClassification(), SCHEDULE, threads=1)


def pictures(folder: Path) -> Trainable:
    """A network of convolutions, with batch norms."""
    network = open_vision(tiny_vision_folder(folder / "net"))
    rows = tiny_pictures(folder / "rows", 44)
    return RowsTraining(network, rows, rows.take(range(20)), ImageClassification(), SCHEDULE, threads=1)


def language(folder: Path) -> Trainable:
    """A language model, whose worse weights are taken back."""
    network = open_language(tiny_language("llama", folder))
    schedule = LanguageSchedule(2.5, 3e-2, tokens=64, longest=32)
    return TextTraining(network, tiny_texts(24, 4), tiny_texts(3, 9), schedule)


KINDS: dict[str, Callable[[Path], Trainable]] = {"texts": texts, "pictures": pictures, "language": language}


def say(line: str) -> None:
    """Print a line, and die by it where it is the last one."""
    print(line, flush=True)
    if line == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)


def limited(work: Trainable) -> None:
    """Let no more rows than ``FITS`` be computed at once, and say when some were."""
    backward, count = work.backward, 0

    def counted(batch: Batch, weight: float) -> float:
        nonlocal count
        if len(batch) > FITS:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        value = backward(batch, weight)
        count += 1
        say(f"piece {count}")
        return value

    work.backward = counted  # type: ignore[method-assign]


def main(kind: str, folder: Path, seconds: float | None) -> None:
    """Train to the end."""
    data = folder / "data"
    work = KINDS[kind](data)
    limited(work)
    checkpoints = Checkpoints(folder / "checkpoint", {"model": kind}, every=0.0)
    train(
        work, seed=3, threads=1, watch=Silent(), seconds=seconds, checkpoints=checkpoints,
        heard=lambda state, loss, share: say(f"update {state.updates}"),
    )  # fmt: skip
    digest = hashlib.sha256()
    for name, tensor in sorted(work.net.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    print(digest.hexdigest(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[4]) if len(sys.argv) > 4 else None)
