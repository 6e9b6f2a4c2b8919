"""Calibration: how far the model's confidence is from how often it is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.task import Rows
from lighten.proof.bootstrap import judge_bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict

BINS = 15


class Calibration(QualityMeter):
    """Expected calibration error over 15 bins of equal mass; rows of equal confidence share a bin.

    Source:
        Naeini et al. (2015); bins of equal mass: Nixon et al., "Measuring calibration in deep learning" (2019).
    """

    quantities = (
        Quantity("calibration_error", "fraction", LOWER, "Mean gap between confidence and accuracy over 15 bins."),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits; the confidence is the highest probability of their softmax."""
        gaps, bins = gaps_and_bins(outputs, rows)
        totals = np.bincount(bins, weights=gaps, minlength=BINS)
        note = "" if len(rows) >= 10 * BINS else f"{len(rows)} rows are few for {BINS} bins: biased upwards"
        return {"calibration_error": Measured(float(np.abs(totals).sum() / len(rows)), len(rows), note=note)}

    def judge(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, margin: float, seed: int) -> Verdict:
        """Paired bootstrap over rows, or over units where rows belong together; every model keeps its own bins."""
        before = np.stack(gaps_and_bins(original, rows), axis=1)
        after = np.stack(gaps_and_bins(candidate, rows), axis=1)
        units = rows.units or None
        return judge_bootstrap(binned_error, before, after, margin, "calibration_error", "lower", units, seed=seed)


def gaps_and_bins(outputs: NDArray[Any], rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Right (0 or 1) minus confidence, and the bin of the confidence, of each row: [n] and [n]."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    confidence = 1.0 / np.exp(shifted).sum(axis=1)
    right = outputs.argmax(axis=1) == np.asarray(rows.targets)
    below = np.searchsorted(np.sort(confidence), confidence)
    return np.asarray(right - confidence), np.asarray(below * BINS // len(rows))


def binned_error(rows: NDArray[np.generic], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error of [n, 2] gaps and bins, for weights [resamples, n]: a statistic of ``proof.scores``."""
    gaps, bins = np.asarray(rows, dtype=np.float64).T
    in_bin = (bins[:, None] == np.arange(BINS)) * gaps[:, None]
    return np.asarray(np.abs(weights @ in_bin).sum(axis=1) / weights.sum(axis=1))
