"""How fast a user could train without lighten, and lighten's own loop, in turns: rows or images a second.

    python benchmarks/training.py [--what text|pictures|resnet|share|lora|sweep|accuracy|accuracy-pictures|
        accuracy-resnet]
        [--seconds 10] [--rounds 3] [--rows 4000] [--threads 2]

text: MiniLM on ``sample:reviews``, 32 rows an update: Hugging Face's Trainer with its defaults, a plain loop in fp32
and bf16, the same with rows of similar length together (the best that a user has), that without the dropout of the
model's config, all with texts cut at 512 tokens, and lighten, which cuts them where it does whenever it trains, and
drops nothing out by default.
pictures: the small CNN of the tutorials on ``sample:fashion``: the loop that they show (DataLoader, fp32, 64 a batch),
in memory with 256, bf16 with channels last, and lighten with 256.
resnet: half as wide a ResNet-18, the same way.
share: how much of this machine's arithmetic rate lighten's training of these three reaches (``training_share.py``).
accuracy: what three passes of text come to, and how soon, beside the best of these loops (``training_accuracy.py``); a
round is a seed. accuracy-pictures, accuracy-resnet: the same of the two networks, beside the loop that tutorials show.
lora: changes of rank 16 of Gemma 3 270M on the movie documents of ``sample:reviews``: peft in Hugging Face's Trainer
with its defaults, a plain loop that computes the same in fp32 and bf16, and ``lighten train --lora``, each turn in a
process of its own, so that the peak of memory is its own (see ``training_lora.py``); not among what runs by default.
sweep: twenty trials of a head over the frozen body of MiniLM (see ``training_sweep.py``); not by default either.

Of text, pictures and resnet, each rung keeps its network and goes on where it stopped; the first updates of a turn are
not counted. ``lora`` starts anew each turn, and ``sweep`` has no turns. Every rung learns the same rows at its own
best; evaluations are left out. Ratios are medians of the ratios of a round to its first rung, ± half their
interquartile range; bf16 is what this machine makes of it. The Trainer needs ``accelerate``; without it, that rung is
left out, with a word. Writes ``benchmarks/out/training.json``, where what was measured before stays.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from training_pictures import (  # noqa: E402
    Cnn,
    Examples,
    fashion,
    from_loader,
    from_memory,
    half_resnet,
    reader_of,
    steps_of,
)

from lighten.core import catalog  # noqa: E402
from lighten.core.data_options import DataOptions  # noqa: E402
from lighten.core.spread import half_iqr  # noqa: E402
from lighten.core.step import Silent  # noqa: E402
from lighten.data.samples import fetch_sample  # noqa: E402
from lighten.isolate.machine import allowed_cores  # noqa: E402
from lighten.isolate.neighbours import Neighbours  # noqa: E402
from lighten.nets.encoders.network import open_network  # noqa: E402
from lighten.nets.network import Network  # noqa: E402
from lighten.nets.training.loop import train  # noqa: E402
from lighten.nets.training.rows import RowsTraining  # noqa: E402
from lighten.nets.training.schedule import Schedule, State  # noqa: E402

OUT = Path(__file__).parent / "out"
BATCH, PICTURES = 32, 256
WARM = 3
"""Updates of a turn that are not counted."""
WHAT = ("text", "pictures", "resnet", "share", "accuracy", "accuracy-pictures", "accuracy-resnet", "lora", "sweep")
NETWORKS = {"pictures": Cnn, "resnet": half_resnet}
UNDROPPED = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
"""Settings of MiniLM; its own are 0.1, which every other plain loop trains with."""
MANY = 100_000
"""Passes: more than any turn makes."""

Steps = Iterator[int]
"""Yields the rows of each update."""
Turn = Callable[[float], float]
"""Trains for some seconds; gives rows a second."""


def of_steps(make: Callable[[], Steps]) -> Turn:
    """A turn of a loop that yields after each update."""
    steps = make()

    def turn(seconds: float) -> float:
        for _ in range(WARM):
            next(steps)
        rows, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            rows += next(steps)
        return rows / (time.perf_counter() - start)

    return turn


class Enough(Exception):
    """A turn of lighten's loop is over."""


