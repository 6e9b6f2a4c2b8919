"""Train a network that never learned anything: many passes at a high rate, until tune gains nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.network import Network
from lighten.nets.training.optimizer import WIDTH, width_of
from lighten.nets.training.rows import fit
from lighten.nets.training.schedule import Schedule


@dataclass(frozen=True)
class FromScratch(Step):
    """All weights from random ones, with the task's loss: AdamW, warm-up, decay, early stopping on ``tune``.

    Fine-tuning's rate and three passes are for a network that knows something; one that knows nothing needs more.
    """

    title: ClassVar[tuple[str, str]] = (
        "trained from nothing on your data, passes: at most {epochs}",
        "在您的数据上从零训练，至多 {epochs} 遍",
    )
    consumes: ClassVar[tuple[str, ...]] = ("module",)
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"
    trains_heads: ClassVar[bool] = True

    epochs: int = setting(
        20, "Most passes over the training rows; it ends sooner when tune gains nothing.", low=1, high=1000
    )
    learning_rate: float = setting(2e-3, "Peak rate, whatever the width of the network.", low=1e-7, high=1.0)
    batch_rows: int = setting(64, "Rows per update.", unit="rows", low=1, high=4096)
    weight_decay: float = setting(0.01, "Decay of the matrices.", low=0.0, high=1.0)
    dropout: float = setting(0.1, "Rate of the network's own dropouts while it learns.", low=0.0, high=0.9)

    def run(self, model: Network, needs: Needs) -> Network:
        """Train in place; the best weights seen on ``tune`` stay.

        Raises:
            StepFailed: the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("Training needs rows to train and to tune on.")
        schedule = Schedule(
            epochs=self.epochs,
            learning_rate=self.learning_rate * width_of(model.net) / WIDTH,
            batch_rows=self.batch_rows,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
        )
        fit(
            model,
            needs.train,
            needs.tune,
            needs.task,
            None,
            schedule,
            seed=needs.seed,
            threads=needs.threads,
            watch=needs.watch,
        )
        return model
