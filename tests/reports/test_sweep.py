"""What is said of a search: every trial in both languages, what mattered, what was chance; nothing without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lighten.core.training import TrainingResult
from lighten.reports.sweep import ranked, searched, setting_value, standard_error, sweep_section
from lighten.reports.training import training_page
from lighten.reports.training_card import training_card
from lighten.testing.trainings import SWEEP, result


def test_the_section_has_trials_figures_and_what_mattered() -> None:
    page = training_page(result(sweep=SWEEP, best=None))
    assert '<section id="sweep">' in page and "Search for settings" in page and "超参数搜索" in page
    assert "Score by trial" in page and "各次试验得分" in page and "fANOVA" in page
    assert "stopped at 17%" in page and "在 17% 处停止" in page and "came apart" in page
    assert "85.00%" in page and "2.2e-04" in page and "5 trials were asked for" in page
    assert "Given, not searched: Dropout 0.1" in page and "1.6 points" in page
    assert "<b>NaN" not in page and "&lt;b&gt;NaN" in page
    assert "Nothing was held out of it" in page and "2 min 17 s" in page.replace("\u00a0", " ")
    assert '<section id="sweep">' not in training_page(result()) and sweep_section(result()) == ""


def test_what_is_no_share_is_shown_by_its_loss() -> None:
    page = training_page(result(sweep=replace(SWEEP, importance={}), shares=False))
    assert "Loss by trial" in page and "0.4000" in page and "One standard error" not in page
    assert "Which settings matter is not known" in page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_where_the_settings_come_from_is_said(lang: str) -> None:
    assert "4" in searched(result(sweep=SWEEP), lang)
    assert searched(result(), lang) == ""


def test_the_winner_comes_first_and_what_was_not_judged_last() -> None:
    assert [one.number for one in ranked(SWEEP)] == [4, 1, 2, 3]
    assert standard_error(SWEEP) == pytest.approx((0.85 * 0.15 / 500) ** 0.5)
    assert [setting_value(one) for one in (0.0, 3.4567e-5, 0.05, 32, 1.5)] == ["0", "3.5e-05", "0.05", "32", "1.5"]


def test_the_card_says_what_was_searched() -> None:
    card = training_card(result(sweep=SWEEP))
    assert "## Search" in card and "best of 4 trials" in card and "the default settings 80.00%" in card
    assert "| Learning rate | 2.0e-05 | 5.0e-04 | 2.2e-04 |" in card
    assert "## Search" not in training_card(result())


def test_it_is_read_back_as_it_was_written() -> None:
    made = result(sweep=SWEEP)
    assert TrainingResult.from_json(made.to_json()) == made
