"""Cheap baselines: said plainly when they are good enough, and their bytes are never taken for tokens."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.summary import TestedRecord
from lighten.reports.baselines import (
    baseline_sentence,
    baselines,
    good_enough,
    missed_sentence,
    ratio_words,
    told_alike,
)
from lighten.testing import language_summaries, summaries
from lighten.testing.language_summaries import bits_verdict


def test_a_baseline_that_keeps_the_floors_is_named() -> None:
    run = language_summaries.answers()
    assert [c.key for c in good_enough(run)] == [2]
    assert baseline_sentence(run, "en") == (
        "A cheap baseline keeps the floors as well: ngram(order=6) @ numpy (byte n-grams counted in your text, up to 6 "
        "bytes long). You may not need a model like the original."
    )
    assert "ngram(order=6) @ numpy" in baseline_sentence(replace(run, winner=None, state="nothing_met"), "zh")
    assert missed_sentence(run, "en") == ""


def test_a_baseline_that_wins_says_that_no_model_like_the_original_is_needed() -> None:
    said = baseline_sentence(language_summaries.baseline_won(), "en")
    assert said == (
        "The winner is a cheap baseline (byte n-grams counted in your text, up to 6 bytes long): for this budget no "
        "model like the original is needed."
    )
    untitled = replace(language_summaries.baseline_won(), titles={})
    assert "(train.ngram order=6)" in baseline_sentence(untitled, "zh").replace("（", "(").replace("）", ")")


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
    failed = replace(run, tested=(TestedRecord(2, (bits_verdict(0.58, 0.63, "not_enough_data", 0.6),)),))
    assert good_enough(failed) == ()


def test_a_rate_per_byte_is_told_apart_and_has_a_ratio() -> None:
    run = language_summaries.documents()
    counted = run.candidates[2].results
    assert (counted["decode"].unit, counted["size"].unit) == ("bytes/s", "MB")
    assert not told_alike(run, "decode", "bytes/s") and told_alike(run, "decode", "tok/s")
    assert told_alike(run, "size", "MB") and told_alike(run, "never measured", "ms")
    assert ratio_words(counted["decode"], "en").replace("\u00a0", " ") == "536× ± 21"
    assert ratio_words(replace(counted["decode"], ratio=None), "en") == ""
