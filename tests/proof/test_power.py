"""What a number of items can prove."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.proof.paired import binomial_interval
from lighten.proof.power import (
    effective_units,
    items_to_clear,
    items_to_rule_out,
    items_to_settle,
    needed_items,
    provable_margin,
    unseen_loss,
    unseen_rate,
    value_to_show,
)
from lighten.proof.verdict import judge_counts


def test_one_point_at_five_percent_disagreement_needs_3091_items() -> None:
    assert needed_items(0.01, 0.05) == 3091
    assert provable_margin(3091, 0.05) == pytest.approx(0.01, abs=1e-6)


def test_without_flips_the_rule_of_three_counts() -> None:
    n = needed_items(0.01, 0.0)
    assert n == items_to_rule_out(0.01) == 299  # log(0.05) / log(0.99) = 298.07
    assert judge_counts(0, 0, 0, n, 0.01).holds
    assert not judge_counts(0, 0, 0, n - 1, 0.01).holds
    assert provable_margin(300, 0.0) == unseen_rate(300) == pytest.approx(0.0099361, abs=1e-7)


@pytest.mark.parametrize(("rate", "items"), [(0.01, 299), (0.02, 149), (0.05, 59), (0.1, 29), (0.5, 5)])
def test_items_that_rule_a_rate_out(rate: float, items: int) -> None:
    assert items_to_rule_out(rate) == items
    assert unseen_rate(items) < rate <= unseen_rate(items - 1)


def test_units_of_one_size_count_whole_and_large_ones_less() -> None:
    assert effective_units(None, 7) == 7.0
    assert effective_units(["a", "b", "a", "b"], 4) == 2.0
    assert effective_units(["a", "a", "a", "b"], 4) == 16 / 10  # 4 squared over 9 + 1


def test_the_share_that_a_candidate_must_show() -> None:
    # exact: of 1,000 rows 916 right have the lower bound 0.9001, 915 have 0.8990
    assert value_to_show(1000, 0.9) == 0.916
    assert value_to_show(28, 0.9) > 1.0  # 0.05 ** (1 / 28) = 0.8985: not even 28 of 28 will do
    assert value_to_show(29, 0.9) == 1.0


def test_items_that_would_clear_a_floor() -> None:
    wanted = items_to_clear(910, 1000, 0.9)
    assert wanted is not None and wanted > 1000
    assert binomial_interval(0.91 * wanted, wanted)[0] > 0.9
    assert items_to_clear(900, 1000, 0.9) is None


def test_what_went_unseen_in_every_class() -> None:
    assert unseen_loss([300]) == unseen_rate(300)
    assert unseen_loss([300, 300]) == pytest.approx(unseen_rate(300) / 2**0.5)
    assert unseen_loss([3000, 5]) == pytest.approx(unseen_rate(5) / 2, rel=0.01)


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
