"""The report and the model card say how many texts are cut and what share of the tokens is unknown."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.coverage import Coverage
from lighten.core.summary import Summary
from lighten.reports.card import model_card
from lighten.reports.coverage import coverage_sentences
from lighten.reports.page import page
from lighten.store.summaries import summary_from
from lighten.testing.summaries import winner


def covered() -> Summary:
    run = winner()
    parts = {"train": Coverage(1000, 120, 512, 9000, 5994), "proof": Coverage(400, 0, 512, 1000, 666)}
    return replace(run, data=replace(run.data, coverage=parts))


def test_it_stands_in_the_report_in_both_languages_and_in_the_card() -> None:
    run = covered()
    html, card = page(run), model_card(run)
    for text in ("67% of the tokens of your texts are unknown to sample:minilm", "120 of 1,000 texts in train (12%)"):
        assert text in html
    assert "120 of 1,000 texts in train" in card
    chinese = coverage_sentences("zh", run)
    assert "67%" in chinese[0] and "120" in chinese[1] and "训练" in chinese[1]
    assert all(text in html for text in chinese)
    assert summary_from(run.to_json()).data.coverage == run.data.coverage


def test_nothing_is_said_of_texts_that_are_read_whole() -> None:
    assert coverage_sentences("en", winner()) == coverage_sentences("zh", winner()) == []
