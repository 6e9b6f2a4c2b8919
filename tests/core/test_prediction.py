"""A prediction is written as its kind is."""

from __future__ import annotations

import pytest

from lighten.core.prediction import Prediction


@pytest.mark.parametrize(
    ("one", "plain", "line"),
    [
        (
            Prediction("good", {"bad": 0.25, "good": 0.75}),
            {"label": "good", "scores": {"bad": 0.25, "good": 0.75}},
            "good",
        ),
        (Prediction("a", {"a": 1.0}, file="/x/a.png"), {"file": "/x/a.png", "label": "a", "scores": {"a": 1.0}}, "a"),
        (Prediction("two\n words"), {"answer": "two\n words"}, "two words"),
        (Prediction(measures={"bits_per_byte": 1.25}), {"bits_per_byte": 1.25}, "1.2500"),
    ],
)
def test_it_is_written_without_what_does_not_belong_to_its_kind(one: Prediction, plain: object, line: str) -> None:
    assert (one.to_json(), one.line()) == (plain, line)
    assert one.line(named=True) == (f"{one.file}\t{line}" if one.file else line)
