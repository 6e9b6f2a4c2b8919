"""What is said of data, and the columns that a model remembers."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.data_options import DataOptions, columns_in


def test_columns_that_a_model_was_made_with_stand_beside_what_is_said() -> None:
    said = DataOptions(label="stars")
    assert said.known == {}
    both = replace(said.beside({"text": "body"}), unit="user")
    assert (both.label, both.unit, both.text, both.known) == ("stars", "user", None, {"text": "body"})


def test_columns_of_a_record() -> None:
    record = {"text": "body", "label": "stars", "prompt": "{body}", "choices": ["a", "b"], "unit": ""}
    assert columns_in(record) == {"text": "body", "label": "stars"}
    assert columns_in(None) == columns_in("text") == {}
