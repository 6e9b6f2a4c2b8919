"""Rows: train a network that answers each item with a row of numbers, on rows of which each has something right.

Rows are learned from as the reader reads them for that (texts cut to ``LEARNT`` tokens); what is judged is whole. What
costs time and changes nothing is left out: batches of one length (little padding, often no mask), what a family need
not compute for its answers, lazy embeddings, no dropout unless asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lighten.core.errors import DataError, StepFailed
from lighten.core.item import brief
from lighten.core.reader import AUTO, CHANCES, OFF
from lighten.core.rows import Rows
from lighten.core.step import Needs, Watch
from lighten.core.task import Task
from lighten.nets.forward import casting, logits, logits_of, run, tensors
from lighten.nets.network import Network
from lighten.nets.training.attack import attack_on
from lighten.nets.training.dropout import dropout
from lighten.nets.training.examples import Examples
from lighten.nets.training.learning import EMBEDDINGS, LearningPart, quick
from lighten.nets.training.lesson import Lesson, Loss, taught_loss
from lighten.nets.training.loop import train
from lighten.nets.training.optimizer import WIDTH, Descent, matrices_of, width_of
from lighten.nets.training.order import chances, drawn
from lighten.nets.training.precision import autocast_dtype
from lighten.nets.training.prefix import PrefixCache, no_room
from lighten.nets.training.prefix_rows import RowsPrefix
from lighten.nets.training.schedule import BEST, LAST, Hyperparameters, Schedule, Score, Trained
from lighten.nets.training.trainable import Batch, Trainable

SHOWN = 60
"""Characters of an item that are shown."""


class RowsTraining(Trainable):
    """A network beside rows with an answer each.

    ``tune`` is judged after every epoch (every half epoch when there are at most three), on at most a tenth as many
    rows as there are to train on, but 500 if it has them. A network that has a trained head is judged before, too:
    where the best are kept, training never leaves it worse on ``tune`` than it was.

    Args:
        loss: what is learned of a batch; None for the task's own loss against the rows' targets.
        augment: variations of the reader that examples are learned in, in another one in each pass.
        harden: how far inputs are moved against the network, a share: half of what is learned is learned from these.
        precision: ``fp32``, ``bf16``, or ``auto`` for what computes faster here.
        seed: of changes of low rank.
        among: processes on this machine that share what memory is left for examples.

    Raises:
        DataError: no rows, or a target that the network has no class for. InputError: see :class:`LearningPart`.
    """

    def __init__(
        self,
        network: Network,
        rows: Rows,
        tune: Rows,
        task: Task,
        schedule: Schedule,
        *,
        threads: int,
        loss: Loss | None = None,
        precision: str = "auto",
        augment: Sequence[str] = (),
        harden: float = 0.0,
        seed: int = 0,
        among: int = 1,
    ) -> None:
        _check(network, rows, tune)
        self.network, self.task, self.schedule = network, task, schedule
        self.net, self.threads, self.rows = network.net, threads, rows
        self.headed = network.has_head
        self.loss = loss or labels_loss(rows, task, schedule.label_smoothing)
        self.tune = _sample(tune, len(rows), task.together)
        self.judged = len(self.tune)
        self._items = rows.inputs
        self.examples = Examples(network.reader.for_learning(), rows.inputs, among=among)
        self.answers = Examples(network.reader, self.tune.inputs, among=among)
        self._precision, self.augment = precision, tuple(augment)
        self.attack = attack_on(network, harden)
        self._prefixes: tuple[RowsPrefix, ...] = ()
        self.seed = seed
        self.part: LearningPart = learning_part(network, schedule.freeze, schedule.rank, seed)
        # A batch norm has nothing to say of a row alone.
        self.least = 2 if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.net.modules()) else 1
        if len(rows) < self.least:
            raise DataError(
                "There is one row to train on, and a row alone says nothing to the norms of batches of this network.",
                allowed="2 rows or more",
            )

    @property
    def judged_first(self) -> bool:
        """A head that was never trained has nothing to be judged for."""
        return self.headed

    def again(self, asked: Hyperparameters) -> RowsTraining:
        """See :meth:`Trainable.again`: the examples are those that were read."""
        other = copy(self)
        other.ask(replace(asked, from_scratch=self.hyperparameters.from_scratch))
        return other

    def ask(self, asked: Hyperparameters) -> None:
        """Be trained as a user asks."""
        self.schedule = schedule_of(self.network, asked)
        self.loss = labels_loss(self.rows, self.task, asked.label_smoothing)
        if asked.lesson:
            lesson = Lesson.read(Path(asked.lesson)).of_rows(len(self.rows))
            self.loss = taught_loss(self.rows, self.task, lesson, self.loss)
        self.part = learning_part(self.network, self.schedule.freeze, self.schedule.rank, self.seed)
        matrices_of(self.network.blocks, asked.optimizer)  # refused before anything is learned
        self._precision = asked.precision
        self.settle(asked, self.batch)

    @property
    def extra(self) -> dict[str, Any]:
        """See :meth:`Trainable.extra`."""
        found: dict[str, Any] = {"augment": ", ".join(self.augment)} if self.augment else {}
        return found | ({"harden": self.attack.radius} if self.attack is not None else {})

    def batches(self, epoch: int, seed: int) -> list[list[int]]:
        """Rows of similar length together, shuffled; see :meth:`Trainable.batches`.

        Until it is asked for another pass, examples are varied as they are in this one.
        """
        if self.augment:
            self._chances = chances(seed, epoch, len(self.examples), CHANCES)
        found = self.examples.batches(self.schedule.batch_rows, drawn(seed, epoch), self.task.together)
        return [batch for batch in found if len(batch) >= self.least]

    def size(self, batch: Batch) -> int:
        """Rows."""
        return len(batch)

    def planned(self) -> int:
        """Rows, repeats counted, but for those of a pass that are too few for a batch."""
        learned = len(self.examples)
        if self.least > 1:
            batches = self.examples.batches(self.schedule.batch_rows, drawn(self.seed, 0), self.task.together)
            learned = sum(len(batch) for batch in batches if len(batch) >= self.least)
        return round(self.schedule.epochs * learned)

    def backward(self, batch: Batch, weight: float) -> float:
        """See :meth:`Trainable.backward`."""
        share = weight if self.attack is None else weight / 2
        found: list[Tensor] = []
        for mean in self._losses(batch):
            (mean if share == 1.0 else mean * share).backward()
            found.append(mean.detach())
        return float(sum(found) / len(found))

    def _losses(self, batch: Batch) -> Iterator[Tensor]:
        """The mean loss of a batch: from what frozen blocks put out, or from its inputs; after that from moved ones,
        once the gradients of the first are there: so the memory holds one of them."""
        if self._prefixes:
            with self._computing():
                mean = self.loss(self._prefixes[0].answers(batch), batch)
            yield mean
            return
        arrays = tensors(self.network.reader.batch(self.varied(batch)))
        with self._computing():
            mean = self.loss(self.network.outputs(arrays), batch)
        yield mean
        if self.attack is not None:
            del mean
            with self._computing():
                outputs = self.attack.outputs(self.network, arrays, lambda outputs: self.loss(outputs, batch))
                mean = self.loss(outputs, batch)
            yield mean

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with casting(self.dtype), self.network.shortcut():
            yield

    def varied(self, batch: Batch) -> list[Any]:
        """The examples of some rows, as they are learned from in this pass."""
        found = self.examples.take(batch)
        if not self.augment:
            return found
        return self.network.reader.vary(found, self.augment, self._chances[list(batch)])

    def computed(self, batch: Batch) -> Tensor:
        """See :meth:`Trainable.computed`."""
        with self._computing():
            if self._prefixes:
                return self._prefixes[0].answers(batch)
            return self.network.outputs(tensors(self.network.reader.batch(self.examples.take(batch))))

    def item(self, row: int) -> str:
        """The beginning of the text, or the file and its folder."""
        return brief(self._items[row])[:SHOWN]

    def extent(self, row: int) -> int:
        """Tokens, of what is padded."""
        kept = self.examples.kept
        return self.network.reader.size(kept[row]) if kept is not None and self.network.reader.pads else 1

    def judge(self) -> Score:
        """Share of rows that are right, and the task's loss on them."""
        examples = self.answers.kept
        if self._prefixes:
            outputs = self._prefixes[1].logits()
        elif examples is None:
            outputs = logits(self.network, self.tune.inputs, self.threads, dtype=self.dtype)
        else:
            outputs = logits_of(self.network, examples, self.threads, dtype=self.dtype)
        right = float(np.mean(np.asarray(self.task.right(outputs, self.tune), dtype=np.float64)))
        return Score(right, float(self.task.loss(torch.from_numpy(outputs), torch.tensor(self.tune.targets))))

    def interval(self, end: int) -> float:
        """An epoch, or half of one."""
        return len(self.examples) / (2 if self.schedule.epochs <= 3 else 1)

    def optimizer(self) -> Descent:
        """AdamW, and lazy Adam for the words."""
        schedule = self.schedule
        return Descent(
            self.net,
            schedule.learning_rate,
            schedule.weight_decay,
            schedule.clip,
            matrices=matrices_of(self.network.blocks, schedule.optimizer),
        )

    def choose_precision(self, threads: int) -> None:
        """What was asked for, or what the clock says."""
        self.dtype = autocast_dtype(
            self.net,
            threads,
            lambda rows: run(self.network, self.examples.take(range(rows))),
            min(self.schedule.batch_rows, len(self.examples)),
            self._precision,
        )

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """In training mode, with the schedule's dropout; what is frozen is still."""
        training = self.net.training
        with dropout(self.net, self.schedule.dropout), self.part.prepared():
            self.net.train()
            try:
                yield
            finally:
                self._prefixes = ()
                self.net.train(training)

    def keep_prefix(self, decided: bool | None = None, seconds: float = math.inf, among: int = 1) -> bool:
        """See :meth:`Trainable.keep_prefix`. A single pass computes each row once by itself, and varied rows differ."""
        self._prefixes = ()
        moved = self.augment or self.attack is not None
        if decided is False or moved or not self.part.frozen:
            return False
        cache = self.cache or PrefixCache()
        found = (
            RowsPrefix(self.network, self.part, self.examples, self._items, self.threads, self.dtype),
            RowsPrefix(self.network, self.part, self.answers, self.tune.inputs, self.threads, self.dtype),
        )
        if decided is None and self.schedule.epochs <= 1 and not all(cache.knows(one.key) for one in found):
            return False
        if all(one.fill(cache, seconds, sure=bool(decided), among=among) for one in found):
            self._prefixes = found
        elif decided:
            raise no_room(cache.folder)
        return bool(self._prefixes)

    def finished(self) -> None:
        """Its head is trained now."""
        self.network.has_head = True


