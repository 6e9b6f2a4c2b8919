"""Worst group: accuracy in the group of rows where it is lowest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.task import Rows
from lighten.proof.bootstrap import judge_bootstrap
from lighten.proof.scores import worst_group_accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class WorstGroup(QualityMeter):
    """Groups come from the data's group column; without one the value is unknown. The note names the group."""

    quantities = (Quantity("worst_group", "fraction", HIGHER, "Accuracy in the group where it is lowest."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits. ``n`` is the number of rows in the worst group."""
        if not rows.groups:
            return {"worst_group": Measured(None, 0, note="unknown: the data has no group column")}
        right = outputs.argmax(axis=1) == np.asarray(rows.targets)
        names, group = np.unique(np.asarray(rows.groups), return_inverse=True)
        sizes = np.bincount(group)
        accuracy = np.bincount(group, weights=right) / sizes
        worst = int(accuracy.argmin())
        return {"worst_group": Measured(float(accuracy[worst]), int(sizes[worst]), note=f"group {str(names[worst])!r}")}

    def judge(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, margin: float, seed: int) -> Verdict:
        """Paired bootstrap over rows, or over units where rows belong together."""
        if not rows.groups:
            raise ValueError("the data has no group column")
        truth, groups = np.asarray(rows.targets), np.asarray(rows.groups)
        before, after = original.argmax(axis=1) == truth, candidate.argmax(axis=1) == truth
        smallest = np.unique(groups, return_counts=True)[1].min() / len(rows)
        statistic = worst_group_accuracy(groups)
        return judge_bootstrap(
            statistic, before, after, margin, "worst_group", units=rows.units or None, seed=seed, reach=1.0 / smallest
        )
