"""Train back on what the original's layers put out, not on its answers alone: far more to learn from each row.

A teacher that knows its training rows by heart (98.5 % right) says little with its logits there; its hidden states
still say how it reads every token (Jiao et al. 2020, TinyBERT; Xia et al. 2022, CoFi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.encoders.states import apart, recorded
from lighten.nets.encoders.walk import refusal
from lighten.nets.network import Network
from lighten.nets.training.rows import fit
from lighten.nets.training.schedule import Schedule


@dataclass(frozen=True)
class StateDistillation(Step):
    """The smaller network learns the original's hidden states, layer by layer, and its logits."""

    title: ClassVar[tuple[str, str]] = (
        "trained on the original’s inner states, passes: {epochs}",
        "以原模型的内部状态为目标训练 {epochs} 遍",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf",)
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune", "teacher"})
    extra: ClassVar[str] = "train"
    supersedes: ClassVar[tuple[str, ...]] = ("distill.logits",)

    epochs: int = setting(3, "Passes over the training rows.", low=1, high=100)
    learning_rate: float = setting(
        2e-4, "Peak rate for a network 384 wide; scaled by 384 / width.", low=1e-7, high=1e-1
    )
    batch_rows: int = setting(32, "Rows per update.", unit="rows", low=1, high=1024)
    states: float = setting(6.0, "Weight of the hidden states, as a share of the original's own size.", low=0.0)
    logits: float = setting(0.3, "Weight of the logits.", low=0.0)

    def check(self, facts: Any) -> str:
        """Refuses families whose layers cannot be told apart."""
        return refusal(facts, "layers")

    def run(self, model: Network, needs: Needs) -> Network:
        """Train in place; ``tune`` only tells when to give up.

        Raises:
            StepFailed: the teacher has other classes or another width, or the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None or needs.teacher is None:
            raise StepFailed("Distilling needs a teacher and rows to train and to tune on.")
        known = needs.teacher.states(needs.train)
        teacher = known.network
        for what, has, taught in (
            ("numbers in an answer", model.columns, teacher.columns),
            ("hidden units", model.net.config.hidden_size, teacher.net.config.hidden_size),
        ):
            if has != taught:
                raise StepFailed(f"The teacher has {taught} {what}.", allowed=f"{has}, as the student has")
        if known.lengths.tolist() != list(map(model.reader.size, model.reader.for_learning()(needs.train.inputs))):
            raise StepFailed(
                "The student's tokenizer splits the rows differently from the teacher's.",
                fix="distil on logits instead",
            )
        schedule = Schedule(
            epochs=self.epochs, learning_rate=self.learning_rate, batch_rows=self.batch_rows, keep="last"
        )
        with recorded(model.net) as mine:

            def loss(logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
                theirs, wanted = known(rows)
                distance: torch.Tensor = self.logits * needs.task.distance(logits, wanted)
                return distance + self.states * apart(mine, theirs, known.lengths[list(rows)])

            fit(
                model,
                needs.train,
                needs.tune,
                needs.task,
                loss,
                schedule,
                seed=needs.seed,
                threads=needs.threads,
                watch=needs.watch,
            )
        return model
