"""Brier score: squared distance of the probabilities from the right answer; it sees calibration and accuracy."""

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

MOST = 2.0
"""What a row costs that is sure and wrong."""


class Brier(QualityMeter):
    """Mean over the rows of the squared error of the softmax, summed over the classes: from 0 (sure, right) to 2.

    Source:
        Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950).
    """

    quantities = (
        Quantity("brier", "squared error", LOWER, "Squared error of the classes' probabilities, from 0 to 2."),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits."""
        return {"brier": Measured(float(squared_errors(outputs, rows).mean()), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Bootstrap of the mean over rows, or over units where rows belong together."""
        before, after = squared_errors(original, rows), squared_errors(candidate, rows)
        scores = MetricRows(before, after, np.zeros(len(rows)), reach=MOST, units=rows.units)
        return scores.judge(floor, "lower", seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return score_power(floor, rows, reach=MOST)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        before, after = squared_errors(original, rows), squared_errors(candidate, rows)
        return (of_scores(before, after, floor, self.quantities[0], rows.units),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """How much larger the squared error of each row is, [n]."""
        return squared_errors(candidate, rows) - squared_errors(original, rows)


def squared_errors(outputs: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
    """Squared error of each row, summed over the classes, [n]. outputs: [n, classes] logits."""
    raised = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    error = raised / raised.sum(axis=1, keepdims=True)
    error[np.arange(len(rows)), np.asarray(rows.targets)] -= 1.0
    return np.asarray((error**2).sum(axis=1))
