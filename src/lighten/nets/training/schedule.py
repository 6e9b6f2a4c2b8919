"""Schedule: how to train, and what became of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


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
        keep: ``best`` on ``tune``, or the ``last`` weights: towards a teacher, at a falling rate, every update is
            expected to help, and to choose by a few hundred rows of ``tune`` is to choose by chance.
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
    keep: str = "best"


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
