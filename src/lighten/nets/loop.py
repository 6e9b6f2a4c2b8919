"""Loop: train a network on rows with any loss, in the time there is, and leave it with the best weights seen.

Everything that costs time and changes nothing is left out: batches of one length (little padding, often no mask), the last
layer at the first position only, lazy embeddings, no dropout unless asked for.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from lighten.core.errors import DataError, StepFailed
from lighten.core.step import Watch
from lighten.core.task import Rows, Task
from lighten.data.buckets import batches_by_length
from lighten.nets.first_token import answering_from_first_token
from lighten.nets.forward import casting, logits_of_ids, run
from lighten.nets.network import Network
from lighten.nets.optimizer import Descent
from lighten.nets.precision import autocast_dtype, using_threads

Loss = Callable[[Tensor, Sequence[int]], Tensor]
"""Logits [batch, classes] and the batch's row numbers to the mean loss."""

REPORT_EVERY = 1.0
"""Seconds between two reports of progress."""

SPARE = 0.95
"""Share of the time left that training plans to use."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to train.

    Attributes:
        epochs: passes over the rows.
        learning_rate: peak, for a network 384 wide (see ``optimizer.WIDTH``).
        batch_rows: rows per update.
        weight_decay: of matrices.
        warmup: share of the training in which the rate rises; then it falls linearly to 0.
        clip: largest gradient norm.
        dropout: rate of every dropout in the network while it trains.
        freeze_embeddings: leave the embedding block as it is.
        patience: evaluations in a row without a better one before it stops.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    batch_rows: int = 32
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    dropout: float = 0.0
    freeze_embeddings: bool = False
    patience: int = 4


@dataclass
class Trained:
    """What became of a training.

    Attributes:
        rows: rows that were learned from, repeats counted.
        seconds: spent in updates, evaluations left out.
        points: after which fraction of the training, accuracy and loss on ``tune``.
        best: accuracy and minus loss of the weights that were kept.
    """

    rows: int = 0
    seconds: float = 0.0
    points: list[tuple[float, float, float]] = field(default_factory=list)
    best: tuple[float, float] = (-math.inf, -math.inf)

    @property
    def rows_per_second(self) -> float:
        """Training speed."""
        return self.rows / self.seconds if self.seconds else 0.0


def fit(
    network: Network,
    train: Rows,
    tune: Rows,
    task: Task,
    loss: Loss,
    schedule: Schedule,
    *,
    seed: int,
    threads: int,
    watch: Watch,
) -> Trained:
    """Train ``network`` in place; the weights that did best on ``tune`` (accuracy, then loss) are kept.

    ``tune`` is judged after every epoch (every half epoch when there are at most three), on at most a tenth as many rows as
    there are to train on, but 500 if it has them. A network that has a trained head is judged before, too: training never
    leaves it worse on ``tune`` than it was. The number of updates follows the time that ``watch`` leaves.

    Raises:
        DataError: no rows, or a target that the network has no class for.
        StepFailed: the loss became infinite or NaN.
        StoppedEarly: ``watch`` says that it cannot win.
    """
    _check(network, train, tune)
    with ExitStack() as stack:
        stack.enter_context(using_threads(threads))
        stack.enter_context(_dropout(network.net, schedule.dropout))
        stack.callback(network.net.train, network.net.training)
        stack.enter_context(torch.random.fork_rng(devices=[]))
        torch.manual_seed(seed)
        training = _Training(network, train, _sample(tune, len(train)), task, loss, schedule, seed, threads, watch)
        stack.callback(training.descent.close)
        return training.run()


class _Training:
    """State of one call of :func:`fit`."""

    def __init__(
        self,
        network: Network,
        train: Rows,
        tune: Rows,
        task: Task,
        loss: Loss,
        schedule: Schedule,
        seed: int,
        threads: int,
        watch: Watch,
    ) -> None:
        self.network, self.tune, self.task, self.loss = network, tune, task, loss
        self.schedule, self.watch, self.threads = schedule, watch, threads
        self.ids, self.tune_ids = network.encoder(train.inputs), network.encoder(tune.inputs)
        self.order = random.Random(seed)
        self.dtype = autocast_dtype(network.net, threads)
        self.descent = Descent(
            network.net,
            schedule.learning_rate,
            schedule.weight_decay,
            schedule.clip,
            freeze_embeddings=schedule.freeze_embeddings,
        )
        self.planned = schedule.epochs * len(train)
        self.end = self.planned
        self.interval = len(train) / (2 if schedule.epochs <= 3 else 1)
        self.judge_seconds = 0.0
        self.share = 0.0
        self.idle = 0
        self.kept: dict[str, Tensor] = {}
        self.result = Trained()
        self.first = (0, 0.0)
        self.reported = -math.inf

    def run(self) -> Trained:
        """Train until the plan, the time or the patience ends."""
        if self.network.has_head:
            self._judge(0.0)
        due = self.interval
        for batch in self._batches():
            self._report()
            self._update(batch)
            self._replan()
            if self.result.rows >= due and self.result.rows < self.end:
                self._judge(self.result.rows / self.end)
                due += self.interval
                if self.idle >= self.schedule.patience:
                    break
        else:
            self._judge(1.0)
        self.network.net.load_state_dict(self.kept)
        self.network.has_head = True
        return self.result

    def _batches(self) -> Iterator[list[int]]:
        lengths = [len(i) for i in self.ids]
        for _ in range(self.schedule.epochs):
            for batch in batches_by_length(lengths, self.schedule.batch_rows, shuffle=self.order):
                if self.result.rows >= self.end:
                    return
                yield batch

    def _update(self, batch: list[int]) -> None:
        start, net = time.perf_counter(), self.network.net
        rise = self.schedule.warmup * self.end
        done = self.result.rows + len(batch)
        if done < rise:
            self.share = done / rise
        elif self.share == 0.0 or self.result.rows < rise:
            self.share = 1.0
        net.train()
        with casting(self.dtype), answering_from_first_token(net):
            logits = run(net, [self.ids[i] for i in batch], self.network.encoder.pad_id)
        value = self.loss(logits, batch)
        value.backward()
        norm = self.descent.step(self.share)
        if not math.isfinite(norm) or not math.isfinite(float(value)):
            raise StepFailed(
                f"The training came apart after {self.result.rows:,} rows: loss {float(value)}, gradient norm {norm}.",
                fix="lower learning_rate",
            )
        left = max(self.end - self.result.rows, 1)
        if done >= rise:
            self.share *= max(left - len(batch), 0) / left  # a straight line to 0 at the end, wherever the end moves
        self.result.rows = done
        self.result.seconds += time.perf_counter() - start
        if not self.first[0]:
            self.first = (done, self.result.seconds)  # the first update also fills caches; rates leave it out

    def _replan(self) -> None:
        """Move the end to what the time left allows, counting the evaluations to come."""
        left = self.watch.seconds_left()
        if math.isinf(left):
            return
        rows, seconds = self.result.rows - self.first[0], self.result.seconds - self.first[1]
        if not rows:
            rows, seconds = self.result.rows, self.result.seconds
        per_row = seconds / rows + self.judge_seconds / self.interval
        affordable = int((left * SPARE - self.judge_seconds) / per_row)
        self.end = min(self.planned, self.result.rows + max(affordable, 0))

    def _judge(self, fraction: float) -> None:
        """Judge the weights on ``tune`` and keep them when they are the best so far."""
        start = time.perf_counter()
        outputs = logits_of_ids(self.network, self.tune_ids, self.threads, dtype=self.dtype)
        accuracy = float(np.mean(np.asarray(self.task.right(outputs, self.tune), dtype=np.float64)))
        value = float(self.task.loss(torch.from_numpy(outputs), torch.tensor(self.tune.targets)))
        self.idle += 1
        if (accuracy, -value) > self.result.best:
            self.idle, self.result.best = 0, (accuracy, -value)
            self.kept = {name: tensor.clone() for name, tensor in self.network.net.state_dict().items()}
        self.result.points.append((fraction, accuracy, value))
        self.judge_seconds = time.perf_counter() - start
        self.watch.score(fraction, accuracy)

    def _report(self) -> None:
        now = time.perf_counter()
        if now - self.reported < REPORT_EVERY:
            return
        self.reported = now
        epoch = min(self.result.rows // len(self.ids) + 1, self.schedule.epochs)
        message = f"epoch {epoch}/{self.schedule.epochs}, {self.result.rows_per_second:.0f} rows/s"
        if self.result.points:
            message += f", tune {self.result.points[-1][1]:.1%}"
        self.watch.progress(self.result.rows, self.end, message)


def _check(network: Network, train: Rows, tune: Rows) -> None:
    if not len(train) or not len(tune):
        raise DataError("There are no rows to train on." if not len(train) else "There are no rows to tune on.")
    highest = max(*train.targets, *tune.targets)
    if highest >= len(network.labels):
        raise DataError(
            f"A row has class {highest}; the network has {len(network.labels)} classes: {', '.join(network.labels)}.",
            allowed=f"0 to {len(network.labels) - 1}",
        )


def _sample(tune: Rows, trained: int) -> Rows:
    """Evenly spaced rows of ``tune``, few enough that judging costs a small part of training."""
    count = min(len(tune), max(500, trained // 10))
    return tune.take([i * len(tune) // count for i in range(count)])


@contextmanager
def _dropout(net: nn.Module, rate: float) -> Iterator[None]:
    """Set every dropout of ``net`` to ``rate`` inside."""
    before = [(m, m.p) for m in net.modules() if isinstance(m, nn.Dropout)]
    for module, _ in before:
        module.p = rate
    try:
        yield
    finally:
        for module, rate_before in before:
            module.p = rate_before
