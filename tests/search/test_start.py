"""Everything the user gave is read and checked before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import BudgetError, UnknownName
from lighten.data.learned import hashes_of
from lighten.search.listener import Quiet
from lighten.search.options import Options
from lighten.search.start import ask, columns_of, meters, read_data, without_learned
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration


class Notes(Quiet):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Remember it."""
        self.said.append(text)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """4,000 rows of two classes."""
    path = tmp_path / "reviews.csv"
    rows = (f"a text number {i},{'good' if i % 2 else 'bad'}\n" for i in range(4000))
    path.write_text("text,label\n" + "".join(rows), encoding="utf-8")
    return path


def test_meters_are_those_of_the_task() -> None:
    quality, speed = meters(TextClassification())
    assert "accuracy" in quality
    assert "bits_per_byte" not in quality
    assert set(speed) == set(TextClassification().speeds)
    quality, speed = meters(TextGeneration())
    assert "bits_per_byte" in quality
    assert "decode" in speed


def test_without_a_floor_the_default_is_taken_and_said(reviews: Path, tmp_path: Path) -> None:
    heard = Notes()
    asked = ask(Options("m", str(reviews), tmp_path / "run", task="text_classification"), heard)
    assert [floor.metric for floor in asked.budget.keep] == ["accuracy"]
    assert any("No --keep was given" in note for note in heard.said)
    assert asked.columns["label"] == "label"
    assert not (tmp_path / "run").exists()


def test_names_that_do_not_exist_are_refused_with_the_nearest(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="There is no engine named 'orrt'"):
        ask(Options("m", str(reviews), tmp_path / "run", task="text_classification", engines=("orrt",)), Quiet())
    with pytest.raises(UnknownName, match="quantity for --under"):
        ask(Options("m", str(reviews), tmp_path / "run", task="text_classification", under=("memry<=1GB",)), Quiet())
    with pytest.raises(BudgetError, match="cannot be read"):
        ask(Options("m", str(reviews), tmp_path / "run", task="text_classification", keep=("accuracy",)), Quiet())
    assert not (tmp_path / "run").exists()


def test_learned_rows_that_are_known_late_leave_what_is_judged_without_reading_again(
    reviews: Path, tmp_path: Path
) -> None:
    heard = Notes()
    asked = ask(Options("m", str(reviews), tmp_path / "run", task="text_classification"), heard)
    told = list(heard.said)
    reviews.unlink()
    assert without_learned(asked, hashes_of(asked.parts.train.ids), heard) is asked
    fewer = without_learned(asked, hashes_of(asked.parts.proof.ids[:100]), heard)
    assert len(fewer.parts.proof) == len(asked.parts.proof) - 100
    assert len(fewer.parts.train) == len(asked.parts.train) + 100
    assert fewer.power != asked.power
    assert any("learned" in note for note in heard.said[len(told) :])
    assert not set(asked.parts.notes) & set(heard.said[len(told) :])


def test_a_trained_model_is_optimized_on_the_columns_that_it_was_trained_on(tmp_path: Path) -> None:
    lines = (f"heading {i},what letter {i} says at quite some length,{'no' if i % 2 else 'yes'}\n" for i in range(400))
    (tmp_path / "l.csv").write_text("title,body,label\n" + "".join(lines), encoding="utf-8")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"1")
    Artifact.seal(tmp_path / "model", format="hf", meta={"data": {"text": "title"}})
    assert columns_of(tmp_path / "model") == {"text": "title"} and columns_of(None) == columns_of(tmp_path) == {}
    options = Options(str(tmp_path / "model"), str(tmp_path / "l.csv"), tmp_path / "run", task="text_classification")
    assert read_data(options).columns == {"text": "title", "label": "label"}
