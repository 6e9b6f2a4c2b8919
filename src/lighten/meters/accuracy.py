"""Accuracy: share of rows answered right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.task import Rows
from lighten.proof.bootstrap import judge_clustered
from lighten.proof.verdict import judge_paired

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

    def judge(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, margin: float, seed: int) -> Verdict:
        """Tango's interval on right and wrong rows; over units as well where rows belong together."""
        truth = np.asarray(rows.targets)
        before, after = original.argmax(axis=1) == truth, candidate.argmax(axis=1) == truth
        if rows.units:
            return judge_clustered(before, after, _numbers(rows.units), margin, "accuracy", seed=seed)
        return judge_paired(before, after, margin, "accuracy")

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """1 where only the original is right, -1 where only the candidate is, [n]."""
        truth = np.asarray(rows.targets)
        before, after = (outputs.argmax(axis=1) == truth for outputs in (original, candidate))
        return np.asarray(before.astype(np.float64) - after)


def _numbers(units: tuple[str, ...]) -> NDArray[Any]:
    return np.unique(np.asarray(units), return_inverse=True)[1]