def of_lighten(work: RowsTraining, threads: int) -> Turn:
    """A turn of lighten's own loop."""
    network = work.network
    network.has_head = False  # nothing is judged before it begins

    def turn(seconds: float) -> float:
        seen: list[tuple[int, float]] = []

        def heard(state: State, loss: float, share: float) -> None:
            seen.append((state.rows, time.perf_counter()))
            if len(seen) > WARM and seen[-1][1] - seen[WARM - 1][1] > seconds:
                raise Enough

        with contextlib.suppress(Enough):
            train(work, seed=random.randrange(1 << 30), threads=threads, watch=Silent(), heard=heard)
        (before, start), (after, end) = seen[WARM - 1], seen[-1]
        return (after - before) / (end - start)

    return turn


def texts(rows: int, threads: int) -> dict[str, Callable[[], Turn]]:
    """The rungs of fine-tuning MiniLM, the first one what is compared with."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    folder = fetch_sample("minilm")
    data = catalog.load("tasks", "text_classification")().read("sample:reviews", DataOptions(), seed=0)
    part = data.parts.train.take(range(min(rows, len(data.parts.train))))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(list(part.texts), truncation=True, max_length=512)["input_ids"]
    targets = torch.tensor(part.targets)
    lengths = list(map(len, ids))

    def opened(**settings: float) -> Any:
        many = len(data.parts.labels)
        return AutoModelForSequenceClassification.from_pretrained(folder, num_labels=many, **settings).train()

    def batches(grouped: bool) -> Iterator[list[int]]:
        rng = random.Random(1)
        while True:
            order = list(range(len(ids)))
            rng.shuffle(order)
            if grouped:  # sorted within shuffled chunks of 50 batches, the batches shuffled
                chunks = [order[at : at + 50 * BATCH] for at in range(0, len(order), 50 * BATCH)]
                order = [row for chunk in chunks for row in sorted(chunk, key=lengths.__getitem__)]
            cut = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)]
            if grouped:
                rng.shuffle(cut)
            yield from cut

    def plain(bf16: bool, grouped: bool, **settings: float) -> Steps:
        net = opened(**settings)
        optimizer = torch.optim.AdamW(net.parameters(), lr=5e-5)
        for batch in batches(grouped):
            padded = tokenizer.pad({"input_ids": [ids[row] for row in batch]}, return_tensors="pt")
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = F.cross_entropy(net(**padded).logits.float(), targets[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            yield len(batch)

    def ours() -> Turn:
        network = open_network(Path(folder), data.parts.labels)
        schedule = Schedule(epochs=MANY, batch_rows=BATCH)
        return of_lighten(
            RowsTraining(network, part, part.take(range(8)), data.task, schedule, threads=threads), threads
        )

    return {
        "HF Trainer defaults, fp32": lambda: trainer(opened(), ids, targets, tokenizer),
        "plain loop fp32": lambda: of_steps(lambda: plain(False, False)),
        "plain loop bf16": lambda: of_steps(lambda: plain(True, False)),
        "length-grouped bf16": lambda: of_steps(lambda: plain(True, True)),
        "length-grouped bf16, no dropout": lambda: of_steps(lambda: plain(True, True, **UNDROPPED)),
        "lighten": ours,
    }


def trainer(net: Any, ids: list[list[int]], targets: torch.Tensor, tokenizer: Any) -> Turn:
    """Hugging Face's Trainer with its defaults but for the batch; one short training for each turn.

    Raises:
        ImportError: accelerate, without which it does not start, is not installed.
    """
    import accelerate  # noqa: F401
    from transformers import Trainer, TrainerCallback, TrainingArguments

    rows = [{"input_ids": one, "labels": int(target)} for one, target in zip(ids, targets, strict=True)]

    def turn(seconds: float) -> float:
        seen: list[float] = []

        class Stop(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                seen.append(time.perf_counter())
                control.should_training_stop = len(seen) > WARM and seen[-1] - seen[WARM - 1] > seconds

        with tempfile.TemporaryDirectory() as folder:
            settings = TrainingArguments(
                folder, per_device_train_batch_size=BATCH, report_to=[], save_strategy="no", use_cpu=True,
                disable_tqdm=True, num_train_epochs=MANY,
            )  # fmt: skip
            given = {"model": net, "args": settings, "train_dataset": rows, "processing_class": tokenizer}
            Trainer(**given, callbacks=[Stop()]).train()
        return (len(seen) - WARM) * BATCH / (seen[-1] - seen[WARM - 1])

    return turn


def pictures(rows: int, threads: int, made: Callable[[], nn.Module] = Cnn) -> dict[str, Callable[[], Turn]]:
    """The rungs of training a small network, the first one what is compared with."""
    learned, _ = fashion(rows)

    def plain(
        data: Iterator[Examples], bf16: bool = False, layout: torch.memory_format = torch.contiguous_format
    ) -> Turn:
        return of_steps(lambda: steps_of(made().to(memory_format=layout), data, bf16, layout))

    def ours() -> Turn:
        network = Network(made(), reader_of(), learned.labels)
        schedule = Schedule(epochs=MANY, batch_rows=PICTURES)
        few = learned.rows.take(range(8))
        return of_lighten(RowsTraining(network, learned.rows, few, learned.task, schedule, threads=threads), threads)

    flat, last = torch.contiguous_format, torch.channels_last
    return {
        "the tutorials' loop: DataLoader, batch 64, fp32": lambda: plain(from_loader(learned), False, flat),
        "in memory, batch 256, fp32": lambda: plain(from_memory(learned, PICTURES), False, flat),
        "in memory, batch 256, bf16, channels last": lambda: plain(from_memory(learned, PICTURES), True, last),
        "lighten": ours,
    }


def compare(makers: Mapping[str, Callable[[], Turn]], rounds: int, seconds: float, unit: str) -> list[dict[str, Any]]:
    """Let the rungs take turns and print what they reached."""
    turns = {}
    for name, make in makers.items():
        print(f"  {name} ...", flush=True)
        try:
            turns[name] = make()
        except ImportError as error:
            print(f"  {name}: does not work here ({error}); pip install {error.name}", flush=True)
    rates: dict[str, list[float]] = {name: [] for name in turns}
    others: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds):
        for name, turn in turns.items():
            time.sleep(0.2)
            neighbours = Neighbours()
            rates[name].append(turn(seconds))
            others[name].append(neighbours.share() or 0.0)
            print(f"  round {number + 1}: {name}: {rates[name][-1]:,.1f} {unit}", flush=True)
    first = next(iter(rates))
    found = []
    print(f"\n| rung | {unit} | x first | others took |\n| --- | ---: | ---: | ---: |")
    for name, own in rates.items():
        ratios = [mine / base for mine, base in zip(own, rates[first], strict=True)]
        row = {
            "rung": name, "rate": statistics.median(own), "unit": unit, "ratio": statistics.median(ratios),
            "spread": half_iqr(ratios), "others": max(others[name]), "rates": own,
        }  # fmt: skip
        found.append(row)
        spread = f" ± {row['spread']:.2f}" if row["spread"] else ""
        print(f"| {name} | {row['rate']:,.1f} | {row['ratio']:.2f}{spread} | {row['others']:.0%} |")
    return found


def lora(rounds: int, seconds: float, threads: int, rows: int) -> list[dict[str, Any]]:
    """Let the rungs of LoRA take turns, each in a process of its own, and print tokens a second and memory."""
    from training_lora import RUNGS

    from lighten.models.bring import bring
    from lighten.nets.gguf.network import open_gguf, to_network

    data = catalog.load("tasks", "text_generation")().read("sample:reviews/movie-documents", DataOptions(), seed=0)
    rates: dict[str, list[float]] = {name: [] for name in RUNGS}
    held: dict[str, int] = dict.fromkeys(RUNGS, 0)
    others: dict[str, float] = dict.fromkeys(RUNGS, 0.0)
    with tempfile.TemporaryDirectory() as place:
        folder, texts = Path(place) / "hf", Path(place) / "texts.json"
        folder.mkdir()
        to_network(open_gguf(bring(str(fetch_sample("gemma")), Path(place) / "gguf")), folder)
        texts.write_text(json.dumps(list(data.parts.train.texts[:rows])), encoding="utf-8")
        for number in range(rounds):
            for name in list(rates):
                neighbours = Neighbours()
                words = [sys.executable, str(Path(__file__).with_name("training_lora.py")), name]
                words += [str(folder), str(texts), str(seconds), str(threads)]
                told = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
                if "missing" in told:
                    print(f"  {name}: does not work here; pip install {told['missing']}", flush=True)
                    del rates[name]
                    continue
                rates[name].append(told["rate"])
                held[name] = max(held[name], told["bytes"])
                others[name] = max(others[name], neighbours.share() or 0.0)
                print(f"  round {number + 1}: {name}: {told['rate']:,.1f} tokens/s, {told['bytes'] / 1e6:,.0f} MB")
    first = next(iter(rates))
    found = []
    print("\n| rung | tokens/s | x first | MB | x first | others took |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, own in rates.items():
        ratios = [mine / base for mine, base in zip(own, rates[first], strict=True)]
        row = {
            "rung": name, "rate": statistics.median(own), "unit": "tokens/s", "ratio": statistics.median(ratios),
            "spread": half_iqr(ratios), "others": others[name], "rates": own, "bytes": held[name],
            "memory_ratio": held[name] / held[first],
        }  # fmt: skip
        found.append(row)
        print(
            f"| {name} | {row['rate']:,.1f} | {row['ratio']:.2f} | {held[name] / 1e6:,.0f} | "
            f"{row['memory_ratio']:.2f} | {row['others']:.0%} |"
        )
    return found


def sweep(rows: int, threads: int) -> list[dict[str, Any]]:
    """Twenty trials of a head, with and without what the body puts out being kept."""
    from training_sweep import compare as compare_trials

    data = catalog.load("tasks", "text_classification")().read("sample:reviews", DataOptions(), seed=0)
    part, tune = (one.take(range(min(rows, len(one)))) for one in (data.parts.train, data.parts.tune))
    return compare_trials(Path(fetch_sample("minilm")), part, tune, data.parts.labels, data.task, threads)


def share(rows: int, rounds: int, seconds: float, threads: int) -> list[dict[str, Any]]:
    """What training reaches of the rate of matrix products."""
    from training_share import compare as compare_shares
    from training_share import pictures as work_of
    from training_share import text as work_of_texts

    works: dict[str, Callable[[], RowsTraining]] = {"text": lambda: work_of_texts(rows, threads)}
    for name, made in NETWORKS.items():
        works[name] = partial(work_of, made, 4 * rows, threads)
    return compare_shares(works, rounds, seconds, threads)


def accuracy(of: str, rows: int, rounds: int, threads: int) -> list[dict[str, Any]]:
    """What training comes to, and how soon. of: a network of pictures; nothing for texts."""
    from training_accuracy import of_pictures, of_texts

    if of:
        return of_pictures(NETWORKS[of], 4 * rows, rounds, threads)
    data = catalog.load("tasks", "text_classification")().read("sample:reviews", DataOptions(), seed=0)
    return of_texts(Path(fetch_sample("minilm")), data, rows, rounds, threads)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", choices=WHAT, action="append", help="the first two by default")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000, help="to learn from; four times as many pictures")
    parser.add_argument("--threads", type=int, default=allowed_cores())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    found = {}
    for what in asked.what or ("text", "pictures"):
        if what == "lora":
            found[what] = lora(asked.rounds, asked.seconds, asked.threads, asked.rows)
            continue
        if what == "share":
            found[what] = share(asked.rows, asked.rounds, asked.seconds, asked.threads)
            continue
        if what.startswith("accuracy"):
            found[what] = accuracy(what.partition("-")[2], asked.rows, asked.rounds, asked.threads)
            continue
        if what == "sweep":
            found[what] = sweep(asked.rows, asked.threads)
            continue
        if what == "text":
            made = texts(asked.rows, asked.threads)
        else:
            made = pictures(4 * asked.rows, asked.threads, NETWORKS[what])
        unit = "rows/s" if what == "text" else "images/s"
        found[what] = compare(made, asked.rounds, asked.seconds, unit)
    OUT.mkdir(exist_ok=True)
    path = OUT / "training.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**before, **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
