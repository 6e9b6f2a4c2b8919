"""Train an LSTM language model over bytes by truncated backpropagation through time, several texts side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from lighten.core.errors import DataError, StepFailed
from lighten.nets.baselines.byte_model import BOUNDARY, SYMBOLS, symbols_of
from lighten.nets.baselines.lstm import WIDEST, ByteLstm, Weights
from lighten.nets.training.precision import using_threads

EMBEDDED = 64
"""Numbers that stand for a symbol while it learns; later, what they do to the gates stands in a table."""
LONGEST = 4096
"""Symbols of a row; longer texts are learned in pieces, of which each begins with nothing remembered."""
ALONG = 32
"""Symbols that gradients flow back through; what is remembered goes on from one such stretch to the next."""
LEAST = 16
"""Symbols of a stretch at the least: shorter rows stand more of them side by side."""
HELD = 60_000
"""Held-out symbols that are scored while it learns."""
CHECKS = 8
"""How often the held-out texts are scored; after two times in a row that were not better, training ends."""
CLIP = 1.0
IGNORED = -100

Row = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LstmSchedule:
    """How an LSTM is trained.

    Attributes:
        width: hidden values. epochs: passes over the texts. rate: peak learning rate of Adam.
        rows: texts side by side; where texts are shorter than a stretch, as many as make up for it.
    """

    width: int
    epochs: int
    rate: float
    rows: int


class Net(nn.Module):  # type: ignore[misc]
    """What is trained. Its logits are those of the :class:`ByteLstm` that :meth:`exported` makes, but for rounding."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, EMBEDDED)
        self.lstm = nn.LSTM(EMBEDDED, width, batch_first=True)
        self.output = nn.Linear(width, SYMBOLS)
        with torch.no_grad():
            # What is remembered is kept at first, else gradients hardly reach what came some symbols before.
            self.lstm.bias_ih_l0[width : 2 * width] += 1.0

    def exported(self) -> ByteLstm:
        """The same model in numpy, in half precision."""
        width = self.lstm.hidden_size
        order = np.r_[
            : 2 * width, 3 * width : 4 * width, 2 * width : 3 * width
        ]  # torch: input, forget, candidate, output
        with torch.no_grad():
            table = self.embedding.weight @ self.lstm.weight_ih_l0.T + self.lstm.bias_ih_l0 + self.lstm.bias_hh_l0
            made = {
                "input": table.numpy()[:, order],
                "recurrent": self.lstm.weight_hh_l0.numpy().T[:, order],
                "output": self.output.weight.numpy().T,
                "bias": self.output.bias.numpy(),
            }
        return ByteLstm(Weights(**{name: np.ascontiguousarray(a, dtype=np.float16) for name, a in made.items()}))


def fit_lstm(
    texts: Sequence[str],
    held: Sequence[str],
    schedule: LstmSchedule,
    *,
    seed: int,
    heard: Callable[[int, int, float], bool] = lambda done, total, bits: False,
) -> ByteLstm:
    """Learn from ``texts``: warm-up over a twentieth of the updates, then a cosine to zero.

    Args:
        held: texts that are only scored; the weights that were best on them stay.
        heard: called with the updates done, all of them, and the bits per symbol of ``held`` when last scored; says
            whether the time is over.

    Raises:
        DataError: there is nothing to learn from, or a width that is not allowed.
        StepFailed: the loss became infinite or NaN.
    """
    if not 1 <= schedule.width <= WIDEST:
        raise DataError(f"An LSTM {schedule.width} wide cannot be learned.", allowed=f"1 to {WIDEST}")
    if not any(texts):
        raise DataError("There is no text to learn from.", allowed="at least one text that is not empty")
    rows, checked = rows_of(texts), _first(rows_of(held), HELD)
    # Steps are so short that a second thread gains little, and costs several times as much where others compute too.
    with using_threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Net(schedule.width)
        optimizer = torch.optim.Adam(net.parameters(), lr=schedule.rate, betas=(0.9, 0.99), fused=True)
        total = schedule.epochs * sum(
            stretches(batch) for batch in batches(rows, schedule.rows, np.random.default_rng(0))
        )
        best, kept = bits_of(net, checked), {name: t.clone() for name, t in net.state_dict().items()}
        missed, last = 0, best
        for done, loss in enumerate(_learned(net, optimizer, rows, schedule, total, seed), 1):
            if not math.isfinite(loss):
                raise StepFailed(f"The loss became {loss} at update {done} of {total}.")
            over = heard(done, total, last)
            if checked and (over or done * CHECKS // total > (done - 1) * CHECKS // total or done == total):
                last = bits_of(net, checked)
                missed = 0 if last < best else missed + 1
                if last < best:
                    best, kept = last, {name: t.clone() for name, t in net.state_dict().items()}
            if over or missed == 2:
                break
        if checked:
            net.load_state_dict(kept)
    return net.exported()


def _learned(
    net: Net, optimizer: torch.optim.Optimizer, rows: Sequence[Row], schedule: LstmSchedule, total: int, seed: int
) -> Iterator[float]:
    """Loss of each update, in nats per symbol, after it was made."""
    drawn, warm, done = np.random.default_rng(seed), max(total // 20, 1), 0
    for _ in range(schedule.epochs):
        for batch in _shuffled(list(batches(rows, schedule.rows, drawn)), drawn):
            (inputs, targets), state = padded(batch), None
            for begin in range(0, inputs.shape[1], ALONG):
                rate = min((done + 1) / warm, 0.5 * (1 + math.cos(math.pi * max(done - warm, 0) / (total - warm or 1))))
                for group in optimizer.param_groups:
                    group["lr"] = schedule.rate * rate
                here = slice(begin, begin + ALONG)
                hidden, state = net.lstm(net.embedding(inputs[:, here]), state)
                wanted = targets[:, here] != IGNORED
                loss = cross_entropy(net.output(hidden[wanted]), targets[:, here][wanted])
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), CLIP)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                state = (state[0].detach(), state[1].detach())
                done += 1
                yield float(loss.detach())


