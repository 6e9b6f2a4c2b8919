"""What stands first, on screen, page and card, when the original is no better than one answer for everything."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from lighten.core.outcome import Constant
from lighten.core.summary import Summary
from lighten.reports import table
from lighten.reports.card import model_card
from lighten.reports.constant import constant_sentence
from lighten.reports.page import page
from lighten.store.summaries import summary_from
from lighten.testing.summaries import winner

FOUND = Constant("positive", "accuracy", "select", 393, 0.512, 0.0936, -0.46, -0.38, "worse")


def shown(run: Summary, lang: str) -> str:
    console = Console(file=StringIO(), width=100, color_system="truecolor", force_terminal=True)
    console.print(table.verdict_panel(run, lang))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(("lang", "said"), [("en", "worse than always answering “positive”"), ("zh", "“positive”还差")])
def test_it_comes_first_in_red(lang: str, said: str) -> None:
    run = replace(winner(), constant=FOUND)
    sentence = constant_sentence(FOUND, lang)
    assert said in sentence and "9.36" in sentence and "51.2" in sentence and "393" in sentence
    screen = shown(run, lang)
    plain = shown(winner(), lang)
    assert screen.index("positive”") < screen.index("95%") and "positive”" not in plain
    document = page(run)
    assert document.index('class="alarm"') < document.index("<h1>") and sentence in document
    assert 'class="alarm"' not in page(winner())


def test_the_card_and_the_record_have_it() -> None:
    run = replace(winner(), constant=FOUND)
    card = model_card(run)
    assert card.index("worse than always answering") < card.index("## What it is")
    assert summary_from(run.to_json()) == run
    weaker = replace(FOUND, state="not_enough_data", lower=-0.01, upper=0.02)
    assert "not shown to be better" in constant_sentence(weaker, "en")
    with pytest.raises(Exception, match=r"constant\.state"):
        summary_from(replace(run, constant=replace(FOUND, state="holds")).to_json())


def test_long_answers_are_cut() -> None:
    assert len(constant_sentence(replace(FOUND, answer="x" * 5000), "en")) < 500
    assert constant_sentence(None, "en") == ""
