"""What models are asked: what the winner was made for, the user's own words, and no mixture of kinds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, InputError, ModelError, UnknownName
from lighten.core.progress import remarks_to
from lighten.tasks.text_classification import TextClassification
from lighten.verbs.question import Question, question_for, question_of

CHOSEN = {"use": "text_generation", "evidence": "choices", "choices": [" good", " bad"], "prefix": "Shots.\n\n"}
DATA = {"prompt": "{place}:", "choices": "good,bad"}


def artifact(format: str = "byte-lm", **meta: Any) -> Artifact:
    return Artifact(Path("nowhere"), "", format, {}, meta=meta)


def evidence(question: Question) -> str:
    return question.task.facts["evidence"]


def table(path: Path, rows: list[tuple[str, ...]], head: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


PLACES = [(f"mill {i}", "near" if i % 2 else "far", ("good", "bad")[i % 2]) for i in range(8)]


def test_a_model_that_says_nothing_is_asked_what_its_format_is_for() -> None:
    assert evidence(question_of(artifact("gguf"))) == "documents"
    assert evidence(question_of(artifact("onnx", task="text_generation"))) == "documents"
    classifier = question_of(artifact("hf", labels=["no", "yes"]))
    assert (classifier.task, classifier.labels) == (TextClassification(), ("no", "yes"))


def test_a_winner_says_what_it_was_made_for() -> None:
    found = question_of(artifact(asked=CHOSEN, data=DATA, labels=["good", "bad"]))
    assert (evidence(found), found.labels, found.data["prompt"]) == ("choices", ("good", "bad"), "{place}:")
    assert question_of(artifact(asked=CHOSEN)).labels == ("good", "bad"), "without the space that follows the prompt"
    assert getattr(found.task, "prefix", "") == "Shots.\n\n"
    with pytest.raises(ModelError, match="a task that is not known here"):
        question_of(artifact(asked={"use": "text_translation"}))
    with pytest.raises(ModelError, match="a task that is not known here"):
        question_of(artifact(asked={"use": "text_generation", "colour": "blue"}))


def test_the_winner_decides_what_the_original_is_asked() -> None:
    made = artifact(asked=CHOSEN, data=DATA)
    for models in ({"a": artifact("gguf"), "b": made}, {"a": made, "b": artifact("gguf")}):
        assert question_for(models).task == question_of(made).task
    assert evidence(question_for({"a": artifact("gguf"), "b": artifact("byte-lm")})) == "documents"


def test_models_of_two_kinds_or_for_two_questions_are_refused() -> None:
    with pytest.raises(InputError, match=r"a is a classifier; b is a language model"):
        question_for({"a": artifact("hf"), "b": artifact("gguf")})
    other = artifact(asked={**CHOSEN, "choices": [" yes", " no"]})
    with pytest.raises(InputError, match="a for good or bad; b for yes or no"):
        question_for({"a": artifact(asked=CHOSEN), "b": other})
    with pytest.raises(InputError, match="--choices was given, which a classifier does not take"):
        question_for({"a": artifact("hf")}, choices=("a", "b"))


def test_the_user_can_say_what_to_ask() -> None:
    found = question_for({"a": artifact("gguf")}, prompt="Is {place} good?\\nAnswer: ", choices=("yes", "no"))
    assert found.task.columns(0) == 2 and getattr(found.task, "choices", ()) == ("yes", "no"), (
        "the prompt ends in space"
    )
    assert found.item_of("the mill") == "Is the mill good?\nAnswer: "
    answers = question_for({"a": artifact("gguf")}, answer="right")
    assert (evidence(answers), answers.labels) == ("answers", ())
    with pytest.raises(DataError, match="begins with"):
        question_for({"a": artifact("gguf")}, choices=("good", "go"))
    with pytest.raises(InputError, match="Both --answer and --choices"):
        question_for({"a": artifact("gguf")}, answer="right", choices=("a", "b"))
    with pytest.raises(InputError, match="neither --answer nor --choices"):
        question_for({"a": artifact("gguf")}, prompt="{text}")


def test_rows_are_prompts_with_the_number_of_the_right_choice(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", PLACES, ("place", "where", "mood"))
    made = question_of(artifact(asked=CHOSEN, data={"prompt": "{place} ({where}):"}))
    rows = made.read_new(path, DataOptions(label="mood")).rows
    assert rows.inputs[1] == "mill 1 (near):" and rows.targets[:3] == (0, 1, 0)
    unknown = question_of(artifact(asked=CHOSEN))
    with pytest.raises(InputError, match="does not say which prompt"):
        unknown.read_new(path, DataOptions())
    with pytest.raises(InputError, match="does not say which prompt"):
        unknown.read(path)
    with pytest.raises(InputError, match="which column has the right answers"):
        asked = {"use": "text_generation", "evidence": "answers"}
        question_of(artifact(asked=asked, data={"x": "y"})).read_new(path, DataOptions())


@pytest.mark.parametrize(
    ("row", "shown"),
    [({"place": "mill", "where": "far"}, "mill (far):"), ({"place": "mill", "where": None, "more": 1}, "mill ():")],
)
def test_columns_fill_the_prompt(row: Mapping[str, Any], shown: str) -> None:
    assert question_of(artifact(asked=CHOSEN, data={"prompt": "{place} ({where}):"})).item_of(row) == shown


def test_rows_that_do_not_fit_the_prompt_are_refused() -> None:
    two = question_of(artifact(asked=CHOSEN, data={"prompt": "{place} ({where}):"}))
    with pytest.raises(InputError, match="shows several columns") as caught:
        two.item_of("the mill")
    assert "'place': ..., 'where': ..." in caught.value.fix
    with pytest.raises(InputError, match="shows where, and place was given"):
        two.item_of({"place": "mill"})
    with pytest.raises(InputError, match="no prompt for columns"):
        question_of(artifact("gguf")).item_of({"place": "mill"})


def test_what_is_read_can_be_shown(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", PLACES, ("place", "where", "mood"))
    two = question_of(artifact(asked=CHOSEN, data={"prompt": "{place} ({where}):"}))
    assert [two.item_of(row) for row in two.read(path)][1] == "mill 1 (near):"
    one = question_of(artifact(asked=CHOSEN, data={"prompt": "{location}:"}))
    assert [one.item_of(row) for row in one.read(path, "place")][1] == "mill 1:"
    with pytest.raises(UnknownName, match="'location'"):
        one.read(path)
    plain = table(tmp_path / "t.csv", [("a text", "yes"), ("", "no"), ("one more text", "no")], ("text", "label"))
    assert question_of(artifact("hf")).read(plain) == ["a text", "", "one more text"], "the lines stay in step"
    new = table(tmp_path / "new.csv", [(str(i), f"film number {i}") for i in range(9)], ("nr", "what"))
    assert question_of(artifact("hf")).read(new)[0] == "film number 0", "no label is needed"
    assert question_of(artifact("gguf")).read(plain, "text") == ["a text", "", "one more text"]


LETTERS = [(f"heading {i}", f"what letter {i} says at quite some length", ("no", "yes")[i % 2]) for i in range(8)]


def test_a_model_is_asked_of_the_column_that_it_was_made_with(tmp_path: Path) -> None:
    path = table(tmp_path / "l.csv", LETTERS, ("title", "body", "label"))
    labels = {"labels": ["no", "yes"], "asked": {"use": "text_classification"}}
    made = artifact("hf", data={"text": "title", "label": "label"}, **labels)
    heard: list[str] = []
    with remarks_to(heard.append):
        assert question_of(made).read(path)[0] == "heading 0"
        assert question_of(made).read(path, "body")[0] == "what letter 0 says at quite some length"
    assert heard == ["Texts are the column 'title' (as when the model was made)."]
    assert question_of(made).read_new(path, DataOptions()).rows.inputs[0] == "heading 0"
    assert question_of(made).read_new(path, DataOptions(text="body")).rows.inputs[0].startswith("what letter 0")  # type: ignore[union-attr]
    with pytest.raises(DataError, match="hold 2 texts"):
        question_of(artifact("hf", **labels)).read(path)
    assert question_for({"a": made, "b": artifact("hf", **labels)}).read(path)[0] == "heading 0", "one of them says it"
    other = artifact("hf", data={"text": "body"}, **labels)
    with remarks_to(heard.append):
        assert question_for({"a": made, "b": other}).columns == {"text": "body", "label": "label"}
    assert "a with 'title', b with 'body'" in heard[-1]


def test_documents_are_read_by_the_column_that_the_model_was_made_with(tmp_path: Path) -> None:
    path = table(tmp_path / "l.csv", LETTERS, ("title", "body", "label"))
    made = question_of(artifact("gguf", data={"text": "title"}))
    assert made.read(path)[0] == "heading 0" and evidence(made) == "documents"