USUAL, FRESH, MOST = 3.0, 20.0, 5.0
"""Passes over weights that have learned, and over random ones; and how many times more where time bounds them."""
RATE, FRESH_RATE = 1e-4, 1e-3
"""Peak learning rates of a network 384 wide, of weights that have learned and of random ones."""


def of_needs(network: Network, needs: Needs, asked: Hyperparameters) -> RowsTraining:
    """A network beside the training rows of a task, trained as a user asked.

    Raises:
        StepFailed: there are no rows to train or to tune on. DataError: see :class:`RowsTraining`.
    """
    if needs.train is None or needs.tune is None:
        raise StepFailed("Training needs rows to train and to tune on.")
    still = asked.freeze not in ("", EMBEDDINGS)  # what blocks make of a row is computed once, unless it is varied
    work = RowsTraining(
        network, needs.train, needs.tune, needs.task, Schedule(), threads=needs.threads,
        augment=network.reader.augmented(OFF if still and asked.augment == AUTO else asked.augment),
        harden=asked.harden, seed=needs.seed, among=asked.workers,
    )  # fmt: skip
    work.ask(asked)
    return work


def schedule_of(network: Network, asked: Hyperparameters) -> Schedule:
    """How a network is trained as it is asked, and as suits it where nothing is."""
    rate = FRESH_RATE if asked.from_scratch else RATE * quick(asked.freeze, asked.lora)
    decay = 0.05 if asked.from_scratch else 0.01
    return Schedule(
        epochs=asked.passes(USUAL, FRESH, MOST),
        learning_rate=rate if asked.learning_rate is None else asked.learning_rate * width_of(network.net) / WIDTH,
        batch_rows=asked.together(128 if asked.from_scratch else 32),
        weight_decay=decay if asked.weight_decay is None else asked.weight_decay,
        dropout=asked.dropout,
        label_smoothing=asked.label_smoothing,
        freeze=asked.freeze,
        rank=asked.lora,
        optimizer=asked.optimizer,
        keep=BEST if asked.holds_out else LAST,
        holds_out=asked.holds_out,
    )


