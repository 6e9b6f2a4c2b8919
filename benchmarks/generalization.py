"""What generalizes better, on real data: each measure of ``lighten train`` beside the same training without it.

    python benchmarks/generalization.py [--what augment|lessons|teacher|adapt|harden|tasks] [--only TEXT]
                                        [--rows 4000] [--seeds 3] [--threads 2]

augment: the small CNN of the tutorials from random weights on ``sample:fashion`` and on ``sample:mnist``, 128 pictures
an update, with no variation, with shifts, with shifts and mirrors, by passes: accuracy on pictures that were not seen.
lessons: how a teacher's answers are best learned from: that CNN on ``sample:mnist`` and on pictures of
``sample:fashion`` that no other part uses, taught by three of its kind by the squared distance of logits and by the
divergence at temperatures, the labels with a tenth or half of the weight. What is the default was chosen by this.
teacher: that CNN on ``sample:fashion``, MiniLM on the films of ``sample:reviews``, taught by one and by three of their
kind beside the labels, and by one that has learned from five times the rows, as is the default and by the squared
distance of logits; and these teachers.
adapt: MiniLM on the films of ``sample:reviews``, judged on products and on tweets that were not seen, with as many rows
of that domain without their labels, answered by the model itself after a first training, and by three of its kind.
harden: the CNN on both samples of pictures with a radius of 0.03 and 0.1, MiniLM on films with 0.02, with and without
attacks in the training: accuracy as they are, and under the same attack.
tasks: MiniLM on the sentiment of films and of products and on the groups of ``sample:newsgroups``, a body of its own
for each and one body for all: accuracy on the unseen rows of each, and the CPU-seconds that learning took.

Each seed draws other weights and another order; every rung of a seed begins with the same ones. A gain is the median
over seeds of the difference to the first rung of the same seed, with its least and its greatest: what is no greater
than that spread brings nothing, and the output says so. Writes ``benchmarks/out/generalization-WHAT.json`` after each
seed of a rung; what is asked once more goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import nn  # noqa: E402

from lighten.core import catalog  # noqa: E402
from lighten.core.data_options import DataOptions  # noqa: E402
from lighten.core.rows import Parts, Rows  # noqa: E402
from lighten.core.step import Silent  # noqa: E402
from lighten.core.task import Data  # noqa: E402
from lighten.data.samples import fetch_sample  # noqa: E402
from lighten.data.several import heads_of, joined_parts  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.models.bring import bring  # noqa: E402
from lighten.nets.encoders.network import open_network  # noqa: E402
from lighten.nets.forward import logits  # noqa: E402
from lighten.nets.network import Network  # noqa: E402
from lighten.nets.training.attack import attacked  # noqa: E402
from lighten.nets.training.ensemble import averaged  # noqa: E402
from lighten.nets.training.lesson import LABELS, TEMPERATURE, Lesson, taught_loss  # noqa: E402
from lighten.nets.training.loop import train  # noqa: E402
from lighten.nets.training.rows import RowsTraining  # noqa: E402
from lighten.nets.training.schedule import Schedule  # noqa: E402
from lighten.readers.image import ImageReader  # noqa: E402
from lighten.tasks.text_classification import TextClassification  # noqa: E402

OUT = Path(__file__).parent / "out"
JUDGED = 3_000
"""Unseen rows that everything is judged by, at most."""


class Learned(NamedTuple):
    """How a teacher's answers are learned from; see ``Lesson``. temperature: 0 for the squared distance of logits."""

    temperature: float = TEMPERATURE
    labels: float = LABELS


SQUARED = Learned(0.0, 0.1)
"""As ``distill.logits`` learns from the original."""
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


def tutorial(data: Data, part: Rows, tune: Rows, passes: float, threads: int) -> Callable[..., Network]:
    """Trains the CNN from random weights: seed and options of ``RowsTraining`` to the network."""
    reader, labels = ImageReader.fitted(part.inputs[:1000], {}), data.parts.labels

    def trained(seed: int, rows: Rows = part, **options: Any) -> Network:
        torch.manual_seed(seed)
        network = Network(Tutorial(len(labels)).eval(), reader, labels, has_head=False)
        schedule = Schedule(epochs=passes, learning_rate=2.5e-4, batch_rows=128, weight_decay=0.05)
        work = RowsTraining(network, rows, tune, data.task, schedule, threads=threads, **options)
        train(work, seed=seed, threads=threads, watch=Silent())
        return network

    return trained


