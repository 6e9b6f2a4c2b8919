"""What a number of items can prove."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.proof.power import items_to_settle, needed_items, provable_margin
from lighten.proof.verdict import judge_counts


def test_one_point_at_five_percent_disagreement_needs_3091_items() -> None:
    assert needed_items(0.01, 0.05) == 3091
    assert provable_margin(3091, 0.05) == pytest.approx(0.01, abs=1e-6)


def test_without_flips_the_closed_form_of_tango_counts() -> None:
    n = needed_items(0.01, 0.0)
    assert judge_counts(0, 0, 0, n, 0.01).holds
    assert not judge_counts(0, 0, 0, n - 1, 0.01).holds
    assert provable_margin(300, 0.0) == pytest.approx(0.0089379, abs=1e-6)


@pytest.mark.parametrize(("margin", "disagreement"), [(0.01, 0.05), (0.02, 0.10), (0.005, 0.02)])
def test_the_promised_power_is_reached(margin: float, disagreement: float) -> None:
    n = needed_items(margin, disagreement)
    rng = np.random.default_rng(5)
    draws = rng.multinomial(n, [disagreement / 2, disagreement / 2, 1 - disagreement], size=1000)
    held = np.mean([judge_counts(0, int(b), int(c), n, margin).holds for b, c, _ in draws])
    assert held == pytest.approx(0.8, abs=0.04)  # three standard errors


@given(st.integers(10, 100_000), st.floats(0.0, 0.5))
def test_margin_and_items_are_inverse(n: int, disagreement: float) -> None:
    margin = provable_margin(n, disagreement)
    if margin < 0.9:
        assert needed_items(margin, disagreement) == pytest.approx(n, abs=1)


@given(st.integers(1, 10_000), st.floats(0.0, 1.0))
def test_more_items_prove_more(n: int, disagreement: float) -> None:
    assert provable_margin(2 * n, disagreement) <= provable_margin(n, disagreement) <= 1.0


def test_no_number_settles_a_loss_of_nothing_without_slack() -> None:
    assert items_to_settle(5, 5, 1000, 0.0) is None
    assert items_to_settle(5, 5, 1000, 0.005) is not None


@pytest.mark.parametrize(
    ("margin", "disagreement"), [(0.0, 0.05), (-0.01, 0.05), (1.0, 0.05), (0.01, -0.1), (0.01, 1.5)]
)
def test_arguments_out_of_range_are_refused(margin: float, disagreement: float) -> None:
    with pytest.raises(ValueError, match=r"margin|disagreement"):
        needed_items(margin, disagreement)


def test_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        provable_margin(0)
