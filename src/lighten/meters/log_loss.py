"""Log-loss: how much probability the right class gets, in nats; it sees harm that accuracy does not see yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import MetricRows
from lighten.meters._outlook import of_scores
from lighten.meters._power import scores as score_power

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict

LEAST_REACH = 1.0
"""Nats that a row gone wrong costs at the least; where the original has rows wrong, as much as those do on average."""


class LogLoss(QualityMeter):
    """Mean cross-entropy of the softmax of the logits."""

    quantities = (Quantity("log_loss", "nats", LOWER, "Mean of minus the logarithm of the right class's probability."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits."""
        return {"log_loss": Measured(float(losses(outputs, rows).mean()), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Bootstrap of the mean over rows, or over units where rows belong together."""
        before, after = losses(original, rows), losses(candidate, rows)
        wrong = original.argmax(axis=1) != np.asarray(rows.targets)
        reach = max(LEAST_REACH, float(before[wrong].mean()) if wrong.any() else 0.0)
        scores = MetricRows(before, after, np.zeros(len(rows)), reach=reach, units=rows.units)
        return scores.judge(floor, "lower", seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return score_power(floor, rows, reach=LEAST_REACH)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        return (of_scores(losses(original, rows), losses(candidate, rows), floor, self.quantities[0], rows.units),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """Nats that each row costs more, [n]."""
        return losses(candidate, rows) - losses(original, rows)


def losses(outputs: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
    """Cross-entropy of each row in nats, [n]. outputs: [n, classes] logits."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    of_target = shifted[np.arange(len(rows)), np.asarray(rows.targets)]
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - of_target)
