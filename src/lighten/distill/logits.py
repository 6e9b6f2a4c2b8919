"""Train back on the original's logits: what it answers, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.loop import fit
from lighten.nets.network import Network
from lighten.nets.schedule import Schedule


@dataclass(frozen=True)
class LogitDistillation(Step):
    """The smaller network learns the original's logits by squared error, mixed with the labels' loss."""

    consumes: ClassVar[tuple[str, ...]] = ("hf",)
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune", "teacher"})
    extra: ClassVar[str] = "train"

    epochs: int = setting(3, "Passes over the training rows.", low=1, high=100)
    learning_rate: float = setting(
        1e-4, "Peak rate for a network 384 wide; scaled by 384 / width.", low=1e-7, high=1e-1
    )
    batch_rows: int = setting(32, "Rows per update.", unit="rows", low=1, high=1024)
    alpha: float = setting(0.1, "Weight of the labels; the teacher has the rest.", unit="fraction", low=0.0, high=1.0)

    def run(self, model: Network, needs: Needs) -> Network:
        """Train in place; the best weights seen on ``tune`` stay.

        Raises:
            StepFailed: the teacher has other classes, or the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None or needs.teacher is None:
            raise StepFailed("Distilling needs a teacher and rows to train and to tune on.")
        answers = torch.from_numpy(np.asarray(needs.teacher.logits(needs.train), dtype=np.float32))
        if answers.shape != (len(needs.train), len(model.labels)):
            raise StepFailed(
                f"The teacher answers {list(answers.shape)} for {len(needs.train)} rows.",
                allowed=f"[{len(needs.train)}, {len(model.labels)}], one logit per class of the student",
            )
        targets, task, alpha = torch.tensor(needs.train.targets), needs.task, self.alpha

        def loss(logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
            mixed: torch.Tensor = (1 - alpha) * task.distance(logits, answers[rows])
            return mixed + alpha * task.loss(logits, targets[rows]) if alpha else mixed

        schedule = Schedule(epochs=self.epochs, learning_rate=self.learning_rate, batch_rows=self.batch_rows)
        fit(
            model,
            needs.train,
            needs.tune,
            task,
            loss,
            schedule,
            seed=needs.seed,
            threads=needs.threads,
            watch=needs.watch,
        )
        return model
