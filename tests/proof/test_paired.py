"""Tango's interval and the exact McNemar test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from lighten.proof.paired import binomial_interval, mcnemar_exact, paired_interval, tango_interval, tango_score

GOLDEN = [
    (0, 0, 300, -0.0089),
    (5, 5, 1000, -0.0058),
    (12, 8, 1000, -0.0120),
    (30, 20, 1000, -0.0221),
    (20, 20, 2000, -0.0054),
    (15, 10, 500, -0.0276),
    (3, 1, 100, -0.0642),
]


@st.composite
def tables(draw: st.DrawFn, largest: int = 5000) -> tuple[int, int, int]:
    n = draw(st.integers(1, largest))
    b = draw(st.integers(0, n))
    return b, draw(st.integers(0, n - b)), n


@pytest.mark.parametrize(("b", "c", "n", "lower"), GOLDEN)
def test_golden_values_of_the_design(b: int, c: int, n: int, lower: float) -> None:
    assert round(tango_interval(b, c, n)[0], 4) == lower


def test_without_flips_the_bound_is_known_in_closed_form() -> None:
    z_squared = 1.6448536269514722**2
    for n in (1, 7, 300, 100_000):
        assert tango_interval(0, 0, n)[0] == pytest.approx(-z_squared / (n + z_squared), abs=1e-10)


@pytest.mark.parametrize(
    ("b", "c", "n", "delta"), [(12, 8, 1000, -0.01), (3, 1, 100, -0.05), (0, 4, 50, 0.2), (9, 9, 18, 0.3)]
)
def test_score_matches_a_likelihood_maximised_by_brute_force(b: int, c: int, n: int, delta: float) -> None:
    def minus_log_likelihood(q: float) -> float:  # q = P(only the original right); P(only the candidate) = q + delta
        parts = (b, q), (c, q + delta), (n - b - c, 1.0 - 2.0 * q - delta)
        return -sum(count * math.log(p) for count, p in parts if count)

    bounds = max(0.0, -delta) + 1e-13, (1.0 - delta) / 2 - 1e-13
    q = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x
    expected = (c - b - n * delta) / math.sqrt(n * (2.0 * q + delta * (1.0 - delta)))
    assert tango_score(b, c, n, delta) == pytest.approx(expected, rel=1e-4)


@given(tables())
def test_bounds_are_ordered_and_symmetric(table: tuple[int, int, int]) -> None:
    b, c, n = table
    lower, upper = tango_interval(b, c, n)
    assert -1.0 <= lower <= (c - b) / n <= upper <= 1.0
    assert lower < upper
    swapped = tango_interval(c, b, n)
    assert swapped == (-upper, -lower)


@given(tables())
def test_a_bound_is_where_the_score_reaches_the_quantile(table: tuple[int, int, int]) -> None:
    b, c, n = table
    lower, upper = tango_interval(b, c, n)
    if lower > -1.0 + 1e-6:
        assert tango_score(b, c, n, lower - 1e-9) >= 1.6448 - 1e-4
        assert tango_score(b, c, n, lower + 1e-9) <= 1.6449 + 1e-4
    if upper < 1.0 - 1e-6:
        assert tango_score(b, c, n, upper + 1e-9) <= -1.6448 + 1e-4


@given(tables(), st.floats(-1, 1), st.floats(-1, 1))
@example((0, 0, 1), -1.0, -1.0)  # infinite: a tolerance would be too
def test_the_score_never_rises_with_the_difference(table: tuple[int, int, int], one: float, other: float) -> None:
    low, high = sorted((one, other))
    first, last = tango_score(*table, low), tango_score(*table, high)
    assert first >= last or first >= last - 1e-7 * (1 + abs(last))


@given(tables())
def test_one_more_broken_item_never_raises_the_bound(table: tuple[int, int, int]) -> None:
    b, c, n = table
    if b + c < n:
        assert tango_interval(b + 1, c, n)[0] <= tango_interval(b, c, n)[0] + 1e-9
        assert tango_interval(b, c + 1, n)[0] >= tango_interval(b, c, n)[0] - 1e-9


@pytest.mark.parametrize(
    ("table", "bound"), [((4, 0, 4), (-1.0, None)), ((0, 4, 4), (None, 1.0)), ((1, 0, 1), (-1.0, None))]
)
def test_all_items_flipped_one_way(table: tuple[int, int, int], bound: tuple[float | None, float | None]) -> None:
    for found, expected in zip(tango_interval(*table), bound, strict=True):
        assert expected is None or found == pytest.approx(expected, abs=1e-12)


def test_more_confidence_is_a_wider_interval() -> None:
    narrow, wide = tango_interval(12, 8, 1000, 0.9), tango_interval(12, 8, 1000, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(b: int, c: int) -> None:
    expected = binomtest(b, b + c, 0.5, alternative="greater").pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    assert mcnemar_exact(3, 1) == pytest.approx(5 / 16)  # (4 + 1) of 16 outcomes
    assert mcnemar_exact(5, 0) == pytest.approx(1 / 32)
    assert mcnemar_exact(0, 9) == 1.0


@pytest.mark.parametrize(
    ("b", "c", "n", "says"),
    [
        (-1, 0, 10, "negative"),
        (0, -1, 10, "negative"),
        (6, 5, 10, "exceeds n"),
        (0, 0, 0, "at least one"),
        (0, 0, -3, "at least one"),
        (0.5, 0, 10, "whole"),
        (math.nan, 0, 10, "NaN"),
    ],
)
def test_impossible_counts_are_refused(b: float, c: float, n: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tango_interval(b, c, n)  # type: ignore[arg-type]


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        tango_interval(1, 1, 10, confidence)


def test_negative_mcnemar_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 2)


def test_numpy_counts_are_welcome() -> None:
    assert tango_interval(np.int64(12), np.int64(8), np.int64(1000)) == tango_interval(12, 8, 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hits", "n", "lower", "upper"),
    [
        (0, 300, 0.0, 1 - 0.05 ** (1 / 300)),
        (300, 300, 0.05 ** (1 / 300), 1.0),
        (1, 2, 1 - 0.95**0.5, 0.95**0.5),  # by hand: P(at least 1 of 2) = 1 - (1 - p)^2
        (910, 1000, 0.8937, 0.9245),
        (29, 29, 0.05 ** (1 / 29), 1.0),
    ],
)
def test_the_exact_binomial_interval(hits: int, n: int, lower: float, upper: float) -> None:
    found = binomial_interval(hits, n)
    assert found == pytest.approx((lower, upper), abs=5e-5)
    reference = binomtest(hits, n).proportion_ci(confidence_level=0.9, method="exact")
    assert found == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_breaks_alone_have_an_exact_bound_and_others_have_tangos() -> None:
    assert paired_interval(0, 0, 300)[0] == pytest.approx(-0.0099361, abs=1e-7)
    assert paired_interval(4, 0, 1000)[0] == -binomial_interval(4, 1000)[1]
    assert paired_interval(4, 1, 1000) == tango_interval(4, 1, 1000)
    lower, upper = paired_interval(0, 4, 1000)
    assert (lower, upper) == (tango_interval(0, 4, 1000)[0], -paired_interval(4, 0, 1000)[0])


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_hits_are_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="hits must lie"):
        binomial_interval(hits, n)
