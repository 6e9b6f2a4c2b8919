"""Accuracy: share of rows answered right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import judge_right
from lighten.meters._outlook import of_right
from lighten.meters._power import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class Accuracy(QualityMeter):
    """A row is right when the class with the highest logit is its target."""

    quantities = (Quantity("accuracy", "fraction", HIGHER, "Share of rows whose predicted class is the right one."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits."""
        right = outputs.argmax(axis=1) == np.asarray(rows.targets)
        return {"accuracy": Measured(float(right.mean()), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Tango's interval on right and wrong rows, or the exact one of the candidate alone; over units as well."""
        truth = np.asarray(rows.targets)
        before, after = original.argmax(axis=1) == truth, candidate.argmax(axis=1) == truth
        return judge_right(before, after, floor, rows.units, seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return shares(self.quantities[0], floor, len(rows), rows.units)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        truth = np.asarray(rows.targets)
        before, after = (outputs.argmax(axis=1) == truth for outputs in (original, candidate))
        return (of_right(before, after, floor, rows.units),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """1 where only the original is right, -1 where only the candidate is, [n]."""
        truth = np.asarray(rows.targets)
        before, after = (outputs.argmax(axis=1) == truth for outputs in (original, candidate))
        return np.asarray(before.astype(np.float64) - after)
