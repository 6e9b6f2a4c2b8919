"""The paired bootstrap and its verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.proof.bootstrap import LEAST_UNITS, judge_bootstrap, judge_clustered, paired_bootstrap
from lighten.proof.paired import tango_interval
from lighten.proof.scores import Floats, Rows, macro_f1, mean, ratio_of_sums
from lighten.proof.verdict import judge_paired


def flipped(n: int, b: int, c: int, both: int) -> tuple[Floats, Floats]:
    original, candidate = np.zeros(n), np.zeros(n)
    original[: both + b] = candidate[:both] = candidate[both + b : both + b + c] = 1.0
    return original, candidate


def test_by_hand_the_bounds_of_a_mean_are_the_normal_ones() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(0.0, 1.0, 4000)
    change = rng.normal(-0.1, 0.5, 4000)
    found = paired_bootstrap(mean, before, before + change)
    assert found.difference == pytest.approx(change.mean())
    half = 1.645 * change.std() / np.sqrt(4000)
    assert (found.difference - found.lower, found.upper - found.difference) == pytest.approx((half, half), rel=0.08)
    assert (found.units, found.changed) == (4000, 4000) and found.floor < half


@pytest.mark.parametrize(("b", "c", "n"), [(60, 40, 2000), (12, 8, 1000), (9, 4, 1000), (3, 1, 1000), (0, 0, 300)])
def test_on_accuracy_it_comes_close_to_tango_and_is_hardly_ever_narrower(b: int, c: int, n: int) -> None:
    lower, upper = tango_interval(b, c, n)
    found = paired_bootstrap(mean, *flipped(n, b, c, both=n // 2))
    assert found.lower == pytest.approx(lower, abs=0.25 * (upper - lower) + 1e-4)
    assert found.difference - found.lower > 0.9 * (found.difference - lower)


def test_the_widest_bound_counts() -> None:
    found = paired_bootstrap(mean, *flipped(1000, 12, 8, 500))
    lowest = min(found.percentile[0], found.bca[0], found.skewed_t[0])
    highest = max(found.percentile[1], found.bca[1], found.skewed_t[1])
    assert found.lower == min(lowest - found.heaviest[0], found.difference - found.floor)
    assert found.upper == max(highest + found.heaviest[1], found.difference + found.floor)


def test_equal_predictions_on_few_rows_prove_nothing() -> None:
    rows = np.ones(100)
    verdict = judge_bootstrap(mean, rows, rows, 0.01, "f1")
    assert (verdict.state, verdict.difference) == ("not_enough_data", 0.0)
    assert verdict.needed is not None and 290 < verdict.needed < 305  # 299 rule out one in a hundred
    assert judge_bootstrap(mean, np.ones(300), np.ones(300), 0.01, "f1").holds


def test_few_units_are_never_judged() -> None:
    rng = np.random.default_rng(0)
    before = rng.random(LEAST_UNITS - 1)
    verdict = judge_bootstrap(mean, before, before + 1e-6 * rng.random(LEAST_UNITS - 1), 0.5, "loss", "lower")
    assert (verdict.state, verdict.needed) == ("not_enough_data", LEAST_UNITS)


def test_macro_f1_difference() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 3000, p=[0.6, 0.3, 0.1])
    original = np.where(rng.random(3000) < 0.9, truth, rng.integers(0, 3, 3000))
    hurt = np.where((truth == 2) & (rng.random(3000) < 0.4), 0, original)  # 4 % of the rows, all of the rare class
    spared = np.where(rng.random(3000) < 0.01, rng.integers(0, 3, 3000), original)
    assert judge_bootstrap(macro_f1(truth, 3), original, hurt, 0.02, "macro_f1").state == "worse"
    assert judge_bootstrap(macro_f1(truth, 3), original, spared, 0.02, "macro_f1").state == "holds"


def test_a_rare_class_may_hide_harm_however_many_rows_of_others_changed() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [1800, 190, 10])
    before = np.where(rng.random(2000) < 0.9, truth, 0)
    after = np.where((truth == 0) & (rng.random(2000) < 0.03), 1, before)
    many, few = (paired_bootstrap(macro_f1(truth, 3), before, after, classes=c) for c in (None, truth))
    assert many.changed == few.changed > 20
    assert few.floor == pytest.approx(0.259 / 3, abs=0.02)  # 1 - 0.05 ** (1 / 10) in one class of three
    assert many.floor < 0.02


def test_one_more_row_as_heavy_as_the_heaviest_is_within_the_bounds() -> None:
    before = np.linspace(0.0, 1.0, 200)
    after = before + np.tile([0.001, -0.001], 100)
    after[7] += 10.0
    found = paired_bootstrap(mean, before, after)
    assert found.heaviest == pytest.approx((0.0, 10.0 / 200), abs=1e-3)
    assert found.upper >= found.skewed_t[1] + 10.0 / 200 - 1e-3


def test_a_share_of_the_original_takes_its_sampling_into_account() -> None:
    rng = np.random.default_rng(0)
    before = rng.gamma(0.5, 2.0, 100)
    after = 1.05 * before  # exactly 5 % more on every row
    taken = judge_bootstrap(mean, before, after, 0.06 * before.mean(), "loss", "lower", reach=0.1)
    shared = judge_bootstrap(mean, before, after, 0.06, "loss", "lower", reach=0.1, share=True)
    assert shared.kind == "share" and shared.margin == pytest.approx(0.06 * before.mean())
    assert shared.difference == taken.difference
    # candidate - 1.06 x original is -1 % of the original on every row: sure, although 5 % of it varies a good deal
    assert shared.holds and not taken.holds
    assert judge_bootstrap(mean, before, after, 0.04, "loss", "lower", reach=0.1, share=True).state == "worse"
    higher = judge_bootstrap(mean, before, 0.95 * before, 0.06, "score", "higher", reach=0.1, share=True)
    assert higher.holds and higher.lower > -higher.margin


def test_mean_log_loss_is_better_when_lower() -> None:
    rng = np.random.default_rng(0)
    before = rng.exponential(0.4, 2000)
    worse, better = before + rng.exponential(0.05, 2000), before - 0.1 * before
    verdict = judge_bootstrap(mean, before, worse, 0.02, "log_loss", "lower")
    assert (verdict.state, verdict.direction) == ("worse", "lower")
    assert verdict.difference == pytest.approx(verdict.original - verdict.candidate) and verdict.difference < 0
    assert verdict.lower <= verdict.difference <= verdict.upper
    assert judge_bootstrap(mean, before, better, 0.0, "log_loss", "lower").state == "holds"


def test_bits_per_byte_is_a_ratio_of_sums_over_documents() -> None:
    rng = np.random.default_rng(0)
    document = np.repeat(np.arange(300), 5)
    size = rng.integers(50, 500, 1500).astype(float)
    bits = size * rng.normal(1.1, 0.1, 1500)
    more = bits + size * rng.normal(0.002, 0.01, 1500)
    before, after = np.stack([bits, size], axis=1), np.stack([more, size], axis=1)
    verdict = judge_bootstrap(ratio_of_sums, before, after, 0.01, "bits_per_byte", "lower", units=document, reach=0.05)
    assert (verdict.state, verdict.n, verdict.units) == ("holds", 1500, 300)
    assert verdict.original == pytest.approx(bits.sum() / size.sum())


def test_rows_of_one_document_count_as_one_unit() -> None:
    rng = np.random.default_rng(0)
    document = np.repeat(np.arange(60), 50)
    broken = (rng.random(60) < 0.05)[document]  # whole documents break
    before, after = np.ones(3000), 1.0 - broken
    apart, together = judge_paired(before, after, 0.1), judge_clustered(before, after, document, 0.1)
    assert together.lower < 1.5 * apart.lower
    assert (together.b, together.c, together.units) == (apart.b, apart.c, 60)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_cluster_verdict_is_never_narrower_than_tango(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.random((2, 200)) < 0.9
    verdict = judge_clustered(before, after, rng.integers(0, 50, 200), 0.01, resamples=200)
    apart = judge_paired(before, after, 0.01)
    assert verdict.lower <= apart.lower and apart.upper <= verdict.upper


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_swapping_the_models_mirrors_the_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.random((2, 50))
    one, other = (paired_bootstrap(mean, *pair, resamples=200) for pair in ((before, after), (after, before)))
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower), abs=1e-9)
    assert -1.0 <= one.lower <= one.difference <= one.upper <= 1.0


def test_the_seed_decides_everything() -> None:
    rows = flipped(500, 20, 10, 300)
    assert paired_bootstrap(mean, *rows, seed=4) == paired_bootstrap(mean, *rows, seed=4)
    assert paired_bootstrap(mean, *rows, seed=4) != paired_bootstrap(mean, *rows, seed=5)


def test_needed_settles_it_when_the_rates_stay() -> None:
    rng = np.random.default_rng(0)
    before = rng.random(400)
    after = before + rng.normal(0.0, 0.2, 400)
    after -= (after - before).mean()
    verdict = judge_bootstrap(mean, before, after, 0.01, "score")
    assert verdict.state == "not_enough_data" and verdict.needed is not None
    times = -(-verdict.needed // 400)
    assert judge_bootstrap(mean, np.tile(before, times), np.tile(after, times), 0.01, "score").holds


@pytest.mark.parametrize(
    ("original", "candidate", "options", "says"),
    [
        ([], [], {}, "non-empty"),
        ([1.0, 2.0], [1.0], {}, "same rows"),
        ([1.0, float("nan")], [1.0, 2.0], {}, "finite numbers"),
        (["a", "b"], ["a", "b"], {}, "finite numbers"),
        ([1.0], [1.0], {}, "two independent units"),
        ([1.0, 2.0], [1.0, 2.0], {"units": [1]}, "one unit per row"),
        ([1.0, 2.0], [1.0, 2.0], {"resamples": 10}, "resamples"),
        ([1.0, 2.0], [1.0, 2.0], {"confidence": 0.3}, "confidence"),
        ([1.0, 2.0], [1.0, 2.0], {"reach": 0.0}, "reach"),
        ([1.0, 2.0], [1.0, 2.0], {"direction": "up"}, "direction"),
        ([1.0, 2.0], [1.0, 2.0], {"margin": -1.0}, "margin"),
    ],
)
def test_refusals(original: Any, candidate: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        judge_bootstrap(mean, original, candidate, **{"margin": 0.01, "metric": "score", **options})


def test_a_statistic_without_a_value_is_refused() -> None:
    def nowhere(rows: Rows, weights: Floats) -> Floats:
        return np.full(weights.shape[0], np.nan)

    with pytest.raises(ValueError, match="one finite number"):
        paired_bootstrap(nowhere, np.ones(50), np.zeros(50))
