"""Guesses: which column could hold what, by its name or by what stands in it."""

from __future__ import annotations

import pytest

from lighten.core.errors import DataError
from lighten.data.cells import Table
from lighten.data.guesses import by_name, few_values, longest_text

TEXTS = tuple(f"a text of some words, number {n}" for n in range(40))


def test_a_usual_name_wins_and_is_said() -> None:
    notes: list[str] = []
    table = Table({"body": TEXTS, "label": tuple("ab" * 20)}, "d.csv")
    assert by_name(table, ("text", "body"), {"label"}, "--text", notes, "Texts are") == "body"
    assert notes == ["Texts are the column 'body' (by its name)."]
    assert longest_text(table, {"label"}, notes) == "body"


def test_labels_are_few_values_that_repeat() -> None:
    notes: list[str] = []
    table = Table({"body": TEXTS, "kind": tuple("ab" * 20)}, "d.csv")
    assert few_values(table, {"body"}, notes) == "kind"
    with pytest.raises(DataError, match=r"has no labels: beside 'body' there is no column(.|\n)*add one"):
        few_values(Table({"body": TEXTS}, "d.csv"), {"body"}, notes)
    with pytest.raises(DataError, match=r"No column of d.csv looks like a label(.|\n)*--label"):
        few_values(Table({"body": TEXTS, "id": tuple(map(str, range(40)))}, "d.csv"), {"body"}, notes)
