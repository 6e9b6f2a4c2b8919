"""The line of a candidate on the screen: what matters for its kind of model, with units and fair ratios."""

from __future__ import annotations

import io

from rich.console import Console

from lighten.cli.screen import PlainLines, numbers
from lighten.core.result import Candidate
from lighten.testing import language_summaries, summaries


def line_of(candidate: Candidate) -> str:
    return numbers(candidate).replace("\u00a0", " ")


def test_a_language_model_shows_bits_speed_and_size() -> None:
    said = line_of(language_summaries.documents().candidates[7])
    assert said == (
        "bits_per_byte 1.320 bits/byte, decode 211 tok/s (2.3× ± 0.1), tpot 4.74 ms (2.3× ± 0.1), size 82 MB (3.1×)"
    )
    answers = line_of(language_summaries.answers().candidates[7])
    assert answers.startswith("exact_match 0.706, decode 211 tok/s (2.3× ± 0.1)")


def test_a_model_of_counts_is_told_in_bytes_and_compared_by_them() -> None:
    run = language_summaries.documents()
    assert line_of(run.candidates[2]) == (
        "bits_per_byte 1.925 bits/byte, decode 49,151 bytes/s (536× ± 21), tpot 0.020 ms/byte (536× ± 21), "
        "size 1.0 MB (248×)"
    )


def test_a_classifier_and_a_failure_are_as_they_were() -> None:
    run = summaries.winner()
    assert line_of(run.candidates[6]) == (
        "accuracy 0.889, rows_per_second 1,193 rows/s (7.1× ± 0.3), p50 2.12 ms (5.8× ± 0.2), size 20 MB (4.6×)"
    )
    assert numbers(run.candidates[17]) == "failed: SessionCrashed: killed by signal 11 (SIGSEGV)"


def test_lines_say_at_once_what_has_no_known_length_and_the_rest_now_and_then() -> None:
    written = io.StringIO()
    lines = PlainLines(Console(file=written, width=80), every=3600.0)
    lines.progress(0, 0, "Downloading it.")
    lines.progress(1, 4, "a quarter")
    assert "Downloading it." in written.getvalue() and "quarter" not in written.getvalue()
