"""Trainable: what the training loop needs of a live network and its rows, and nothing more."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from lighten.nets.training.kept import tensors_of
from lighten.nets.training.learning import LearningPart
from lighten.nets.training.optimizer import WIDTH, Descent, embedding_block, width_of
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.schedule import Hyperparameters, Schedule, Score

Batch = Sequence[int]
"""Numbers of the rows that one update learns from."""


class Trainable(ABC):
    """A network beside the rows that it learns from and those that it is judged by. The loop knows nothing else of it.

    Attributes:
        net: the module. schedule: how it is trained. dtype: what autocast computes in; None for float32.
        part: what of the network learns; None where all of it does.
        cache: where what frozen blocks put out is kept; trials that share one compute it once.
        judged: rows that it is judged by, or windows of text.
        least: rows that it can learn from at once, at the least.
        hyperparameters: what was asked of one that a format made, and what suits the network where nothing was.
        raced: whether a watch is told how good it is while it learns.
    """

    noun: ClassVar[str] = "rows"
    """What :meth:`size` counts."""
    measure: ClassVar[str] = "accuracy"
    """Quantity that :meth:`judge` gives as its quality."""
    shares: ClassVar[bool] = True
    """Whether that is a share of rows."""

    net: nn.Module
    schedule: Schedule
    hyperparameters: Hyperparameters
    raced: bool = True
    dtype: torch.dtype | None = None
    part: LearningPart | None = None
    cache: PrefixCache | None = None
    judged: int
    least: int = 1

    @property
    def peak(self) -> float:
        """The peak learning rate, as the optimizer has it."""
        return self.schedule.learning_rate * WIDTH / width_of(self.net)

    @property
    def batch(self) -> int:
        """How much an update learns from, about, in what :meth:`size` counts."""
        return self.schedule.batch_rows

    @property
    def extra(self) -> dict[str, Any]:
        """What is worth knowing of how it learns beside its schedule, as plain values by the name of the setting."""
        return {}

    @property
    def judged_first(self) -> bool:
        """Whether it is judged before it has learned anything."""
        return True

    @abstractmethod
    def again(self, asked: Hyperparameters) -> Self:
        """The same network beside the same rows, to be trained otherwise.

        Rows that were read are taken over; the precision is chosen anew, unless ``asked`` says it. The weights stay as
        they are: who wants another beginning puts them back.
        """

    def settle(self, asked: Hyperparameters, batch_rows: int) -> None:
        """Write down what was asked, and what the schedule has where nothing was."""
        schedule = self.schedule
        self.hyperparameters = replace(
            asked,
            epochs=schedule.epochs,
            learning_rate=self.peak,
            batch_rows=batch_rows // asked.workers,
            weight_decay=schedule.weight_decay,
        )

    def tunable(self) -> frozenset[str]:
        """Names of the hyperparameters that change what this network learns."""
        found = {"epochs", "learning_rate", "batch_rows", "weight_decay", "label_smoothing"}
        found |= {"dropout"} if any(isinstance(one, nn.Dropout) for one in self.net.modules()) else set()
        found |= {"freeze"} if any(True for _ in embedding_block(self.net).parameters()) else set()
        return frozenset(found)

    @abstractmethod
    def batches(self, epoch: int, seed: int) -> list[list[int]]:
        """The batches of one pass in the order in which they are learned; nothing but the arguments decides it."""

    @abstractmethod
    def size(self, batch: Batch) -> int:
        """How much there is to learn from a batch: what its mean loss is a mean of."""

    @abstractmethod
    def planned(self) -> int:
        """The sizes of all batches of the schedule together."""

    @abstractmethod
    def backward(self, batch: Batch, weight: float) -> float:
        """Add the gradients of ``weight`` times the mean loss of a batch; gives the mean loss itself."""

    def computed(self, batch: Batch) -> Tensor | None:
        """What is computed of a batch before its loss, with all that its gradients take; None where nobody can say."""
        return None

    def extent(self, row: int) -> int:
        """How much there is to compute of a row, beside the others: its length, where rows have several."""
        return 1

    @abstractmethod
    def judge(self) -> Score:
        """How good the network is on ``tune``, whole."""

    @abstractmethod
    def interval(self, end: int) -> float:
        """How much is learned between two evaluations. end: how much is learned in all."""

    @abstractmethod
    def optimizer(self) -> Descent:
        """A new optimizer of all that learns."""

    def choose_precision(self, threads: int) -> None:
        """Set ``dtype`` to what computes faster here."""
        return

    def keep_prefix(self, decided: bool | None = None, seconds: float = math.inf, among: int = 1) -> bool:
        """Compute once what no update changes, the precision being chosen; whether batches begin from there.

        Args:
            decided: what an earlier sitting of this training found, which holds; None where it is open.
            seconds: that computing it may take; where it would take more, it is left.
            among: processes on this machine that keep it, each for itself.

        Raises:
            RunFolderError: it was kept, and now there is no room for it.
        """
        return False

    def weights(self) -> dict[str, Tensor]:
        """All that training changes, by name, each once: the live tensors.

        Of what does not learn there is nothing, nor of what stays in eval mode and counts nothing.
        """
        still = {name for name, one in self.net.named_parameters(remove_duplicate=False) if not one.requires_grad}
        still |= {
            f"{path}.{name}" if path else name
            for path, module in self.net.named_modules(remove_duplicate=False)
            if not module.training
            for name in module._buffers
        }
        return tensors_of(self.net, still)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Inside, the network is set up to learn; afterwards it is as it was, but for its weights."""
        yield

    def sources(self, batch: Batch) -> list[int]:
        """Numbers of the rows of the training part that a batch comes from."""
        return list(batch)

    def item(self, row: int) -> str:
        """What a row of the training part is called, in a few words; empty where nobody knows."""
        return ""

    def told(self, score: Score) -> str:
        """A score in a few words."""
        return f"tune {score.quality:.1%}"

    def finished(self) -> None:
        """The kept weights are in the network."""
        return