def bits_of(net: Net, rows: Sequence[Row]) -> float:
    """Bits per symbol of rows, without training; 0 without rows."""
    nats, count = 0.0, 0
    with torch.inference_mode():
        for batch in batches(rows, 32, np.random.default_rng(0)):
            (inputs, targets), state = padded(batch), None
            for begin in range(0, inputs.shape[1], ALONG):
                here = slice(begin, begin + ALONG)
                hidden, state = net.lstm(net.embedding(inputs[:, here]), state)
                wanted = targets[:, here] != IGNORED
                nats += float(cross_entropy(net.output(hidden[wanted]), targets[:, here][wanted], reduction="sum"))
                count += int(wanted.sum())
    return nats / max(count, 1) / math.log(2.0)


def rows_of(texts: Sequence[str]) -> list[Row]:
    """Texts between boundaries, as symbols; longer ones in pieces whose last symbol begins the next one."""
    found = []
    for text in texts:
        symbols = np.array([BOUNDARY, *symbols_of(text), BOUNDARY], np.int64)
        found += [symbols[begin : begin + LONGEST + 1] for begin in range(0, len(symbols) - 1, LONGEST)]
    return found


def batches(rows: Sequence[Row], together: int, drawn: np.random.Generator) -> Iterator[list[Row]]:
    """Rows of similar length, ``together`` at a time; more when they are shorter than a stretch."""
    batch: list[Row] = []
    for number in sorted(drawn.permutation(len(rows)).tolist(), key=lambda number: len(rows[number])):
        room = together * ALONG // min(max(len(rows[number]) - 1, LEAST), ALONG)
        if len(batch) >= room:
            yield batch
            batch = []
        batch.append(rows[number])
    if batch:
        yield batch


def stretches(batch: Sequence[Row]) -> int:
    """Updates that a batch is worth."""
    return math.ceil((max(map(len, batch)) - 1) / ALONG)


def padded(batch: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
    """Symbols, and those that follow them: [rows, symbols] each. Behind a row's end nothing is learned."""
    longest = max(map(len, batch)) - 1
    inputs = torch.full((len(batch), longest), BOUNDARY)
    targets = torch.full((len(batch), longest), IGNORED)
    for number, row in enumerate(batch):
        inputs[number, : len(row) - 1] = torch.from_numpy(row[:-1])
        targets[number, : len(row) - 1] = torch.from_numpy(row[1:])
    return inputs, targets


def _shuffled(found: list[list[Row]], drawn: np.random.Generator) -> list[list[Row]]:
    return [found[number] for number in drawn.permutation(len(found)).tolist()]


def _first(rows: Sequence[Row], most: int) -> list[Row]:
    """The first rows that have ``most`` symbols together, at least one."""
    counts = np.cumsum([0, *(len(row) for row in rows)])
    return [row for row, before in zip(rows, counts, strict=False) if before < most]
