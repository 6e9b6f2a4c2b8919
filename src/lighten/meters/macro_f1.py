"""Macro-F1: the mean of the F1 of each class, so that a rare class counts as much as a common one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import QualityMeter
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.task import Rows
from lighten.meters._judge import Scores
from lighten.proof.scores import macro_f1

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class MacroF1(QualityMeter):
    """A class with no true row is left out of the mean, as in :func:`lighten.proof.scores.macro_f1`."""

    quantities = (Quantity("macro_f1", "fraction", HIGHER, "Mean over the classes of their F1."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits."""
        statistic = macro_f1(np.asarray(rows.targets), outputs.shape[1])
        value = statistic(outputs.argmax(axis=1), np.ones((1, len(rows))))[0]
        return {"macro_f1": Measured(float(value), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Bootstrap over rows, or over units where rows belong together; what went unseen counts in every class."""
        targets = np.asarray(rows.targets)
        return Scores(
            original.argmax(axis=1),
            candidate.argmax(axis=1),
            perfect=targets,
            statistic=macro_f1(targets, original.shape[1]),
            units=rows.units,
            classes=targets,
        ).judge(floor, "higher", seed)