def minilm(data: Data, part: Rows, tune: Rows, threads: int, folder: Path) -> Callable[..., Network]:
    """As :func:`tutorial`, fine-tunes MiniLM."""
    base = bring(str(fetch_sample("minilm")), folder / f"base-{len(list(folder.iterdir()))}")

    def trained(seed: int, rows: Rows = part, **options: Any) -> Network:
        torch.manual_seed(seed)
        network = open_network(base, labels=data.parts.labels, seed=seed)
        work = RowsTraining(network, rows, tune, data.task, Schedule(), threads=threads, **options)
        train(work, seed=seed, threads=threads, watch=Silent())
        return network

    return trained


def read(task: str, source: str) -> Data:
    """A sample as a task reads it."""
    found: Data = catalog.load("tasks", task)().read(source, DataOptions(), seed=0)
    return found


def said(networks: Sequence[Network], rows: Rows, threads: int) -> NDArray[np.float32]:
    """What several networks say together, as logits."""
    return averaged([logits(one, rows.inputs, threads) for one in networks])


def accuracy(answers: NDArray[Any], data: Data, rows: Rows) -> float:
    """Share of rows that are answered right."""
    return float(np.mean(data.task.right(answers, rows)))


def augment(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """Variations of pictures, by data set and passes."""
    found: dict[str, Rungs] = {}
    for name in ("fashion", "mnist"):
        data = read("image_classification", f"sample:{name}")
        part, tune, proof = (
            some(data.parts[which], many) for which, many in (("train", rows), ("tune", 500), ("proof", JUDGED))
        )
        for passes in (3, 20):
            trained = tutorial(data, part, tune, passes, threads)

            def rung(how: Sequence[str], trained: Any = trained, data: Data = data, proof: Rows = proof) -> Any:
                return lambda seed: accuracy(logits(trained(seed, augment=how), proof.inputs, threads), data, proof)

            found[f"{name}, {len(part):,} pictures, {passes} passes"] = {
                "as they are": rung(()), "shift": rung(("shift",)), "shift, flip": rung(("shift", "flip")),
            }  # fmt: skip
    return found


Masters = Callable[[int], list[Network]]
"""Teachers by the seed of the student."""


def kind(trained: Callable[..., Network], count: int = 3, **more: Any) -> Masters:
    """Teachers that were trained as a student is, each from other weights. more: that a student does not have."""
    return cache(lambda seed: [trained(100 * number + seed, **more) for number in range(1, count + 1)])


def beginning_at(first: int, trained: Callable[..., Network], seed: int, **more: Any) -> Network:
    """Train with other seeds."""
    return trained(first + seed, **more)


def taught(
    trained: Callable[..., Network], data: Data, part: Rows, proof: Rows, threads: int
) -> Callable[..., Callable[[int], float]]:
    """From teachers, and how a student learns from them, to its accuracy by seed: theirs where there is no student,
    that of labels alone where there are no teachers."""

    def rung(masters: Masters | None = None, learned: Learned | None = None) -> Callable[[int], float]:
        def score(seed: int) -> float:
            if masters is not None and learned is None:
                return accuracy(said(masters(seed), proof, threads), data, proof)
            loss = None
            if masters is not None and learned is not None:
                weights = np.full(len(part), learned.labels)
                lesson = Lesson(said(masters(seed), part, threads), weights, learned.temperature)
                loss = taught_loss(part, data.task, lesson)
            return accuracy(logits(trained(seed, loss=loss), proof.inputs, threads), data, proof)

        return score

    return rung


def lessons(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """What a teacher's answers are learned by, on rows and with seeds that nothing else is judged by."""
    found: dict[str, Rungs] = {}
    for name in ("mnist", "fashion"):
        data = read("image_classification", f"sample:{name}")
        whole, tune = data.parts.train, some(data.parts.tune, 500)
        part, proof = (some(whole.take(range(begin, len(whole), 2)), many) for begin, many in ((0, rows), (1, JUDGED)))
        made = partial(beginning_at, 50, tutorial(data, part, tune, 10, threads))
        rung, three = taught(made, data, part, proof, threads), kind(made)
        found[f"{name}, {len(part):,} pictures, 10 passes"] = {
            "labels alone": rung(),
            f"squares, labels {SQUARED.labels}": rung(three, SQUARED),
            **{
                f"divergence at {temperature:g}, labels {labels}": rung(three, Learned(temperature, labels))
                for temperature in (1.0, 2.0, 4.0)
                for labels in (0.1, 0.5)
            },
        }
    return found


def teacher(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """Students of one and of three of their own kind, and of one that has learned from more rows."""
    found: dict[str, Rungs] = {}
    for task, source in (("image_classification", "fashion"), ("text_classification", "reviews/movie")):
        data = read(task, f"sample:{source}")
        part, tune, proof = some(data.parts.train, rows), some(data.parts.tune, 300), some(data.parts.proof, JUDGED)
        pictures = task == "image_classification"
        trained = tutorial(data, part, tune, 10, threads) if pictures else minilm(data, part, tune, threads, folder)
        rung, one, three = taught(trained, data, part, proof, threads), kind(trained, 1), kind(trained)
        better = kind(trained, 1, rows=some(data.parts.train, 5 * rows))
        found[f"{source}, {len(part):,} rows, {10 if pictures else 3} passes"] = {
            "labels alone": rung(),
            "taught by one": rung(one, Learned()), "the same by squares": rung(one, SQUARED),
            "taught by three": rung(three, Learned()), "the three, averaged": rung(three),
            "taught by one that has more rows": rung(better, Learned()),
            "that, by squares": rung(better, SQUARED), "that one": rung(better),
        }  # fmt: skip
    return found


def adapt(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """Another domain, without its labels."""
    data = read("text_classification", "sample:reviews/movie")
    part, tune = some(data.parts.train, rows), some(data.parts.tune, 300)
    trained = minilm(data, part, tune, threads, folder)
    alone = cache(trained)
    found: dict[str, Rungs] = {}
    for name in ("product", "tweets"):
        other = read("text_classification", f"sample:reviews/{name}")
        more, proof = some(other.parts.train, rows), some(other.parts.proof, JUDGED)

        def taught(seed: int, count: int, more: Rows = more, proof: Rows = proof, other: Data = other) -> float:
            told = said([alone(100 * number + seed) for number in range(count)], more, threads)
            answers = np.concatenate([np.zeros((len(part), told.shape[1]), np.float32), told])
            every = Rows((*part.inputs, *more.inputs), (*part.targets, *map(int, told.argmax(axis=1))))
            weights = np.concatenate([np.ones(len(part)), np.zeros(len(more))])
            student = trained(seed, every, loss=taught_loss(every, data.task, Lesson(answers, weights)))
            return accuracy(logits(student, proof.inputs, threads), other, proof)

        found[f"films to {name}, {len(part):,} rows with labels, {len(more):,} without"] = {
            "labels alone": lambda seed, proof=proof, other=other: accuracy(
                logits(alone(seed), proof.inputs, threads), other, proof
            ),
            "its own answers": lambda seed, taught=taught: taught(seed, 1),
            "answers of three": lambda seed, taught=taught: taught(seed, 3),
        }
    return found


def harden(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """Attacks while it is trained, and while it is judged."""
    found: dict[str, Rungs] = {}
    for task, source, radius in (
        ("image_classification", "fashion", 0.03), ("image_classification", "mnist", 0.1),
        ("text_classification", "reviews/movie", 0.02),
    ):  # fmt: skip
        data = read(task, f"sample:{source}")
        part, tune, proof = (
            some(data.parts.train, rows),
            some(data.parts.tune, 300),
            some(data.parts.proof, JUDGED // 3),
        )
        pictures = task == "image_classification"
        trained = cache(
            tutorial(data, part, tune, 5, threads) if pictures else minilm(data, part, tune, threads, folder)
        )

        def clean(share: float, trained: Any = trained, data: Data = data, proof: Rows = proof) -> Any:
            return lambda seed: accuracy(logits(trained(seed, harden=share), proof.inputs, threads), data, proof)

        def hard(
            share: float, trained: Any = trained, data: Data = data, proof: Rows = proof, by: float = radius
        ) -> Any:
            def rung(seed: int) -> float:
                network = trained(seed, harden=share)
                return accuracy(attacked(network, proof, data.task, by, seed=seed, threads=threads), data, proof)

            return rung

        named = f"{source}, {len(part):,} rows, radius {radius}"
        found[f"{named}, as they are"] = {"plain": clean(0.0), "hardened": clean(radius)}
        found[f"{named}, under attack"] = {"plain": hard(0.0), "hardened": hard(radius)}
    return found


def tasks(rows: int, threads: int, folder: Path) -> dict[str, Rungs]:
    """A body for each task, and one for all of them."""
    parts: dict[str, Parts] = {}
    for name, source in (("films", "reviews/movie"), ("products", "reviews/product"), ("newsgroups", "newsgroups")):
        own = read("text_classification", f"sample:{source}").parts
        parts[name] = Parts(
            some(own.train, rows), some(own.tune, 300), own.select, some(own.proof, JUDGED // 3), own.labels
        )
    plain, every = TextClassification(), joined_parts(parts)
    data = {name: Data(plain, own, {}) for name, own in parts.items()}
    together = Data(TextClassification(heads=heads_of(parts)), every, {})

    @cache
    def learned(name: str, seed: int) -> Network:
        """The network of one task; of all where ``name`` is empty."""
        own = data[name] if name else together
        began = time.process_time()
        network = minilm(own, own.parts.train, own.parts.tune, threads, folder)(seed)
        print(f"    {name or 'one body'}, seed {seed}: learned in {time.process_time() - began:.0f} CPU-s", flush=True)
        return network

    def apart(name: str) -> Callable[[int], float]:
        proof = parts[name].proof
        return lambda seed: accuracy(logits(learned(name, seed), proof.inputs, threads), data[name], proof)

    def shared(name: str) -> Callable[[int], float]:
        proof = every.proof.take([n for n, group in enumerate(every.proof.groups) if group == name])
        return lambda seed: accuracy(logits(learned("", seed), proof.inputs, threads), together, proof)

    return {
        f"{name}, {len(own.train):,} rows": {"a body of its own": apart(name), "one body for all": shared(name)}
        for name, own in parts.items()
    }


WORK: dict[str, Callable[[int, int, Path], dict[str, Rungs]]] = {
    "augment": augment, "lessons": lessons, "teacher": teacher, "adapt": adapt, "harden": harden, "tasks": tasks,
}  # fmt: skip


def told(gains: Sequence[float]) -> str:
    """A gain in points, and whether it is one."""
    middle, low, high = (100 * value for value in (statistics.median(gains), min(gains), max(gains)))
    verdict = "helps" if low > 0 else "harms" if high < 0 else "brings nothing"
    return f"{middle:+.2f} points ({low:+.2f} to {high:+.2f}): {verdict}"


def main() -> None:
    """Measure, print, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--what", choices=tuple(WORK), default="augment")
    asked.add_argument("--only", default="", metavar="TEXT", help="of what is compared, that whose title has it")
    asked.add_argument("--rows", type=int, default=4000)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--threads", type=int, default=allowed_cores())
    given = asked.parse_args()
    OUT.mkdir(exist_ok=True)
    path = OUT / f"generalization-{given.what}.json"
    asked_for = {"rows": given.rows, "taught": [TEMPERATURE, LABELS]}
    record = measured_before(path, asked_for)
    folder = tempfile.TemporaryDirectory(prefix="lighten-")
    for title, rungs in WORK[given.what](given.rows, given.threads, Path(folder.name)).items():
        if given.only not in title:
            continue
        print(title, flush=True)
        own = record.setdefault(title, {})
        for name, measure in rungs.items():
            values = own.setdefault(name, [])
            for seed in range(len(values), given.seeds):
                values.append(measure(seed))
                path.write_text(json.dumps({"asked": asked_for, "accuracy": record}, indent=1), encoding="utf-8")
            found, first = values[: given.seeds], next(iter(own.values()))[: given.seeds]
            gain = "" if found == first else told([a - b for a, b in zip(found, first, strict=True)])
            print(f"  {name:30} {100 * statistics.median(found):6.2f} %  {gain}", flush=True)
    folder.cleanup()


def measured_before(path: Path, asked: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    """What stands in a file by title and rung, where the same was asked for."""
    if not path.is_file():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, dict[str, list[float]]] = told["accuracy"]
    return found if told["asked"] == asked else {}


if __name__ == "__main__":
    main()
