"""Worst group: accuracy in the group of rows where it is lowest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from lighten.proof.groups import judge_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict

NO_GROUPS = "the data has no group column"


class WorstGroup(QualityMeter):
    """Groups come from the data's group column; without one the value is unknown. The note names the group."""

    quantities = (Quantity("worst_group", "fraction", HIGHER, "Accuracy in the group where it is lowest."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits. ``n`` is the number of rows in the worst group."""
        if not rows.groups:
            return {"worst_group": Measured(None, 0, note=f"unknown: {NO_GROUPS}")}
        right = outputs.argmax(axis=1) == np.asarray(rows.targets)
        names, group = np.unique(np.asarray(rows.groups), return_inverse=True)
        sizes = np.bincount(group)
        accuracy = np.bincount(group, weights=right) / sizes
        worst = int(accuracy.argmin())
        return {"worst_group": Measured(float(accuracy[worst]), int(sizes[worst]), note=f"group {str(names[worst])!r}")}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Every group against the floor as accuracy is, and all must hold; the verdict is on the one that decides.

        Raises:
            ValueError: the data has no group column.
        """
        if not rows.groups:
            raise ValueError(NO_GROUPS)
        truth, units = np.asarray(rows.targets), np.asarray(rows.units)
        before, after = original.argmax(axis=1) == truth, candidate.argmax(axis=1) == truth

        def judge(own: NDArray[np.bool_], confidence: float) -> Verdict:
            return judge_right(before[own], after[own], floor, units[own] if units.size else (), seed, confidence)

        return judge_groups(rows.groups, judge)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        if not rows.groups:
            raise ValueError(NO_GROUPS)
        groups, units = np.asarray(rows.groups), np.asarray(rows.units)
        found = []
        for name in np.unique(groups):
            own = groups == name
            one = shares(self.quantities[0], floor, int(own.sum()), units[own] if units.size else ())
            found.append(replace(one, which=str(name), of="group_units" if units.size else "group"))
        return min(found, key=lambda one: one.n)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        truth, groups, units = np.asarray(rows.targets), np.asarray(rows.groups), np.asarray(rows.units)
        before, after = (outputs.argmax(axis=1) == truth for outputs in (original, candidate))
        return tuple(
            of_right(before[own], after[own], floor, units[own] if units.size else (), of=len(rows))
            for name in np.unique(groups)
            for own in [groups == name]
        )
