"""Fine-tune all weights on the task's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.schedule import LanguageSchedule, rate_of
from lighten.nets.language.training import learn
from lighten.nets.network import Network
from lighten.nets.training.rows import fit
from lighten.nets.training.schedule import Schedule


@dataclass(frozen=True)
class FullTraining(Step):
    """Plain fine-tuning with the task's loss: AdamW, warm-up, decay; for classifiers early stopping on ``tune``.

    A language model goes on learning the next token of the user's own text; parts of an epoch are allowed there.
    """

    title: ClassVar[tuple[str, str]] = (
        "all weights trained on your data, passes: {epochs}",
        "在您的数据上训练全部权重 {epochs} 遍",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"

    recovers: ClassVar[tuple[str, ...]] = ("hf-causal",)
    trains_heads: ClassVar[bool] = True

    epochs: float = setting(
        3.0, "Passes over the training rows; parts of one for language models only.", low=0.05, high=100
    )
    learning_rate: float = setting(
        1e-4,
        "Peak rate for a network 384 wide; scaled by 384 / width. A language model takes a quarter of it on documents.",
        low=1e-7,
        high=1e-1,
    )
    batch_rows: int = setting(32, "Rows per update.", unit="rows", low=1, high=1024)
    weight_decay: float = setting(0.01, "Decay of the matrices.", low=0.0, high=1.0)
    dropout: float = setting(
        0.0, "Rate of dropout; above 0 training takes about half as long again.", low=0.0, high=0.9
    )
    freeze: str = setting("", "What stays as it is: embeddings, a number of blocks, or all but the head.")

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Train in place; the best weights seen on ``tune`` stay.

        Raises:
            StepFailed: the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("Training needs rows to train and to tune on.")
        if isinstance(model, LanguageNetwork):
            rate = rate_of(model.net, needs.task, self.learning_rate)
            learn(model, needs, LanguageSchedule(self.epochs, rate, freeze=self.freeze))
            return model
        schedule = Schedule(
            epochs=round(self.epochs),
            learning_rate=self.learning_rate,
            batch_rows=self.batch_rows,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
            freeze=self.freeze,
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
