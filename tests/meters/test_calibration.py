"""Calibration error by hand and against its definition."""

import math

import numpy as np
import pytest

from lighten.core.rows import Rows
from lighten.meters.calibration import Calibration
from lighten.testing.answers import measured, noisy, probabilities, sure, within


def test_by_hand() -> None:
    # thirty rows at confidence 0.8, twenty-four of them right: no gap; when all are right: a gap of 0.2
    outputs = [[math.log(0.8), math.log(0.2)]] * 30
    assert measured("calibration", outputs, [0] * 24 + [1] * 6).value == pytest.approx(0.0, abs=1e-6)
    found = measured("calibration", outputs, [0] * 30)
    assert found.value == pytest.approx(0.2, abs=1e-6)
    assert found.n == 30 and "few for 15 bins" in found.note


def test_gaps_of_different_bins_do_not_cancel_out() -> None:
    high, low = [math.log(0.9), math.log(0.1)], [math.log(0.6), math.log(0.4)]
    outputs = [high] * 150 + [low] * 150
    targets = [0] * 120 + [1] * 30 + [0] * 105 + [1] * 45  # right: 0.8 of the sure, 0.7 of the unsure
    assert measured("calibration", outputs, targets).value == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_equal_bins_of_sorted_confidence(seed: int) -> None:
    outputs, targets = noisy(seed, n=600)
    confidence = probabilities(outputs).max(axis=1)
    right = outputs.argmax(axis=1) == np.asarray(targets)
    bins = np.array_split(np.argsort(confidence), 15)
    expected = sum(abs(right[rows].mean() - confidence[rows].mean()) * len(rows) for rows in bins) / len(targets)
    assert measured("calibration", outputs, targets).value == pytest.approx(expected)


def test_it_gets_no_verdict() -> None:
    """Binned gaps are biased by noise: see benchmarks/false_holds.py for how often such verdicts were wrong."""
    meter, rows = Calibration(), Rows(("x",) * 300, (0,) * 300)
    (quantity,) = meter.quantities
    with pytest.raises(ValueError, match="never proved: noise in each bin"):
        meter.judge(sure([0] * 300), sure([0] * 300), rows, within("calibration_error", 0.5), 0)
    assert quantity.instead == ("log_loss", "brier")


def test_the_bias_that_no_interval_knows() -> None:
    """A perfectly calibrated model has no error; what is measured of it is far from 0, and all of it is noise."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1.0, 1500)
    outputs = np.stack([np.log(p), np.log1p(-p)], axis=1)
    found = measured("calibration", outputs, (rng.random(1500) > p).astype(int).tolist())
    assert found.value is not None and found.value > 0.015
