"""Statistics over weighted rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.proof.scores import Rows, Statistic, by_units, macro_f1, mean, ratio_of_sums

ONCE = np.ones((1, 6))


def test_mean_by_hand() -> None:
    weights = np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0]])
    assert mean(np.array([1.0, 2.0, 6.0]), weights).tolist() == [3.0, 1.0]


def test_ratio_of_sums_is_not_the_mean_of_ratios() -> None:
    bits_and_bytes = np.array([[8.0, 4.0], [10.0, 100.0]])
    assert ratio_of_sums(bits_and_bytes, np.ones((1, 2)))[0] == pytest.approx(18 / 104)


def test_macro_f1_by_hand() -> None:
    # class 0: 2 of 3 found, 1 wrongly claimed -> 2*2/(3+3); class 1: 1 of 2 found, 2 claimed -> 2*1/(2+2); class 2: 1
    truth, predicted = [0, 0, 0, 1, 1, 2], np.array([0, 0, 1, 0, 1, 2])
    assert macro_f1(truth, 3)(predicted, ONCE)[0] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)


def test_rows_add_up_by_unit_where_the_statistic_is_a_ratio_of_sums() -> None:
    rng, unit = np.random.default_rng(0), np.array([0, 0, 1, 2, 2, 2])
    weights = np.array([[1.0, 1, 1], [2.0, 0, 1]])
    values, pairs = rng.random(6), rng.random((6, 2))
    for statistic, rows in ((mean, values), (ratio_of_sums, pairs)):
        summed = by_units(statistic, unit, rows)
        assert summed is not None and summed[0].shape == (3, 2)
        assert ratio_of_sums(summed[0], weights) == pytest.approx(statistic(rows, weights[:, unit]))
    assert by_units(macro_f1([0] * 6, 1), unit, values) is None


@given(st.integers(0, 10_000))
def test_weights_mean_repetition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    times = rng.integers(0, 4, n)
    times[0] = 1
    truth, predicted = rng.integers(0, 3, n), rng.integers(0, 3, n)
    rows = np.repeat(np.arange(n), times)
    pairs = np.stack([rng.random(n), rng.random(n) + 1.0], axis=1)

    def agree(weighted: Statistic, repeated: Statistic, values: Rows) -> None:
        expected = repeated(values[rows], np.ones((1, rows.shape[0])))
        assert weighted(values, times[None, :].astype(np.float64)) == pytest.approx(expected)

    agree(mean, mean, pairs[:, 0])
    agree(ratio_of_sums, ratio_of_sums, pairs)
    agree(macro_f1(truth, 3), macro_f1(truth[rows], 3), predicted)


@pytest.mark.parametrize("truth", [[0, 1, 3], [-1, 0, 1], [0.5, 1, 2]])
def test_labels_outside_the_classes_are_refused(truth: list[float]) -> None:
    with pytest.raises(ValueError, match="true labels"):
        macro_f1(truth, 3)
