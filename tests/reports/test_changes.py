"""What changed in a language model: how often, and both models side by side as plain text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lighten.core.summary import Flip
from lighten.reports.changes import continuations, flips
from lighten.reports.page import page
from lighten.testing import language_summaries, summaries


def text(markup: str) -> str:
    return re.sub(r"<[^>]+>", " ", markup).replace("&#39;", "'")


def test_documents_say_at_how_many_places_the_next_token_changed() -> None:
    said = text(flips(language_summaries.documents()))
    assert "At 8% of 1,040 places in the select documents the most likely next token is another" in said
    assert "Not one answer changed" not in said


def test_prompts_say_how_many_answers_changed_and_who_was_right() -> None:
    said = text(flips(language_summaries.answers()))
    assert "3% of the 1,000 prompts of the select part get another answer" in said
    assert "41 prompts were answered right by the original only, 29 by the winner only" in said


def test_choices_are_shown_as_labels_are() -> None:
    run = replace(summaries.winner(), task="text_generation")
    assert flips(run) == flips(summaries.winner())


def test_both_models_stand_side_by_side() -> None:
    markup = continuations(language_summaries.documents())
    assert markup.count('class="sample"') == 4
    assert re.search(
        r"original.*share of laughs\. The film is a bit.*winner.*share of laughs\. It is a film", text(markup)
    )
    assert continuations(summaries.winner()) == ""


def test_what_models_write_is_never_markup() -> None:
    markup = continuations(language_summaries.hostile())
    assert "<script" not in markup
    assert "<img" not in markup
    assert "\x1b" not in markup
    assert "\ud800" not in markup
    assert markup.count("(nothing)") == 2


def test_pictures_are_shown_inside_the_page() -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    run = replace(summaries.winner(), flips=(Flip("shoes/1.png", "boot", "boot", "bag", "", "broke", picture),))
    assert f'<img src="{picture}" alt="" loading="lazy"><p dir="auto">shoes/1.png</p>' in flips(run)
    assert "img-src data:" in page(run)


@pytest.mark.parametrize("address", ["https://example.org/a.png", "javascript:alert(1)", 'data:image/png,"><script>'])
def test_an_address_that_is_no_picture_of_the_page_is_never_fetched(address: str) -> None:
    run = replace(summaries.winner(), flips=(Flip("a", "boot", "boot", "bag", "", "broke", address),))
    markup = flips(run)
    assert "example.org" not in markup
    assert "javascript" not in markup
    assert "<script" not in markup
