"""What stands in a template is cleaned and escaped; its own lines and indentation are no part of the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from lighten.core.summary import Continuation
from lighten.reports import templates
from lighten.reports.markup import Both, data, esc
from lighten.reports.templates import finished, render


def test_texts_are_escaped_and_cleaned_and_markup_stays() -> None:
    texts = Continuation('<b>"\x1b', "a\ud800", "<script>")
    markup = render("continuations", samples=[texts])
    assert '<p dir="auto" class="begins">&lt;b&gt;&#34;\ufffd</p>' in markup
    assert '<p dir="auto">a\ufffd</p>' in markup and "<script>" not in markup
    assert finished(Markup("<b>")) == Markup("<b>") and finished(3) == 3


def test_a_template_that_lacks_a_value_fails() -> None:
    with pytest.raises(UndefinedError, match="samples"):
        render("continuations")


def test_no_line_of_a_template_reaches_the_page() -> None:
    assert "\n" not in render("continuations", samples=[Continuation("a", "b", "c")])


def test_no_template_marks_anything_as_safe_by_itself() -> None:
    for path in (Path(templates.__file__).parent / "templates").glob("*.html"):
        assert "|safe" not in path.read_text(encoding="utf-8").replace(" ", ""), path.name


def test_a_text_in_both_languages_is_one_element_for_each() -> None:
    both = Both(lambda lang: f"<{lang}>\x07")
    assert str(both) == '<span lang="en">&lt;en&gt;\ufffd</span><span lang="zh">&lt;zh&gt;\ufffd</span>'
    assert both.within("p", "note").startswith('<p lang="en" class="note">')
    assert (
        both.label()
        == 'aria-label="&lt;en&gt;\ufffd" data-label-en="&lt;en&gt;\ufffd" data-label-zh="&lt;zh&gt;\ufffd"'
    )
    assert both["zh"] == "<zh>\ufffd" and not Both(lambda lang: "")


def test_data_is_isolated_once() -> None:
    assert data("<i>", "mono") == '<bdi class="mono">&lt;i&gt;</bdi>' and data(data("x")) == "<bdi><bdi>x</bdi></bdi>"
    assert esc(Markup("<b>")) == "<b>" and esc("<b>") == "&lt;b&gt;"
