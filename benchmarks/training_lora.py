"""The rungs of LoRA on a language model, each in a process of its own: tokens a second, and the most memory held.

``training.py --what lora`` starts this for each rung and turn. All learn changes of rank 16 of every linear layer of
the body, from the same texts, cut at 512 tokens. Tokens are those with one before them; padding counts nothing. Memory
is the peak while it learns, weights included, after the peak of loading was forgotten.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import torch
from torch import nn

from lighten.core.step import Silent
from lighten.isolate.machine import peak_bytes
from lighten.nets.language.network import open_language
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import TextTraining
from lighten.nets.training.loop import train
from lighten.nets.training.schedule import State

RANK, ALPHA, LONGEST, BATCH, RATE = 16, 32.0, 512, 8, 2e-4
"""BATCH: texts of an update, the default of Hugging Face's Trainer; lighten learns from as many tokens."""
WARM = 2
"""Updates that are not counted."""

Found = tuple[float, int]
"""Tokens a second, and bytes."""


class Enough(Exception):
    """A turn is over."""


class Clock:
    """Counts tokens after the first updates, and ends the turn."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._updates, self._start = seconds, 0, 0.0
        self.tokens, self.rate = 0, 0.0

    def update(self, tokens: int) -> bool:
        """An update is over; whether the turn is."""
        self._updates += 1
        now = time.perf_counter()
        if self._updates <= WARM:
            self._start = now
            return False
        self.tokens += tokens
        self.rate = self.tokens / (now - self._start)
        return now - self._start > self._seconds


def forget_peak() -> None:
    """Let the peak of this process begin anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def lighten(folder: Path, texts: list[str], seconds: float, threads: int) -> Found:
    """lighten's own loop, in the precision that it chooses."""
    network = open_language(folder)
    longest = round(sum(min(len(ids), LONGEST) for ids in network.tokens(texts)) / len(texts))
    schedule = LanguageSchedule(1000.0, RATE, tokens=BATCH * longest, longest=LONGEST, rank=RANK)
    work = TextTraining(network, texts, [], schedule, precision=os.environ.get("LORA_PRECISION", "auto"))
    clock, before = Clock(seconds), 0

    def heard(state: State, loss: float, share: float) -> None:
        nonlocal before
        before, learned = state.rows, state.rows - before
        if clock.update(learned):
            raise Enough

    forget_peak()
    with contextlib.suppress(Enough):
        train(work, seed=0, threads=threads, watch=Silent(), heard=heard)
    return clock.rate, peak_bytes()


class Changed(nn.Module):  # type: ignore[misc]
    """A linear layer with a change of low rank, computed as peft computes it."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down, self.up = nn.Linear(linear.in_features, RANK, False), nn.Linear(RANK, linear.out_features, False)
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.up.weight)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """inputs: [..., in]."""
        return self.linear(inputs) + self.up(self.down(inputs)) * (ALPHA / RANK)


def batches(folder: Path, texts: list[str]) -> Iterator[dict[str, torch.Tensor]]:
    """Eight texts at a time, shuffled and padded, as a collator of transformers makes them."""
    network_tokens = tokenizer(folder)
    rng, order = random.Random(0), list(range(len(texts)))
    while True:
        rng.shuffle(order)
        for at in range(0, len(order) - BATCH + 1, BATCH):
            some = network_tokens([texts[row] for row in order[at : at + BATCH]])
            width = max(map(len, some))
            ids, mask = (torch.zeros(BATCH, width, dtype=torch.long) for _ in range(2))
            for place, one in enumerate(some):
                ids[place, : len(one)], mask[place, : len(one)] = torch.tensor(one), 1
            yield {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


def tokenizer(folder: Path) -> Callable[[list[str]], list[list[int]]]:
    """Token ids of texts, cut."""
    from lighten.nets.language.network import Tokens

    found = Tokens.open(folder)
    return lambda texts: [ids[:LONGEST] for ids in found(texts)]


def opened(folder: Path) -> Any:
    """The model as transformers opens it, in float32."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)


def plain(folder: Path, texts: list[str], seconds: float, bf16: bool) -> Found:
    """The loop that everybody copies, with changes as peft computes them, and the model's own loss."""
    net = opened(folder).requires_grad_(False)
    for name, module in list(net.named_modules()):
        if type(module) is nn.Linear and name != "lm_head":
            owner, _, last = name.rpartition(".")
            setattr(net.get_submodule(owner), last, Changed(module))
    net.train()
    optimizer = torch.optim.AdamW([one for one in net.parameters() if one.requires_grad], lr=RATE)
    clock = Clock(seconds)
    forget_peak()
    for batch in batches(folder, texts):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = net(**batch).loss
        loss.backward()
        nn.utils.clip_grad_norm_([one for one in net.parameters() if one.requires_grad], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if clock.update(int((batch["labels"][:, 1:] != -100).sum())):
            break
    return clock.rate, peak_bytes()


def trainer(folder: Path, texts: list[str], seconds: float) -> Found:
    """peft in Hugging Face's Trainer with its defaults.

    Raises:
        ImportError: peft, or accelerate, is not installed.
    """
    import accelerate  # noqa: F401
    from peft import LoraConfig, get_peft_model
    from transformers import Trainer, TrainerCallback, TrainingArguments

    config = LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, target_modules="all-linear")
    net, tokens, clock = get_peft_model(opened(folder), config), tokenizer(folder), Clock(seconds)
    counts: list[int] = []

    def collate(rows: list[list[int]]) -> dict[str, torch.Tensor]:
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        counts.append(sum(map(len, rows)) - len(rows))
        return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}

    class Stop(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = clock.update(counts[state.global_step - 1])

    forget_peak()
    with tempfile.TemporaryDirectory() as place:
        settings = TrainingArguments(
            place, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, remove_unused_columns=False,
            num_train_epochs=1000,
        )  # fmt: skip
        given = {"model": net, "args": settings, "train_dataset": tokens(texts), "data_collator": collate}
        Trainer(**given, callbacks=[Stop()]).train()
    return clock.rate, peak_bytes()


RUNGS: Mapping[str, Callable[[Path, list[str], float, int], Found]] = {
    "PEFT + HF Trainer defaults, fp32": lambda folder, texts, seconds, _: trainer(folder, texts, seconds),
    "plain loop, changes as in PEFT, fp32": lambda folder, texts, seconds, _: plain(folder, texts, seconds, False),
    "plain loop, changes as in PEFT, bf16": lambda folder, texts, seconds, _: plain(folder, texts, seconds, True),
    "lighten train --lora": lighten,
}


def main() -> None:
    """One turn of one rung: ``training_lora.py RUNG FOLDER TEXTS SECONDS THREADS`` prints JSON."""
    name, folder, texts, seconds, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    try:
        rate, held = RUNGS[name](
            Path(folder), json.loads(Path(texts).read_text(encoding="utf-8")), float(seconds), int(threads)
        )
        print(json.dumps({"rate": rate, "bytes": held}))
    except ImportError as error:
        print(json.dumps({"missing": error.name}))


if __name__ == "__main__":
    main()
