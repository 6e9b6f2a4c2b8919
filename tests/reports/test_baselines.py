"""Cheap baselines: said plainly when they are good enough, and their bytes are never taken for tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lighten.core.summary import Tested as OneTest
from lighten.reports.baselines import (
    baseline_sentence,
    baselines,
    fair_ratio,
    good_enough,
    missed_sentence,
    ratio_words,
    unit_in,
)
from lighten.testing import language_summaries, summaries
from lighten.testing.language_summaries import bits_verdict


def test_a_baseline_that_keeps_the_floors_is_named() -> None:
    run = language_summaries.answers()
    assert [c.key for c in good_enough(run)] == [2]
    assert baseline_sentence(run, "en") == (
        "A cheap baseline keeps the floors as well: ngram(order=6) @ numpy, an n-gram model learned from your own "
        "text. You may not need a language model."
    )
    assert "ngram(order=6) @ numpy" in baseline_sentence(replace(run, winner=None, state="nothing_met"), "zh")
    assert missed_sentence(run, "en") == ""


def test_a_baseline_that_wins_says_that_no_language_model_is_needed() -> None:
    said = baseline_sentence(language_summaries.baseline_won(), "en")
    assert (
        said
        == "The winner is an n-gram model, learned from your own text: for this budget no language model is needed."
    )


def test_baselines_that_miss_are_listed_with_what_they_have() -> None:
    run = language_summaries.documents()
    assert [c.key for c in baselines(run)] == [2, 1]
    assert baseline_sentence(run, "en") == ""
    assert missed_sentence(run, "en").replace("\u00a0", " ") == (
        "No cheap baseline keeps the floors (ngram(order=6) @ numpy 1.925 bits/byte, hmm(states=64) @ numpy 3.242 "
        "bits/byte)."
    )
    assert missed_sentence(summaries.winner(), "en") == ""


def test_a_baseline_that_failed_the_proof_is_not_good_enough() -> None:
    run = language_summaries.baseline_won()
    failed = replace(run, tested=(OneTest(2, (bits_verdict(0.58, 0.63, "not_enough_data", 0.6),)),))
    assert good_enough(failed) == ()


@pytest.mark.parametrize(
    ("metric", "unit", "own"),
    [
        ("decode", "tok/s", "bytes/s"),
        ("prefill", "tok/s", "bytes/s"),
        ("tpot", "ms", "ms/byte"),
        ("ttft", "ms", "ms"),
        ("decode_cpu", "s/1000 tokens", "s/1000 bytes"),
        ("size", "MB", "MB"),
    ],
)
def test_tokens_of_counts_are_bytes(metric: str, unit: str, own: str) -> None:
    assert unit_in("numpy", metric, unit) == own
    assert unit_in("llama", metric, unit) == unit


def test_a_rate_per_byte_has_a_ratio_where_bytes_were_compared() -> None:
    run = language_summaries.documents()
    assert fair_ratio(run.candidates[2].results["decode"]) == 536.0
    assert ratio_words(run.candidates[2].results["decode"], "en").replace("\u00a0", " ") == "536× ± 21"


def test_a_rate_per_byte_has_no_ratio_to_one_per_token() -> None:
    run = language_summaries.per_token(language_summaries.documents())
    assert fair_ratio(run.candidates[2].results["decode"]) is None
    assert fair_ratio(run.candidates[2].results["size"]) == 248.0
    assert fair_ratio(run.candidates[7].results["decode"]) == 2.3
