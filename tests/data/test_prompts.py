"""Prompts: only columns stand in braces, choices that overlap are refused, shots follow content and seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.errors import DataError, UnknownName
from lighten.data.examples import Example
from lighten.data.prompts import checked_choices, drawn_shots, parse_template, prefix_of, with_choices


def test_a_template_is_filled_and_a_shells_line_break_is_one() -> None:
    template = parse_template(r"Review: {text}\nBy {the user}:")
    assert template.fields == ("text", "the user")
    assert template.render({"text": "a {film} \\n", "the user": None}) == "Review: a {film} \\n\nBy :"
    assert template.render({"text": 3.0, "the user": True}) == "Review: 3\nBy true:"
    assert parse_template("{{{a}}} {{}} {a}").render({"a": "x"}) == "{x} {} x"


@settings(max_examples=100, deadline=None)
@given(st.text("{}ab\n :."), st.text())
def test_braces_are_doubled_to_stand_for_themselves(plain: str, value: str) -> None:
    doubled = plain.replace("{", "{{").replace("}", "}}")
    assert parse_template(doubled + "{column}").render({"column": value}) == plain + value


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("Review: {text", "character 9 .* has no partner"),
        ("Review: text}", "character 13 .* has no partner"),
        ("Review: {}", "braces with no column"),
        ("Review: {{text}}", "names no column"),
        ("", "names no column"),
    ],
)
def test_templates_that_cannot_be_read_are_refused(prompt: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        parse_template(prompt)


@pytest.mark.parametrize("name", ["text.upper", "text[0]", "text!r", "text:>10", "text.__class__.__mro__"])
def test_attributes_indices_and_formats_are_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"more than the name of a column(.|\n)*write \{text\}"):
        parse_template(f"{{{name}}}").check(("text", "label"))


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"'txet'(.|\n)*allowed: label, text(.|\n)*did you mean 'text'"):
        parse_template("{txet}").check(("text", "label"))
    parse_template("{review.text} {a: b}").check(("review.text", "a: b"))


@pytest.mark.parametrize(("prompt", "space"), [("{a}:", " "), ("{a}", " "), ("{a}: ", ""), ("{a}\\n", "")])
def test_a_space_stands_between_prompt_and_choice_unless_the_prompt_ends_in_one(prompt: str, space: str) -> None:
    assert parse_template(prompt).space == space


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ((), "0 choice"),
        (("yes",), r"1 choice \(yes\)"),
        (("yes", " "), "Choice 2 of 2 is empty"),
        (("yes", "no", "Yes "), "'yes' and 'Yes' are the same"),
        (("not good", "no"), "'not good' begins with the choice 'no'"),
        (("a", "b", "ab"), "'ab' begins with the choice 'a'"),
    ],
)
def test_choices_that_cannot_be_told_apart_are_refused(choices: tuple[str, ...], says: str) -> None:
    with pytest.raises(DataError, match=says):
        checked_choices(choices)


def test_labels_become_the_choices_as_they_were_written() -> None:
    assert checked_choices((" Positive", "negative ")) == ("Positive", "negative")
    rows = [Example("a", "POSITIVE", 1), Example("b", "negative", 2), Example("c", "1", 3), Example("d", "so  So", 4)]
    chosen, notes = with_choices(rows, ("Positive", "negative", "1.0", "so so", "never"), "label", "data.csv")
    assert [row.label for row in chosen] == ["Positive", "negative", "1.0", "so so"]
    assert notes == ["No row has the choice 'never'."]
    with pytest.raises(DataError, match=r"'1' \(row 3\), 'so  So' \(row 4\)(.|\n)*allowed: positive, negative"):
        with_choices(rows, ("positive", "negative"), "label", "data.csv")
    with pytest.raises(DataError, match="same choice: 'label' is 'positive'"):
        with_choices(rows[:1], ("positive", "negative"), "label", "data.csv")


POOL = [(kind, f"{kind} {i}") for kind, count in (("rare", 2), ("a", 40), ("b", 60)) for i in range(count)]


@settings(max_examples=60, deadline=None)
@given(st.permutations(POOL), st.integers(0, 12), st.integers(0, 5))
def test_shots_are_balanced_and_do_not_follow_the_order_of_rows(
    pool: list[tuple[str, str]], shots: int, seed: int
) -> None:
    drawn = drawn_shots(pool, shots, seed=seed)
    assert drawn == drawn_shots(POOL, shots, seed=seed) and len(set(drawn)) == shots
    counts = Counter(shot.split()[0] for shot in drawn)
    assert counts["rare"] == min(2, counts["rare"]) and abs(counts["a"] - counts["b"]) <= 1
    assert counts["rare"] >= min(2, shots // 3)


def test_shots_follow_the_seed_and_cannot_exceed_train() -> None:
    assert drawn_shots(POOL, 8, seed=0) != drawn_shots(POOL, 8, seed=1)
    with pytest.raises(DataError, match=r"103 shots(.|\n)*102 distinct rows(.|\n)*0 to 102"):
        drawn_shots([*POOL, *POOL], 103, seed=0)
    with pytest.raises(DataError, match="-1 shots"):
        drawn_shots(POOL, -1, seed=0)
    assert prefix_of(["Q: a\nA: b", "Q: c\nA: d"]) == "Q: a\nA: b\n\nQ: c\nA: d\n\n" and prefix_of([]) == ""
