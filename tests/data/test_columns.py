"""Which column is what: by option, by name, by content; doubt is an error that lists the candidates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.errors import DataError, UnknownName
from lighten.data.cells import Cell, Table
from lighten.data.columns import find_columns, text_column
from lighten.data.examples import check_classes, usable
from lighten.data.labels import label_text, sorted_labels


def table(**columns: list[Cell]) -> Table:
    return Table({name: tuple(cells) for name, cells in columns.items()}, "data.csv")


LONG: list[Cell] = [f"a sentence of some length, number {i}" for i in range(60)]
FEW: list[Cell] = ["yes", "no", "no"] * 20


def test_usual_names_are_found_whatever_their_case() -> None:
    found = find_columns(table(Review=LONG, Sentiment=FEW, domain=["a", "b"] * 30, id=list(range(60))))
    assert (found.text, found.label, found.group, found.unit) == ("Review", "Sentiment", "domain", None)


def test_unusual_names_are_found_by_content() -> None:
    found = find_columns(table(number=list(range(60)), was_gefiel=LONG, urteil=FEW))
    assert (found.text, found.label) == ("was_gefiel", "urteil")
    assert any("longest" in note for note in found.notes)


def test_text_and_label_win_over_other_usual_names() -> None:
    found = find_columns(table(text=LONG, content=LONG, label=FEW, stars=FEW))
    assert (found.text, found.label) == ("text", "label")


def test_given_names_win_and_are_checked() -> None:
    data = table(text=LONG, other=LONG, label=FEW, stars=FEW)
    assert find_columns(data, text="other", label="stars").text == "other"
    with pytest.raises(UnknownName, match="did you mean 'stars'"):
        find_columns(data, label="star")
    with pytest.raises(DataError, match="given for two things"):
        find_columns(data, text="text", label="text")


def test_none_takes_no_column_of_groups_or_units() -> None:
    data = table(text=LONG, label=FEW, domain=["a", "b"] * 30, user=[f"u{i % 30}" for i in range(60)])
    taken = find_columns(data)
    assert (taken.group, taken.unit) == ("domain", "user")
    found = find_columns(data, group="none", unit="none")
    assert (found.text, found.label, found.group, found.unit) == ("text", "label", None, None)
    assert "The column 'user' was not used, as --unit none asks." in found.notes
    assert find_columns(table(text=LONG, label=FEW), unit="none").unit is None


def test_a_column_called_none_is_a_column() -> None:
    assert find_columns(table(text=LONG, label=FEW, none=["a", "b"] * 30), group="none").group == "none"


def test_an_unwanted_unit_is_not_taken_for_a_label() -> None:
    data = table(words=LONG, urteil=FEW, user=[f"u{i % 30}" for i in range(60)])
    assert find_columns(data, unit="none").label == "urteil"


@pytest.mark.parametrize(
    ("columns", "option"),
    [
        ({"review": LONG, "content": LONG, "label": FEW}, "--text review"),
        ({"a": LONG, "b": LONG, "label": FEW}, "--text a"),
        ({"text": LONG, "stars": FEW, "category": FEW}, "--label category"),
        ({"text": LONG, "u": FEW, "v": FEW}, "--label u"),
        ({"text": LONG, "v": LONG}, "--label"),
        ({"number": list(range(60)), "label": FEW}, "--text"),
    ],
)
def test_doubt_lists_the_candidates_and_the_option(columns: dict[str, list[Cell]], option: str) -> None:
    with pytest.raises(DataError, match=option):
        find_columns(table(**columns))


def test_a_column_named_split_is_not_taken_for_the_label() -> None:
    assert find_columns(table(text=LONG, split=["train", "test"] * 30, verdict=FEW)).label == "verdict"


def test_unit_is_used_when_it_keeps_enough_rows_together() -> None:
    assert find_columns(table(text=LONG, label=FEW, user=[i // 2 for i in range(60)])).unit == "user"
    few = find_columns(table(text=LONG, label=FEW, user=[i % 3 for i in range(60)]))
    assert few.unit is None and any("'user'" in note and "not used" in note for note in few.notes)
    assert find_columns(table(text=LONG, label=FEW, user=[i % 3 for i in range(60)]), unit="user").unit == "user"


@pytest.mark.parametrize(
    ("value", "label"),
    [(1, "1"), (1.0, "1"), ("1.0", "1"), (" 1 ", "1"), (True, "true"), ("False", "false"), (2.5, "2.5"), ("007", "007"),
     (None, None), (float("nan"), None), ("  ", None), ("-1.00", "-1"), ("None", "None"), (float("inf"), "inf")],
)  # fmt: skip
def test_one_spelling_per_class(value: Cell, label: str | None) -> None:
    assert label_text(value) == label


@given(st.lists(st.sampled_from(["10", "9", "-1", "2.5"]), min_size=1), st.randoms())
def test_label_order_does_not_depend_on_the_rows(labels: list[str], random: object) -> None:
    assert sorted_labels(reversed(labels)) == sorted_labels(labels)
    assert sorted_labels(["10", "9", "-1"]) == ("-1", "9", "10")
    assert sorted_labels(["10", "9", "x"]) == ("10", "9", "x")


def test_empty_cells_are_listed_by_row_or_dropped_and_counted() -> None:
    data = table(text=["a", " ", "c", None, "e"], label=["x", "y", float("nan"), "x", "y"])
    columns = find_columns(data, text="text", label="label")
    with pytest.raises(DataError, match=r"2 rows without 'text' \(row 2, 4\); 1 row without 'label' \(row 3\)"):
        usable(data, columns)
    kept = usable(data, columns, drop_empty=True)
    assert [row.number for row in kept.rows] == [1, 5]
    assert any("row 2, 4" in note for note in kept.notes)


def test_classes_are_checked() -> None:
    def notes(labels: list[Cell]) -> tuple[str, ...]:
        data = table(text=[f"t {i}" for i in range(len(labels))], label=labels)
        return check_classes(usable(data, find_columns(data, text="text", label="label")), "label", data.source)

    with pytest.raises(DataError, match="same label"):
        notes(["x"] * 9)
    with pytest.raises(DataError, match="a number to predict"):
        notes([i / 7 for i in range(1, 60)])
    assert any("'rare' (3)" in note for note in notes(["x"] * 40 + ["y"] * 40 + ["rare"] * 3))
    assert any("'nan'" in note for note in notes(["x"] * 40 + ["nan"] * 40))


def test_data_that_is_only_answered_needs_no_label_and_only_its_text_is_asked_about() -> None:
    def taken(data: Table, text: str | None = None) -> str:
        return text_column(data, text)[0]

    assert taken(table(review=LONG)) == "review" == taken(table(nr=list(range(60)), review=LONG))
    assert taken(table(label=LONG, body=LONG, user_id=FEW, doc_id=FEW)) == "body", "a label is no text"
    assert taken(table(one=LONG, two=LONG), "two") == "two"
    with pytest.raises(DataError, match="2 columns") as caught:
        taken(table(one=LONG, two=LONG))
    assert "--text one" in caught.value.fix and "--label" not in str(caught.value)
    with pytest.raises(UnknownName, match="'thre'"):
        taken(table(one=LONG, three=LONG), "thre")


BODY: list[Cell] = [f"what the letter says of matter {i * 7} is quite another thing, and longer" for i in range(60)]
TITLE: list[Cell] = [f"heading {i} above it" for i in range(60)]


def test_what_is_only_answered_is_read_by_the_column_that_the_model_was_made_with() -> None:
    data = table(title=TITLE, body=BODY, label=FEW)
    assert text_column(data, known={"text": "body"}) == (
        "body",
        ("Texts are the column 'body' (as when the model was made).",),
    )
    found, notes = text_column(data, known={"text": "title"})
    assert found == "title" and notes == ("Texts are the column 'title' (as when the model was made).",)
    assert text_column(data, "body", known={"text": "title"}) == ("body", ()), "the user says so"
    assert text_column(table(title=TITLE, label=FEW), known={"text": "title"}) == ("title", ()), (
        "as it would be guessed"
    )
    found, notes = text_column(table(body=BODY, label=FEW), known={"text": "title"})
    assert (
        found == "body" and "no column 'title', which the model was made with" in notes[0] and "by its name" in notes[1]
    )
    assert text_column(table(body=BODY), known={"text": "title"}) == ("body", ()), "there is only one"


def test_pairs_are_not_answered_by_one_of_them_without_a_word() -> None:
    data = table(title=TITLE, body=BODY, label=FEW)
    with pytest.raises(DataError, match="hold 2 texts: title, body") as caught:
        text_column(data)
    assert "--text title" in caught.value.fix
    with pytest.raises(DataError, match="made with the column 'subject', which is not there"):
        text_column(data, known={"text": "subject"})
    assert text_column(data, paired=True)[0] == "body", "documents have no label beside which one is dropped"


def test_other_data_are_read_by_the_columns_that_a_model_was_made_with() -> None:
    users: list[Cell] = [f"u{i % 30}" for i in range(60)]
    data = table(title=TITLE, body=BODY, label=FEW, urteil=FEW, user=users, who=users, side=["a", "b"] * 30)
    known = {"text": "title", "label": "urteil", "unit": "who", "group": "side"}
    found = find_columns(data, known=known)
    assert (found.text, found.label, found.unit, found.group) == ("title", "urteil", "who", "side")
    assert "Texts are the column 'title' (as when the model was made)." in found.notes
    given = find_columns(data, text="body", label="label", unit="none", known=known)
    assert (given.text, given.label, given.unit) == ("body", "label", None), "what is given counts"
    other = find_columns(table(text=LONG, label=FEW, who=["u1", "u2"] * 30), known={**known, "group": "none"})
    assert (other.text, other.label, other.unit) == ("text", "label", None), "too few units, as always"


def test_the_split_that_a_model_was_made_by_says_what_it_is_judged_by() -> None:
    data = table(text=LONG, label=FEW, lot=["train-a", "train-b", "test-a"] * 20)
    assert not find_columns(data, judging=True).skipped
    found = find_columns(data, judging=True, known={"split_column": "lot"})
    assert found.split == "lot" and len(found.skipped) == 40
    assert find_columns(data, judging=True, split="none", known={"split_column": "lot"}).skipped == frozenset()


def test_what_a_model_was_made_with_is_kept_for_its_role() -> None:
    data = table(domain=LONG, label=FEW)
    found = find_columns(data, known={"text": "domain", "label": "label"})
    assert (found.text, found.label, found.group) == ("domain", "label", None)
    found = find_columns(table(topic=LONG, verdict=FEW), known={"text": "topic", "label": "y"})
    assert (found.text, found.label) == ("topic", "verdict")
    data = table(user=LONG, topic=FEW, label=FEW, domain=["a", "b"] * (len(LONG) // 2))
    found = find_columns(data, known={"text": "user", "label": "domain", "group": "label", "unit": "topic"})
    assert (found.text, found.label, found.group, found.unit) == ("user", "domain", "label", None)
    found = find_columns(table(text=LONG, label=FEW, kind=FEW), label="kind", known={"text": "text", "label": "label"})
    assert (found.text, found.label) == ("text", "kind")
    found = find_columns(table(text=LONG, label=FEW), labelled=False, known={"text": "gone", "label": "label"})
    assert (found.text, found.label) == ("text", "")


def test_rows_are_mixed_where_a_model_was_made_so() -> None:
    data = table(text=LONG, label=FEW, split=["train", "train", "test"] * (len(LONG) // 3))
    assert find_columns(data, judging=True).skipped
    found = find_columns(data, judging=True, known={"split_column": "none"})
    assert found.mixed and not found.skipped


def test_texts_beside_the_one_that_is_taken_are_named() -> None:
    labels: list[Cell] = ["good", "bad"] * 10
    titles: list[Cell] = ["Great", "Bad", "Fine", "Good"] * 5
    data = table(title=titles, text=[f"number {i} of the texts that are read" for i in range(20)], label=labels)
    assert "Columns of text that are not used: 'title'." in find_columns(data).notes
    assert not any("not used" in note for note in find_columns(data, text="text").notes), "the user said so"
