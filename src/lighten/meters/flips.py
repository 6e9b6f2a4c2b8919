"""Flips: share of rows that get another answer than from the original, whether better or worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.task import Rows
from lighten.proof.bootstrap import judge_bootstrap
from lighten.proof.flips import find_flips
from lighten.proof.scores import mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class Flips(QualityMeter):
    """Two models of equal accuracy can differ on many rows; this counts all of them.

    Source:
        Dutta et al., "Accuracy is not all you need" (2024).
    """

    quantities = (Quantity("flips", "fraction", LOWER, "Share of rows whose predicted class is not the original's."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs, original: [n, classes] logits for the same rows."""
        if original is None:
            return {"flips": Measured(None, 0, note="unknown: the original's answers are not at hand")}
        found = find_flips(rows.targets, original.argmax(axis=1), outputs.argmax(axis=1))
        return {"flips": Measured(found.rate, found.n)}

    def judge(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, margin: float, seed: int) -> Verdict:
        """Paired bootstrap of the share of changed answers; the original changes none of its own."""
        moved = (original.argmax(axis=1) != candidate.argmax(axis=1)).astype(np.float64)
        still = np.zeros(len(rows))
        return judge_bootstrap(mean, still, moved, margin, "flips", "lower", units=rows.units or None, seed=seed)
