"""A verdict is said in the metric's own direction: more bits is plus, and bits per byte are compared in per cent."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.proof import Verdict, judge_counts, judge_rate
from lighten.reports.told import Told
from lighten.testing.language_summaries import bits_verdict


def test_bits_per_byte_are_told_in_per_cent_of_the_original() -> None:
    told = Told.of(Verdict.from_json(bits_verdict(0.0042, 0.00871, "holds")), "bits/byte")
    assert told.rises
    assert (told.changed("en"), told.bound("en"), told.limited("en")) == ("+0.42%", "+0.88%", "+1.00%")
    assert (told.allowed("en"), told.ends("en")[0]) == ("1%", "−0.04%")
    assert told.worst == pytest.approx(0.00871)


def test_bounds_are_rounded_outwards_and_never_narrowed() -> None:
    told = Told.of(Verdict.from_json(bits_verdict(0.00501, 0.01001, "worse")), "bits/byte")
    assert told.ends("en") == ("±0.00%", "+1.01%")
    assert told.bound("zh") == "+1.01%"


def test_points_of_a_metric_where_more_is_better_stay_as_they_are() -> None:
    verdict = judge_counts(5057, 87, 72, 5766, 0.01)
    told = Told.of(verdict, "fraction")
    assert not told.rises
    assert told.changed("en").replace("\u00a0", " ") == "−0.26 pt"
    assert told.bound("en").replace("\u00a0", " ") == "−0.63 pt"
    assert told.limited("en").replace("\u00a0", " ") == "−1.00 pt"
    assert told.allowed("en").replace("\u00a0", " ") == "1 point"


def test_a_share_where_less_is_better_rises_in_points() -> None:
    record = {**bits_verdict(0.0, 0.0, "holds"), "metric": "token_flips", "original": 0.0, "difference": -0.031}
    told = Told.of(Verdict.from_json({**record, "lower": -0.0402, "upper": -0.02, "margin": 0.05}), "fraction")
    assert told.changed("en").replace("\u00a0", " ") == "+3.10 pt"
    assert told.bound("en").replace("\u00a0", " ") == "+4.02 pt"
    assert told.limited("en").replace("\u00a0", " ") == "+5.00 pt"


def test_a_value_that_was_asked_for_is_told_as_it_is() -> None:
    told = Told.of(judge_rate(np.arange(1000) < 910, 0.9, "accuracy", original=0.97), "fraction")
    assert told.absolute and not told.rises
    assert (told.changed("en"), told.ends("en"), told.limited("en")) == ("91%", ("89.37%", "92.45%"), "90%")
    assert (told.bound("en"), told.allowed("en"), told.asked) == ("89.37%", "90%", "proof.asked")
    less = Told.of(judge_rate(np.arange(1000) < 12, 0.02, "flips", "lower"), "fraction")
    assert less.rises and less.bound("zh") == "1.94%" and less.allowed("zh") == "2%"


def test_a_share_is_told_in_per_cent_of_the_original_whatever_its_unit() -> None:
    record = {**bits_verdict(0.0042, 0.0087, "holds"), "metric": "log_loss", "kind": "share"}
    told = Told.of(Verdict.from_json(record), "nats")
    assert (told.changed("en"), told.allowed("en")) == ("+0.42%", "1%")
