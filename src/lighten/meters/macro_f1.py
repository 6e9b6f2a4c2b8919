"""Macro-F1: the mean of the F1 of each class, so that a rare class counts as much as a common one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import MetricRows
from lighten.meters._outlook import of_classes
from lighten.meters._power import class_means
from lighten.proof.power import effective_units
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
        return MetricRows(
            original.argmax(axis=1),
            candidate.argmax(axis=1),
            perfect=targets,
            statistic=macro_f1(targets, original.shape[1]),
            units=rows.units,
            classes=targets,
        ).judge(floor, "higher", seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        targets, units = np.asarray(rows.targets), np.asarray(rows.units)
        sizes = {}
        for one in np.unique(targets).tolist():
            own = targets == one
            name = labels[one] if one < len(labels) else str(one)
            sizes[name] = effective_units(units[own] if units.size else None, int(own.sum()))
        return class_means(floor, sizes, of_units=units.size > 0)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        truth = np.asarray(rows.targets)
        before, after = (
            self.measure(outputs, rows, None)["macro_f1"].value or 0.0 for outputs in (original, candidate)
        )
        guess = candidate.argmax(axis=1)
        if not floor.relative:
            return (of_classes(guess != truth, truth, 1.0 - after, 1.0 - floor.bound, floor),)
        return (of_classes(original.argmax(axis=1) != guess, truth, before - after, floor.bound, floor),)
