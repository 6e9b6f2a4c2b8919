"""Calibration: how far the model's confidence is from how often it is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.meter import QualityMeter
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15


class Calibration(QualityMeter):
    """Expected calibration error over 15 bins of equal mass; rows of equal confidence share a bin.

    It gets no verdict. Noise alone makes the gaps of a perfectly calibrated model differ from 0, and taking their size
    adds that up: the estimate is biased by as much as the bins are small, for both models alike but not by as much, and
    resampling shows spread, not bias. In simulation half and more of the candidates at the margin were said to hold.

    Source:
        Naeini et al. (2015); bins of equal mass: Nixon et al., "Measuring calibration in deep learning" (2019).
    """

    quantities = (
        Quantity(
            "calibration_error",
            "fraction",
            LOWER,
            "Mean gap between confidence and accuracy over 15 bins.",
            unproved="noise in each bin adds to it, a bias that no interval knows",
            instead=("log_loss", "brier"),
        ),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, classes] logits; the confidence is the highest probability of their softmax."""
        gaps, bins = gaps_and_bins(outputs, rows)
        totals = np.bincount(bins, weights=gaps, minlength=BINS)
        note = "" if len(rows) >= 10 * BINS else f"{len(rows)} rows are few for {BINS} bins: biased upwards"
        return {"calibration_error": Measured(float(np.abs(totals).sum() / len(rows)), len(rows), note=note)}


def gaps_and_bins(outputs: NDArray[Any], rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Right (0 or 1) minus confidence, and the bin of the confidence, of each row: [n] and [n]."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    confidence = 1.0 / np.exp(shifted).sum(axis=1)
    right = outputs.argmax(axis=1) == np.asarray(rows.targets)
    below = np.searchsorted(np.sort(confidence), confidence)
    return np.asarray(right - confidence), np.asarray(below * BINS // len(rows))
