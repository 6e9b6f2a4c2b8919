"""Log-loss: how much probability the right class gets, in nats; it sees harm that accuracy does not see yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.task import Rows
from lighten.proof.bootstrap import judge_bootstrap
from lighten.proof.scores import mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class LogLoss(QualityMeter):
    """Mean cross-entropy of the softmax of the logits."""

    quantities = (Quantity("log_loss", "nats", LOWER, "Mean of minus the logarithm of the right class's probability."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits."""
        return {"log_loss": Measured(float(losses(outputs, rows).mean()), len(rows))}

    def judge(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, margin: float, seed: int) -> Verdict:
        """Paired bootstrap of the mean over rows, or over units where rows belong together."""
        before, after = losses(original, rows), losses(candidate, rows)
        return judge_bootstrap(mean, before, after, margin, "log_loss", "lower", units=rows.units or None, seed=seed)


def losses(outputs: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
    """Cross-entropy of each row in nats, [n]. outputs: [n, classes] logits."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    of_target = shifted[np.arange(len(rows)), np.asarray(rows.targets)]
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - of_target)
