"""How a run without a clear winner ends is said first, in words and numbers."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from lighten.core.outcome import Bound, Nearest
from lighten.core.summary import STATES, Summary
from lighten.reports import page, table
from lighten.reports.describe import findings
from lighten.reports.ending import apart, bound_text
from lighten.store.summaries import summary_from
from lighten.testing import summaries


def said(summary: Summary, lang: str = "en") -> list[str]:
    return [text.replace("\u00a0", " ") for text in findings(summary, lang)]


def test_the_first_line_says_what_was_missed_and_by_how_much() -> None:
    first, second, *_ = said(summaries.near_miss())
    name = "vocabulary + 3 layers + distilled + int8 static @ ov"
    assert first == (
        f"Nothing met the budget: candidate 13 ({name}) came nearest, with size on disk 9.24 MB where you allow 9 MB "
        "(2.7% over)."
    )
    assert second.startswith("It meets everything else on the select rows")
    chinese = said(summaries.near_miss(), "zh")[0]
    assert "9.24 MB" in chinese
    assert "超出 2.7%" in chinese


def test_what_would_accept_it_stands_on_the_page() -> None:
    text = page.page(summaries.near_miss())
    assert "--under &#x27;size&lt;=9.3MB&#x27; --resume" in text or "--under &#39;size&lt;=9.3MB&#39; --resume" in text
    assert "To accept it" in text
    assert "came nearest" in text.partition("<h1>")[2].partition("</h1>")[0]


def test_a_ceiling_missed_at_the_end_is_no_winner() -> None:
    first, second, *_ = said(summaries.missed())
    assert first.startswith(
        "Quality is proved, but in the last measurement every candidate that holds missed a ceiling"
    )
    assert "p95 latency 3.71 ms (±0.22 ms) where you allow 3 ms (24% over)" in first
    assert second == "It meets everything else."


def test_what_is_within_the_spread_is_said() -> None:
    assert "P95 latency: 3.71 ms measured, ±0.30 ms; you asked for 3.5 ms." in " ".join(said(summaries.contradicted()))
    plain = replace(summaries.contradicted(), ceilings=())
    assert "you asked for 3.5 ms" not in " ".join(said(plain))


def test_what_was_measured_cheaper_and_never_proved_stands_in_the_first_line() -> None:
    first = said(summaries.contradicted())[0]
    assert "Candidate 8 (2 layers + distilled + int8 static @ ov) was measured cheaper still" in first
    assert "was measured cheaper" not in said(summaries.winner())[0]


def test_a_proof_that_could_not_be_done_says_why_and_what_to_do() -> None:
    first, second, *_ = said(summaries.unproved())
    assert "the original failed on the proof rows (SessionTimeout: The process did not answer in 120 seconds.)" in first
    assert "--resume" in second


def test_an_empty_search_says_why() -> None:
    text = " ".join(said(summaries.untried()))
    assert "0 candidates" not in text
    assert "of the 60 s, 41 s were used before the search began" in text
    assert "ov (OpenVINO is not installed)" in text
    assert "引擎" in " ".join(said(summaries.untried(), "zh"))


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_panel_and_a_page(state: str) -> None:
    made = {
        "winner": summaries.winner, "nothing_met": summaries.near_miss, "missed": summaries.missed,
        "unproved": summaries.unproved, "interrupted": summaries.interrupted,
    }[state]()  # fmt: skip
    assert made.state == state
    assert summary_from(made.to_json()) == made
    console = Console(file=StringIO(), width=100)
    console.print(table.verdict_panel(made))
    console.print(table.candidates(made, width=100))
    assert isinstance(console.file, StringIO)
    assert said(made)[0][:30] in console.file.getvalue().replace("\u00a0", " ")
    assert f'class="state {state}"' in page.page(made)


def test_the_table_shows_the_column_that_was_missed() -> None:
    console = Console(file=StringIO(), width=120)
    console.print(table.candidates(summaries.near_miss(), width=120))
    assert isinstance(console.file, StringIO)
    assert "Size on disk" in console.file.getvalue().replace("\n", " ")


@pytest.mark.parametrize(
    ("value", "limit", "texts"),
    [
        (195.1, 190.0, ("195 MB", "190 MB")),
        (190.04, 190.0, ("190.04 MB", "190 MB")),
        (5.1, 5.0, ("5.10 MB", "5 MB")),
        (0.25, 0.2, ("0.250 MB", "0.2 MB")),
    ],
)
def test_a_value_and_its_limit_never_read_alike(value: float, limit: float, texts: tuple[str, str]) -> None:
    assert tuple(text.replace("\u00a0", " ") for text in apart(value, limit, "MB", "en")) == texts


def test_bounds_of_every_kind_are_said() -> None:
    up = Bound("rows_per_second", "rows/s", "higher", "throughput>=500", "ceiling", 400.0, 12.0, 500.0, "missed")
    assert "where you ask for 500 rows/s (20% short)" in bound_text(up, "en").replace("\u00a0", " ")
    floor = Bound("accuracy", "fraction", "higher", "accuracy>=-1pt", "floor", 0.871, 0.0, 0.882, "missed")
    assert bound_text(floor, "en").replace("\u00a0", " ") == (
        "accuracy 87.1% where you ask for 88.2% (1.1 points short)"
    )
    unknown = replace(up, value=None, state="unknown")
    assert bound_text(unknown, "en") == "throughput that could not be measured"
    both = replace(summaries.near_miss(), nearest=Nearest(13, (up, floor)))
    assert " and accuracy 87.1%" in said(both)[0]