def learning_part(network: Network, freeze: str, rank: int, seed: int) -> LearningPart:
    """What of a network learns; of changes of low rank, beside its head.

    Raises:
        InputError: see :class:`LearningPart`.
    """

    def ask() -> Tensor:
        return run(network, network.reader.probe()[:1])

    return LearningPart(network.net, network.blocks, ask, freeze=freeze, rank=rank, seed=seed)


def fit(
    network: Network,
    rows: Rows,
    tune: Rows,
    task: Task,
    loss: Loss | None,
    schedule: Schedule,
    *,
    seed: int,
    threads: int,
    watch: Watch,
) -> Trained:
    """Train ``network`` in place on ``rows``; see :class:`RowsTraining` and :func:`loop.train`."""
    work = RowsTraining(network, rows, tune, task, schedule, threads=threads, loss=loss, seed=seed)
    return train(work, seed=seed, threads=threads, watch=watch)


def labels_loss(rows: Rows, task: Task, smoothing: float = 0.0) -> Loss:
    """The task's loss against what is right in the rows, of which ``smoothing`` is spread over all classes."""
    targets = torch.tensor(rows.targets)

    def loss(outputs: Tensor, batch: Sequence[int]) -> Tensor:
        own: Tensor = task.loss(outputs, targets[list(batch)])
        if not smoothing:
            return own
        return (1.0 - smoothing) * own + smoothing * task.evenly(outputs, targets[list(batch)])

    return loss


def _check(network: Network, rows: Rows, tune: Rows) -> None:
    if not len(rows) or not len(tune):
        raise DataError("There are no rows to train on." if not len(rows) else "There are no rows to tune on.")
    highest = max(*rows.targets, *tune.targets)
    if network.labels and highest >= len(network.labels):
        raise DataError(
            f"A row has class {highest}; the network has {len(network.labels)} classes: {', '.join(network.labels)}.",
            allowed=f"0 to {len(network.labels) - 1}",
        )


def _sample(tune: Rows, trained: int, together: int) -> Rows:
    """Evenly spaced rows of ``tune``, few enough that judging costs a small part of training; so many side by side."""
    count, sets = min(len(tune), max(500, trained // 10)) // together, len(tune) // together
    return tune.take([i * sets // count * together + n for i in range(count) for n in range(together)])
