"""Data of language models: three kinds of evidence, the same parts whatever the wording, no proof row is shown."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lighten.core.errors import DataError, UnknownName
from lighten.core.rows import PART_NAMES
from lighten.data.columns import find_columns
from lighten.data.language import LanguageData, read_inputs, read_language, read_rows
from lighten.data.parts import split
from lighten.data.table import read_table

N = 400
CHOICES = ("Positive", "negative")
PROMPT = r"Review: {text}\nSentiment:"


def sentence(i: int) -> str:
    return f"film number {i} was fine"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "domain", "user", "year"))
        for i in range(N):
            label = (" positive", "NEGATIVE")[i % 2]
            writer.writerow((sentence(i), label, ("movie", "book")[i % 3 == 0], f"u{i % 50}", 1990 + i % 7))
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [{"question": f"what is {i} plus {i}?", "hint": "add" if i % 2 else "", "result": 2.0 * i} for i in range(N)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(data: LanguageData) -> dict[str, str]:
    return {text: name for name in PART_NAMES for text in data.parts[name].inputs}


def test_documents_are_divided_by_content_and_have_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    rows = [{"content": f"a document about {i}", "domain": "ab"[i % 2]} for i in range(2000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = read_language(path)
    assert data.task == {"evidence": "documents", "choices": (), "prefix": ""}
    assert data.columns == {"text": "content", "group": "domain"} and data.parts.labels == ()
    for name, share in zip(PART_NAMES, (0.76, 0.04, 0.07, 0.13), strict=True):
        part = data.parts[name]
        assert len(part) / 2000 == pytest.approx(share, abs=0.02)
        assert set(part.targets) == {0} and part.references == () and set(part.groups) == {"a", "b"}
    path.write_text(path.read_text() + '{"content": "one  MORE", "domain": "a"}\n{"content": "one more"}\n')
    more = read_language(path)
    assert inputs(data).items() <= inputs(more).items(), "rows added later move no others"
    assert len(inputs(more)) - len(inputs(data)) == (2 if inputs(more).get("one more") == "train" else 1)
    assert any("1 text occurs more than once" in note for note in more.notes)


def test_plain_texts_are_documents(tmp_path: Path) -> None:
    for i in range(120):
        (tmp_path / f"{i}.txt").write_text(f"text number {i}\n")
    data = read_language(tmp_path)
    assert len(inputs(data)) == 120 and data.columns == {"text": "text"}
    (tmp_path / "x.txt").write_text("short")
    with pytest.raises(DataError, match=r"\(x\.txt\)"):
        read_language(tmp_path)
    dropped = read_language(tmp_path, drop_empty=True)
    assert inputs(dropped) == inputs(data) and any("Left out: 1 document" in note for note in dropped.notes)
    (tmp_path / "y.txt").write_text("\n\n".join(["a few words " * 10] * 5))
    with pytest.raises(DataError, match="too few rows: of 1"):
        read_language(tmp_path / "y.txt")


def test_answers_are_the_text_of_their_column(questions: Path) -> None:
    data = read_language(questions, prompt=r"{question}\nAnswer:", answer="result")
    assert data.task == {"evidence": "answers", "choices": (), "prefix": ""} and data.parts.labels == ()
    assert data.columns == {"text": "question", "answer": "result"}
    for name in PART_NAMES:
        part = data.parts[name]
        assert set(part.targets) == {0}
        for prompt, reference in zip(part.inputs, part.references, strict=True):
            number = int(prompt.split()[2])
            assert prompt == f"what is {number} plus {number}?\nAnswer:" and reference == str(2 * number)


def test_answers_stay_as_a_csv_spells_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"q number {i},{'True' if i % 2 else '1.0'}" for i in range(N)]
    path.write_text("question,answer\n" + "\n".join(lines) + '\nlast,"two\nlines"\n')
    data = read_language(path, prompt="{question}:", answer="answer", shots=2)
    assert {r for name in PART_NAMES for r in data.parts[name].references} <= {"True", "1.0", "two\nlines"}
    assert any("1 answer has several lines (row 401)" in note for note in data.notes)
    shown = str(data.task["prefix"]).split("\n\n")
    assert len(shown) == 3 and shown[2] == "" and all(shot.endswith((": True", ": 1.0")) for shot in shown[:2])


def test_choices_are_numbered_as_given_and_shots_come_from_train(labelled: Path) -> None:
    data = read_language(labelled, prompt=PROMPT, choices=CHOICES, shots=8)
    assert data.task["choices"] == (" Positive", " negative") and data.parts.labels == CHOICES
    assert data.columns == {"text": "text", "label": "label", "group": "domain", "unit": "user"}
    train = set(data.parts.train.inputs)
    shots = str(data.task["prefix"]).removesuffix("\n\n").split("\n\n")
    assert len(shots) == 8 and sum(shot.endswith(": Positive") for shot in shots) == 4
    assert all(shot.rpartition(" ")[0] in train for shot in shots)
    for name in PART_NAMES:
        part = data.parts[name]
        for prompt, target, user in zip(part.inputs, part.targets, part.units, strict=True):
            number = int(prompt.split()[3])
            assert prompt == f"Review: {sentence(number)}\nSentiment:", "the examples are not in the rows"
            assert target == number % 2 and user == f"u{number % 50}"
    assert any("8 examples of train" in note for note in data.notes)
    assert read_language(labelled, prompt="{text}: ", choices=CHOICES).task["choices"] == CHOICES


def test_parts_follow_the_columns_shown_not_the_wording(labelled: Path) -> None:
    one = read_language(labelled, prompt=PROMPT, choices=CHOICES, seed=3)
    other = read_language(labelled, prompt="Is this good? {text}", choices=CHOICES, seed=3)
    assert {k.split()[3]: v for k, v in inputs(one).items()} == {k.split()[5]: v for k, v in inputs(other).items()}
    table = read_table(labelled)
    classified = split(table, find_columns(table), seed=3)
    bare = read_language(labelled, choices=CHOICES, seed=3)
    for name in PART_NAMES:
        assert bare.parts[name].inputs == classified[name].inputs, "the rows that a classifier would have"


def test_prompts_of_several_columns_may_lack_some(questions: Path) -> None:
    data = read_language(questions, prompt="{hint}; {question} {hint}", answer="result")
    assert any("200 rows lack some of question, hint" in note for note in data.notes)
    assert "; what is 0 plus 0? " in inputs(data) and "add; what is 1 plus 1? add" in inputs(data)
    other = read_language(questions, prompt="{question} ({hint})", answer="result")
    assert [data.parts[name].references for name in PART_NAMES] == [other.parts[name].references for name in PART_NAMES]


def test_rows_without_an_answer_are_named_or_left_out(questions: Path) -> None:
    questions.write_text(questions.read_text() + '{"question": "why?", "result": null}\n{"result": 1}\n')
    with pytest.raises(DataError, match=r"'question' \(row 402\); 1 row without 'result' \(row 401\)"):
        read_language(questions, prompt="{question}", answer="result")
    data = read_language(questions, prompt="{question}", answer="result", drop_empty=True)
    assert len(inputs(data)) == N and any(note.startswith("Left out:") for note in data.notes)


def test_columns_that_are_not_there_and_prompts_that_show_the_answer(labelled: Path) -> None:
    with pytest.raises(UnknownName, match=r"'texts'(.|\n)*did you mean 'text'"):
        read_language(labelled, prompt="{texts}", choices=CHOICES)
    with pytest.raises(UnknownName, match="'answer'"):
        read_language(labelled, prompt="{text}", answer="answer")
    with pytest.raises(DataError, match=r"shows \{label\}"):
        read_language(labelled, prompt="{text} {label}", choices=CHOICES)
    with pytest.raises(DataError, match="which the prompt does not show"):
        read_language(labelled, prompt="{domain}", text="text", choices=CHOICES)
    with pytest.raises(DataError, match=r"'NEGATIVE' \(row 2, 4, 6, 8, 10 and 195 more\)"):
        read_language(labelled, prompt="{text}", choices=("positive", "bad"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prompt": "{text}"}, "--prompt was given, but neither"),
        ({"shots": 4}, "--shots was given, but neither"),
        ({"label": "label"}, "--label was given, but neither"),
        ({"answer": "label", "choices": CHOICES}, "Both --answer and --choices"),
        ({"answer": "label", "label": "label"}, "Both --answer and --label"),
        ({"choices": CHOICES, "shots": 1000}, "1000 shots"),
        ({"choices": ("positive", "pos")}, "begins with"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(labelled: Path, options: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_language(labelled, **options)  # type: ignore[arg-type]


def test_all_rows_of_new_data_are_asked_as_in_a_run(labelled: Path, questions: Path) -> None:
    rows, notes = read_rows(labelled, prompt=PROMPT, choices=CHOICES)
    data = read_language(labelled, prompt=PROMPT, choices=CHOICES, shots=4)
    assert len(rows) == N and rows.targets[:3] == (0, 1, 0), "in the file's order, numbered as the choices are"
    asked = dict(zip(rows.inputs, rows.targets, strict=True))
    for name in PART_NAMES:
        part = data.parts[name]
        assert dict(zip(part.inputs, part.targets, strict=True)).items() <= asked.items()
    assert rows.groups and rows.units and not any("stand before" in note for note in notes)
    answers, _ = read_rows(questions, prompt="{question}", answer="result")
    assert answers.references[:3] == ("0", "2", "4") and answers.inputs[2] == "what is 2 plus 2?"
    with pytest.raises(DataError, match="--prompt was given, but neither"):
        read_rows(questions, prompt="{question}")


def test_all_documents_of_new_data_are_rows_however_few(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"content": "one document"}\n{"content": "one document"}\n{"content": "x"}\n')
    with pytest.raises(DataError, match="1 document of fewer than 2 words"):
        read_rows(path)
    rows, notes = read_rows(path, drop_empty=True)
    assert rows.inputs == ("one document",) * 2 and rows.targets == (0, 0), "also copies: nothing is divided"
    assert any("Left out" in note for note in notes)


def test_inputs_need_no_right_answers(labelled: Path, questions: Path, tmp_path: Path) -> None:
    shown = read_inputs(questions, prompt="{hint}: {question} {hint}", documents=False)
    assert shown[1] == {"hint": "add", "question": "what is 1 plus 1?"} and len(shown) == N
    assert read_inputs(labelled, documents=False)[0] == {"text": sentence(0)}, "the column that holds texts"
    other = read_inputs(labelled, prompt="{review}:", text="text", documents=False)
    assert other[0] == {"review": sentence(0)}, "a column of another name can fill the one gap"
    (tmp_path / "a.txt").write_text("a line\n\nanother line")
    assert read_inputs(tmp_path / "a.txt") == ({"text": "a line\n\nanother line"},)
    with pytest.raises(UnknownName, match="'review'"):
        read_inputs(labelled, prompt="{review}:", documents=False)
    with pytest.raises(DataError, match="shows hint, question"):
        read_inputs(questions, prompt="{hint} {question}", text="question", documents=False)
