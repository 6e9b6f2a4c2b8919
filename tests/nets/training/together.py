"""A program that is one of two processes which train tiny networks together: ``python together.py RANK FOLDER``.

It goes through everything that ``test_group.py`` asks about, and leaves the weights and what it heard in the folder.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from lighten.core.step import Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.language.network import open_language
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import TextTraining
from lighten.nets.training.checkpoint import Checkpoints
from lighten.nets.training.group import Group, Meeting
from lighten.nets.training.loop import train
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import LAST, Schedule, Trained
from lighten.nets.training.trainable import Batch, Trainable
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_language, tiny_texts
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder

PLAIN = Schedule(epochs=2, batch_rows=16, learning_rate=1e-3, keep=LAST, patience=99)
"""Nothing of it is decided by rounding."""
SEEDS = (0, 1, 2)
FITS = 3
"""Rows that fit the memory of one of them."""
KILLED = (3, 6, 8, 11)
"""Updates after which a training is taken up: within an epoch and at the end of one (six updates)."""


def made(folder: Path, make: Callable[[], Path]) -> Path:
    """A network's folder. transformers writes rank 0's alone where there is a group, so it is made before."""
    return folder if folder.is_dir() else make()


def texts(folder: Path, schedule: Schedule = PLAIN, *, exact: bool = False) -> RowsTraining:
    """A text classifier whose head is new; 46 rows, so that one update of an epoch has fewer. exact: in float64."""
    torch.manual_seed(5)
    network = open_network(made(folder, lambda: tiny_network_folder(folder, layers=2, labels=None)), ("no", "yes"))
    network.net.to(torch.float64 if exact else torch.float32)
    return RowsTraining(network, toy_rows(46), toy_rows(20, seed=1), TextClassification(), schedule, threads=1)


def pictures(folder: Path, schedule: Schedule = PLAIN) -> RowsTraining:
    """A network of convolutions, with batch norms; 35 rows, so that one update of an epoch has too few for two."""
    torch.manual_seed(5)
    network = open_vision(made(folder / "net", lambda: tiny_vision_folder(folder / "net")))
    rows = tiny_pictures(folder / "rows", 35)
    return RowsTraining(network, rows, rows.take(range(20)), ImageClassification(), schedule, threads=1)


def language(folder: Path, *, exact: bool = False) -> TextTraining:
    """A language model. exact: in float64."""
    network = open_language(made(folder, lambda: tiny_language("llama", folder)))
    network.net.to(torch.float64 if exact else torch.float32)
    schedule = LanguageSchedule(2.0, 1e-3, tokens=40, longest=32)
    work = TextTraining(network, tiny_texts(24, 4), [], schedule)
    work.schedule = replace(work.schedule, patience=99)
    return work


def trained(work: Trainable, seed: int, group: Group, **more: Any) -> tuple[Trained, list[float]]:
    """Train, and give the losses, too."""
    losses: list[float] = []
    heard = more.pop("heard", lambda state, loss, share: None)

    def each(state: Any, loss: float, share: float) -> None:
        losses.append(loss)
        heard(state, loss, share)

    return train(work, seed=seed, threads=1, watch=Silent(), group=group, heard=each, **more), losses


def weights(work: Trainable) -> dict[str, torch.Tensor]:
    """A copy of all weights and statistics."""
    return {name: one.detach().clone().contiguous() for name, one in work.net.state_dict().items()}


def limited(work: Trainable) -> None:
    """Let no more rows than ``FITS`` be computed at once."""
    backward = work.backward

    def narrow(batch: Batch, weight: float) -> float:
        if len(batch) > FITS:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return backward(batch, weight)

    work.backward = narrow  # type: ignore[method-assign]


def failing(work: Trainable, at: int) -> None:
    """Let one loss be no number."""
    backward, count = work.backward, 0

    def broken(batch: Batch, weight: float) -> float:
        nonlocal count
        count += 1
        value = backward(batch, weight)
        return math.nan if count == at else value

    work.backward = broken  # type: ignore[method-assign]


class Killed(Exception):
    """Stands for ``kill -9``: what is on the disk then is all that is left."""


def resumed(make: Callable[[], Trainable], folder: Path, group: Group) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of a whole training, and of ones that are taken up from what it had on the disk at some moment."""
    moments = folder / "moments"

    def saved(state: Any, *_: float) -> None:
        if group.rank == 0 and state.updates in KILLED:
            shutil.copytree(folder / "checkpoint", moments / str(state.updates))

    def once(place: Path, heard: Callable[..., None]) -> dict[str, torch.Tensor]:
        checkpoints = Checkpoints(place, {"size": group.size}, every=0.0) if group.rank == 0 else None
        work = make()
        trained(work, 3, group, checkpoints=checkpoints, heard=heard)
        return weights(work)

    found = {"whole": once(folder / "checkpoint", saved)}
    for update in KILLED:
        found[str(update)] = once(moments / str(update), lambda *_: None)
    return found


def main(rank: int, folder: Path) -> None:
    """Go through everything."""
    own = folder / str(rank)
    kinds: dict[str, Callable[[Path], Trainable]] = {"texts": texts, "language": language, "pictures": pictures}
    for name, kind in kinds.items():
        kind(own / name)
    group = Meeting(rank, 2, 2, f"file://{folder / 'meeting'}").join()
    told: dict[str, Any] = {}
    for seed in SEEDS:
        work = texts(own / "texts", exact=True)
        told[f"texts {seed}"] = trained(work, seed, group)[1]
        save_file(weights(work), folder / f"texts-{seed}-{rank}.safetensors")
    for name, work in (("language", language(own / "language", exact=True)), ("pictures", pictures(own / "pictures"))):
        told[name] = trained(work, 0, group)[1]
        save_file(weights(work), folder / f"{name}-0-{rank}.safetensors")

    def cut() -> Trainable:
        work = texts(own / "texts", Schedule(epochs=3, batch_rows=8, dropout=0.1, learning_rate=1e-3))
        if rank:
            limited(work)
        return work

    if not rank:
        (folder / "moments").mkdir()
    for name, found in resumed(cut, folder, group).items():
        save_file(found, folder / f"resumed {name}-{rank}.safetensors")
    work, notes = texts(own / "texts"), []
    if rank:
        failing(work, 4)
    trained(work, 0, group, note=notes.append)
    told["setback"] = notes
    save_file(weights(work), folder / f"setback-{rank}.safetensors")
    work = texts(own / "texts", replace(PLAIN, epochs=1000))
    work.choose_precision = lambda threads: setattr(work, "dtype", torch.bfloat16 if rank == 0 else None)  # type: ignore[method-assign]
    result, _ = trained(work, 0, group, seconds=0.5 + rank)
    told["time"] = [result.planned, result.updates, result.precision]
    told["cpu"] = group.cpu_seconds
    (folder / f"told-{rank}.json").write_text(json.dumps(told), encoding="utf-8")
    group.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
