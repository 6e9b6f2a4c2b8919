"""Text classification: one class per text, such as sentiment, topic or intent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.rows import Rows
from lighten.core.task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class TextClassification(Task):
    """Exactly one class per text; the answer is the class with the largest logit."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """See :meth:`Task.metrics`."""
        return ("accuracy", "macro_f1", "worst_group", "log_loss", "brier", "calibration_error", "flips")

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy in nats. logits: [batch, classes]; targets: [batch] int64."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(logits.float(), targets)

    def constant(self, learned: Rows, rows: Rows, labels: Sequence[str]) -> tuple[str, NDArray[Any]] | None:
        """See :meth:`Task.constant`: the class that most rows have."""
        if not learned.targets:
            return None
        most = Counter(learned.targets).most_common(1)[0][0]
        return labels[most], np.tile(np.eye(len(labels))[most], (len(rows), 1))

    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Mean squared error of the logits (Ba and Caruana 2014). logits, teacher: [batch, classes]."""
        from torch.nn.functional import mse_loss

        return mse_loss(logits.float(), teacher.float())

    def right(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Whether the largest logit is the target's. outputs: [n, classes]. Returns [n] bool."""
        if len(outputs) != len(rows):
            raise ValueError(f"{len(outputs)} outputs for {len(rows)} rows")
        found: NDArray[Any] = np.argmax(outputs, axis=1) == np.asarray(rows.targets, dtype=np.int64)
        return found
