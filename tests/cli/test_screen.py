"""The line of a candidate on the screen: what matters for its kind of model, with units and fair ratios."""

from __future__ import annotations

from lighten.cli.screen import numbers
from lighten.testing import language_summaries, summaries


def test_a_language_model_shows_bits_speed_and_size() -> None:
    line = numbers(language_summaries.documents().candidates[7])
    assert line == "bits_per_byte 1.320 bits/byte, decode 211 tok/s (2.3x), tpot 4.74 ms (2.3x), size 82 MB (3.1x)"
    assert numbers(language_summaries.answers().candidates[7]).startswith("exact_match 0.706, decode 211 tok/s (2.3x)")


def test_a_model_of_counts_is_told_in_bytes_without_a_ratio_to_tokens() -> None:
    line = numbers(language_summaries.documents().candidates[2])
    assert line == "bits_per_byte 1.925 bits/byte, decode 49,151 bytes/s, tpot 0.020 ms/byte, size 1.0 MB (248.0x)"


def test_a_classifier_and_a_failure_are_as_they_were() -> None:
    run = summaries.winner()
    assert numbers(run.candidates[6]) == (
        "accuracy 0.889, rows_per_second 1,193 rows/s (7.1x), p50 2.12 ms (5.8x), size 20 MB (4.6x)"
    )
    assert numbers(run.candidates[17]) == "failed: SessionCrashed: killed by signal 11 (SIGSEGV)"
