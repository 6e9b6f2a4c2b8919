"""The user's own split is found by name, by content and by file names, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lighten.core.errors import UnknownName
from lighten.data.cells import Cell, Table
from lighten.data.columns import find_columns
from lighten.data.documents import read_documents
from lighten.data.fixed import find_split, split_word
from lighten.data.folders import split_of
from lighten.data.language import read_language
from lighten.data.parts import split
from lighten.data.table import read_table


def table(**columns: Sequence[Cell]) -> Table:
    return Table({name: tuple(cells) for name, cells in columns.items()}, "data.csv")


@pytest.mark.parametrize(
    ("name", "part"),
    [("train", "train"), ("Training", "train"), ("dev", "validation"), ("held-out", "test"), ("proof", "proof"),
     ("validation_matched", "validation"), ("train-00000-of-00003", "train"), ("测试集", "test"), ("TEST", "test"),
     ("latest", ""), ("train_test", ""), ("contest", ""), ("", ""), ("fold 3", "")],
)  # fmt: skip
def test_the_part_that_a_name_says(name: str, part: str) -> None:
    assert split_word(name) == part


@pytest.mark.parametrize(
    ("path", "part"),
    [("data/train-00000-of-00001.parquet", "train"), ("test/part.csv", "test"), ("wiki.valid.txt", "validation"),
     ("my.test.jsonl.gz", "test"), ("20news-bydate-train/alt.atheism/49960", "train"), ("train/test.csv", ""),
     ("reviews.csv", "")],
)  # fmt: skip
def test_the_part_that_a_path_says(path: str, part: str) -> None:
    assert split_of(Path(path)) == part


@pytest.mark.parametrize(
    ("name", "values"),
    [("split", ["train", "test"]), ("Partition", ["TRAIN", "Dev", "Test"]), ("whatever", ["train", "val"]),
     ("fold", ["train_a", "train_b", "test_a"]), ("is_test", [True, False]), ("is_valid", ["0", "1"])],
)  # fmt: skip
def test_a_column_that_says_parts_is_found(name: str, values: list[Cell]) -> None:
    assert find_split(table(text=["x"] * 4 * len(values), **{name: values * 4}), None) == name


@pytest.mark.parametrize(
    ("name", "values"),
    [("fold", [0, 1, 2]), ("split", ["a", "b"]), ("split", ["train"]), ("means", ["train", "bus"]),
     ("station", ["train station", "test site"]), ("is_good", [True, False])],
)  # fmt: skip
def test_other_columns_are_not(name: str, values: list[Cell]) -> None:
    assert find_split(table(text=["x"] * 4 * len(values), **{name: values * 4}), None) is None


def test_a_split_column_that_is_not_there_says_how_to_do_without() -> None:
    with pytest.raises(UnknownName, match="--split-column none"):
        find_columns(table(text=["a b c"], label=["x"]), split="part")


def test_columns_say_for_the_record_what_was_done_with_the_split() -> None:
    data = table(text=[f"text number {i}" for i in range(40)], label=["x", "y"] * 20, split=["train", "test"] * 20)
    assert find_columns(data).roles() == {"text": "text", "label": "label", "split_column": "split"}
    assert find_columns(data, split="none").roles()["split_column"] == "none"
    assert "split_column" not in find_columns(table(text=data.column("text"), label=data.column("label"))).roles()


@pytest.mark.parametrize(
    ("parts", "used"),
    [(("train", "dev", "Test", "test"), {2, 3}), (("train", "dev", "dev", "dev"), {1, 2, 3}),
     (("train", "train", "train", "train"), {0, 1, 2, 3}), (("test", "test", "test", "test"), {0, 1, 2, 3})],
)  # fmt: skip
def test_models_are_judged_by_the_most_guarded_part_of_new_data(parts: tuple[str, ...], used: set[int]) -> None:
    data = table(text=["text one", "text two", "text three", "text four"], label=["x", "y", "x", "y"], split=parts)
    columns = find_columns(data, judging=True)
    assert set(range(4)) - columns.skipped == used
    assert any("--split-column none" in note for note in columns.notes) == (len(used) < 4)
    assert not find_columns(data, split="none", judging=True).skipped and not find_columns(data).skipped


def rows(first: int, many: int, head: str = "text,label\n") -> str:
    return head + "".join(f"row number {i},{'xy'[i % 2]}\n" for i in range(first, first + many))


def numbers(texts: Sequence[str]) -> set[int]:
    return {int(text.split()[2]) for text in texts}


def test_train_and_test_files_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(rows(0, 300))
    (tmp_path / "test.csv").write_text(rows(300, 100))
    data = read_table(tmp_path)
    parts = split(data, find_columns(data))
    assert numbers(parts.proof.inputs) == set(range(300, 400))
    assert any("Your own split was kept" in note and "test -> proof (100)" in note for note in parts.notes)
    (tmp_path / "more.csv").write_text(rows(400, 50))
    mixed = read_table(tmp_path)
    with pytest.raises(Exception, match="holds ''"):
        split(mixed, find_columns(mixed))
    assert len(split(mixed, find_columns(mixed, split="none")).proof) > 60


def test_a_folder_of_a_competition(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(rows(0, 300))
    (tmp_path / "test.csv").write_text("text\n" + "".join(f"row number {i}\n" for i in range(300, 400)))
    (tmp_path / "sample_submission.csv").write_text("id,label\n0,x\n1,x\n")
    data = read_table(tmp_path)
    parts = split(data, find_columns(data))
    assert numbers(parts.proof.inputs) < set(range(300)) and len(parts.proof) > 50
    notes = "\n".join(parts.notes)
    assert "sample_submission.csv was left out" in notes and "100 rows of 'test' came without labels" in notes


def test_documents_and_prompts_keep_the_split_too(tmp_path: Path) -> None:
    for part, first in (("train", 0), ("valid", 1000), ("test", 2000)):
        (tmp_path / f"{part}.txt").write_text(
            "\n\n".join(f"row number {i} {'word ' * 220}" for i in range(first, first + 90))
        )
    data = read_language(tmp_path)
    assert {text.split()[2][0] for text in data.parts.proof.inputs} == {"2"} and len(data.parts.proof) == 90
    assert all(1000 <= n < 2000 for n in numbers((*data.parts.tune.inputs, *data.parts.select.inputs)))
    assert data.columns["split_column"] == "split"
    assert len(read_language(tmp_path, split_column="none").parts.proof) < 90
    prompts = tmp_path / "p.jsonl"
    prompts.write_text(
        "".join(
            f'{{"q": "row number {i}", "a": "{i % 7}", "split": "{"train" if i < 80 else "test"}"}}\n'
            for i in range(120)
        )
    )
    asked = read_language(prompts, prompt="{q}?", answer="a")
    assert {int(text.split()[2].rstrip("?")) for text in asked.parts.proof.inputs} == set(range(80, 120))


def test_folders_of_documents_keep_the_split_of_their_paths(tmp_path: Path) -> None:
    for i in range(400):
        path = tmp_path / ("train" if i < 300 else "test") / f"{i}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"document number {i}")
    read = read_documents(tmp_path)
    assert read.column("split").count("test") == 100
    assert numbers(read_language(tmp_path).parts.proof.inputs) == set(range(300, 400))
