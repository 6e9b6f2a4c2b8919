"""Who waits is told of what is done on the way, and nobody else."""

from __future__ import annotations

import pytest

from lighten.core.progress import as_clock, remark, remarks_to, report, reported_to

Told = list[tuple[float, float, str]]


def test_work_inside_is_told_to_the_innermost_who_waits() -> None:
    outer: Told = []
    inner: Told = []
    report(0, 0, "nobody hears this")
    with reported_to(lambda *said: outer.append(said)):
        report(1, 2, "half")
        with reported_to(lambda *said: inner.append(said)):
            report(2, 2, "whole")
        with reported_to(None):
            report(0, 0, "still")
    report(0, 0, "nobody hears this either")
    assert outer == [(1, 2, "half"), (0, 0, "still")]
    assert inner == [(2, 2, "whole")]


def test_a_stretch_of_time_as_a_clock_shows_it() -> None:
    assert [as_clock(seconds) for seconds in (75, 59.9, 3675, -1)] == ["1:15", "0:59", "1:01:15", "0:00"]


def test_an_error_inside_ends_it_too() -> None:
    heard: Told = []
    with pytest.raises(ValueError, match="broken"), reported_to(lambda *said: heard.append(said)):
        raise ValueError("broken")
    report(0, 0, "nobody")
    assert not heard


def test_a_remark_is_heard_inside_only() -> None:
    heard: list[str] = []
    remark("nobody hears this")
    with pytest.raises(ValueError, match="broken"), remarks_to(heard.append):
        remark("a column was taken")
        raise ValueError("broken")
    remark("nobody hears this either")
    assert heard == ["a column was taken"]
