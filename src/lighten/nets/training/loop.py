"""Loop: train a network on rows with any loss, in the time there is, and leave it with the best weights seen.

Rows are learned from as the reader reads them for that (texts cut to ``LEARNT`` tokens); what is judged is whole. What
costs time and changes nothing is left out: batches of one length (little padding, often no mask), what a family need
not compute for its answers, lazy embeddings, no dropout unless asked for.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from lighten.core.errors import DataError, StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Watch
from lighten.core.task import Task
from lighten.nets.forward import casting, logits, logits_of, run
from lighten.nets.network import Network
from lighten.nets.training.examples import Examples
from lighten.nets.training.optimizer import Descent
from lighten.nets.training.precision import autocast_dtype, using_threads
from lighten.nets.training.schedule import Schedule, Trained

Loss = Callable[[Tensor, Sequence[int]], Tensor]
"""Logits [batch, classes] and the batch's row numbers to the mean loss."""

REPORT_EVERY = 1.0
"""Seconds between two reports of progress."""

TIMED = 16
"""Rows that a network is timed on, to choose its precision."""

SPARE = 0.95
"""Share of the time left that training plans to use."""


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
    """Train ``network`` in place; the weights that did best on ``tune`` (accuracy, then loss), or the last, are kept.

    ``tune`` is judged after every epoch (every half epoch when there are at most three), on at most a tenth as many
    rows as there are to train on, but 500 if it has them. A network that has a trained head is judged before, too:
    where the best are kept, training never leaves it worse on ``tune`` than it was. The training ends within the time
    that ``watch`` leaves.

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
        self.learner = network.reader.for_learning()
        self.examples, self.judged = Examples(self.learner, train.inputs), Examples(network.reader, tune.inputs)
        self.order = random.Random(seed)
        self.dtype = autocast_dtype(
            network.net, threads, lambda: run(network, self.examples.take(range(min(TIMED, len(train)))))
        )
        self.descent = Descent(
            network.net,
            schedule.learning_rate,
            schedule.weight_decay,
            schedule.clip,
            freeze_embeddings=schedule.freeze_embeddings,
        )
        # A batch norm has nothing to say of a row alone.
        self.least = 2 if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.net.modules()) else 1
        self.planned = schedule.epochs * len(train)
        self.end = self.planned
        self.interval = len(train) / (2 if schedule.epochs <= 3 else 1)
        self.judge_seconds = 0.0
        self.fall = 1.0
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
        self._report(last=True)
        self.network.net.load_state_dict(self.kept)
        self.network.has_head = True
        return self.result

    def _batches(self) -> Iterator[list[int]]:
        for _ in range(self.schedule.epochs):
            for batch in self.examples.batches(self.schedule.batch_rows, self.order):
                if self.result.rows >= self.end:
                    return
                if len(batch) >= self.least:
                    yield batch

    def _update(self, batch: list[int]) -> None:
        start, net = time.perf_counter(), self.network.net
        done = self.result.rows + len(batch)
        rise = self.schedule.warmup * self.end
        share = min(done / rise, 1.0) if self.result.rows < rise else self.fall
        net.train()
        with casting(self.dtype), self.network.shortcut():
            answers = run(self.network, self.examples.take(batch))
        mean = self.loss(answers, batch)
        mean.backward()
        value, norm = float(mean.detach()), self.descent.step(share)
        if not math.isfinite(norm) or not math.isfinite(value):
            raise StepFailed(
                f"The training came apart after {self.result.rows:,} rows: loss {value}, gradient norm {norm}.",
                fix="lower learning_rate",
            )
        left = self.end - self.result.rows
        if self.result.rows >= rise and left > len(batch):
            self.fall *= (left - len(batch)) / left  # a straight line towards 0 at the end, wherever the end moves
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
        # An answer costs a third of an update; that stands in until an evaluation was timed.
        judging = self.judge_seconds or seconds / rows * len(self.tune) / 3
        affordable = int((left * SPARE - judging) / (seconds / rows + judging / self.interval))
        self.end = min(self.planned, self.result.rows + max(affordable, 0))

    def _judge(self, fraction: float) -> None:
        """Judge the weights on ``tune`` and keep them when they are the best so far."""
        start = time.perf_counter()
        judged = self.judged.kept
        if judged is None:
            outputs = logits(self.network, self.tune.inputs, self.threads, dtype=self.dtype)
        else:
            outputs = logits_of(self.network, judged, self.threads, dtype=self.dtype)
        accuracy = float(np.mean(np.asarray(self.task.right(outputs, self.tune), dtype=np.float64)))
        value = float(self.task.loss(torch.from_numpy(outputs), torch.tensor(self.tune.targets)))
        self.idle += 1
        if self.schedule.keep == "last" or (accuracy, -value) > self.result.best:
            self.idle, self.result.best = 0, (accuracy, -value)
            self.kept = {name: tensor.clone() for name, tensor in self.network.net.state_dict().items()}
        self.result.points.append((fraction, accuracy, value))
        self.judge_seconds = time.perf_counter() - start
        self.watch.score(fraction, accuracy)

    def _report(self, *, last: bool = False) -> None:
        now = time.perf_counter()
        if now - self.reported < REPORT_EVERY and not last:
            return
        self.reported = now
        epoch = min(self.result.rows // len(self.examples) + 1, self.schedule.epochs)
        message = f"epoch {epoch}/{self.schedule.epochs}, {self.result.rows_per_second:.0f} rows/s"
        if self.result.points:
            message += f", tune {self.result.points[-1][1]:.1%}"
        self.watch.progress(self.result.rows, max(self.end, self.result.rows), message)


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
