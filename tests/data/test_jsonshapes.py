"""Rows that hold lists stay rows, columns called by numbers stay columns, and names above one part are those of all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lighten.core.errors import DataError
from lighten.data.files import read_data

TEXTS = [f"a film about number {i}, and more of it" for i in range(60)]
LABELS = ["good", "bad", "bad"] * 20
ROWS = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]


RECORDS: dict[str, Any] = {
    "answers": {"context": "long story", "question": "who?", "answers": {"text": ["Romulus"], "answer_start": [3]}},
    "more answers": {"context": "a story", "question": "who?", "answers": {"text": ["a", "b"], "answer_start": [3, 5]}},
    "spans": {"text": "Bob lives here", "spans": {"label": ["PER", "LOC"], "start": [0, 13]}},
    "words": {"words": ["Bob", "lives"], "spans": {"label": ["PER", "LOC"], "start": [0, 13]}},
    "a story": {"story": "Bob lives " * 9, "spans": {"label": ["PER", "LOC"], "start": [0, 13]}},
    "objects": {"text": "Bob lives", "entities": [{"label": "PER", "start": 0}, {"label": "LOC", "start": 4}]},
    "two lists": {"text": "Bob lives", "a": [{"label": "PER"}, {"label": "LOC"}], "b": [{"of": 1}, {"of": 2}]},
}


@pytest.mark.parametrize("name", RECORDS)
def test_one_record_is_not_replaced_by_what_is_in_it(name: str) -> None:
    table = read_data(json.dumps(RECORDS[name]).encode(), "a.jsonl")
    assert len(table) == 1 and set(RECORDS[name]) == {column.partition(".")[0] for column in table.columns}


@pytest.mark.parametrize("names", [("0", "1"), ("yes", "no")])
def test_columns_called_by_numbers_or_that_repeat_are_no_classes(names: tuple[str, str]) -> None:
    value = dict(zip(names, (TEXTS, LABELS), strict=True))
    table = read_data(json.dumps(value).encode(), "a.json")
    assert list(map(list, table.columns.values())) == [TEXTS, LABELS] and tuple(table.columns) == names
    uneven = read_data(json.dumps({"0": TEXTS[:20], "1": TEXTS[20:]}).encode(), "a.json")
    assert uneven.column("label").count("0") == 20
    even = read_data(json.dumps({"0": TEXTS[:30], "1": TEXTS[30:]}).encode(), "a.json")
    assert tuple(even.columns) == ("0", "1")


def test_a_label_may_be_called_as_columns_are() -> None:
    value = {"question": TEXTS[:20], "statement": TEXTS[20:50], "command": TEXTS[50:]}
    labels = read_data(json.dumps(value).encode(), "a.json").column("label")
    assert [labels.count(name) for name in value] == [20, 30, 10]
    for names in (("review", "stars"), ("text", "kind")):
        with pytest.raises(DataError, match="differ in length"):
            read_data(json.dumps(dict(zip(names, (TEXTS, TEXTS[1:]), strict=True))).encode(), "a.json")


def test_names_above_the_rows_of_one_part() -> None:
    pairs = [list(row.values()) for row in ROWS]
    for parts in (
        {"train": [["text", "label"], *pairs], "test": [["text", "label"]]},
        {"train": pairs, "test": [["text", "label"]]},
    ):
        table = read_data(json.dumps(parts).encode(), "a.json")
        assert (list(table.column("text")), list(table.column("label"))) == (TEXTS, LABELS)
    words = [["first words", "good"], ["more words", "bad"]]
    table = read_data(json.dumps({"train": pairs, "test": words}).encode(), "a.json")
    assert list(table.columns) == ["column_1", "column_2", "split"] and len(table) == 62
    named = [["words", "kind"], *pairs]
    table = read_data(json.dumps({"train": named, "test": named}).encode(), "a.json")
    assert list(table.columns) == ["words", "kind", "split"] and len(table) == 120
    with pytest.raises(DataError, match="different columns"):
        read_data(json.dumps({"train": ROWS, "test": [[label, text] for text, label in pairs]}).encode(), "a.json")
