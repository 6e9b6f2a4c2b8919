"""Folders of files: parts hold folders of classes, and classes hold files, whatever either is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import DataError
from lighten.data.classfolders import Levels
from lighten.data.table import read_table
from lighten.testing.pictures import saved_picture


def of(*files: str) -> dict[str, tuple[str, str]]:
    """Class and part of each file."""
    every = [Path(file) for file in files]
    levels = Levels.of(every)
    return {file: (levels.class_of(Path(file)), levels.split_of(Path(file))) for file in files}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("train/a/1", "train/b/2", "test/a/3"), [("a", "train"), ("b", "train"), ("a", "test")]),
        (("a/train/1", "a/test/2", "b/train/3"), [("a", "train"), ("a", "test"), ("b", "train")]),
        (("train/1", "car/2", "bus/3"), [("train", ""), ("car", ""), ("bus", "")]),
        (("test/1", "train/2", "val/3", "other/4"), [("test", ""), ("train", ""), ("val", ""), ("other", "")]),
        (("test_tube/1", "flask/2"), [("test_tube", ""), ("flask", "")]),
        (("train/train/1", "train/car/2", "test/train/3", "test/car/4"),
         [("train", "train"), ("car", "train"), ("train", "test"), ("car", "test")]),
        (("train/a/1", "train/b/2", "test/3"), [("a", "train"), ("b", "train"), ("", "test")]),
        (("train/1", "test/2"), [("", "train"), ("", "test")]),
    ],
)  # fmt: skip
def test_a_part_holds_folders_and_a_class_holds_files(files: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert list(of(*files).values()) == expected


def test_a_class_that_is_called_train_is_one_and_that_is_said(tmp_path: Path) -> None:
    for number, label in enumerate(("train", "car", "bus")):
        for at in range(3):
            saved_picture(tmp_path / "traffic" / label / f"{at}.png", 10 * number + at)
    table = read_table(tmp_path / "traffic")
    assert sorted(set(map(str, table.column("label")))) == ["bus", "car", "train"]
    assert len(table) == 9 and "split" not in table.columns
    assert any("'train' was taken for a class, not for a part" in note for note in table.notes)


def test_texts_in_a_class_that_is_called_test_are_read(tmp_path: Path) -> None:
    for label in ("test", "contract"):
        (tmp_path / label).mkdir()
        for at in range(4):
            (tmp_path / label / f"{at}.txt").write_text(f"{label} number {at}")
    table = read_table(tmp_path)
    assert sorted(map(str, table.column("label"))) == ["contract"] * 4 + ["test"] * 4


def test_files_beside_folders_of_classes_in_what_is_called_as_a_part_are_asked_about(tmp_path: Path) -> None:
    for name in ("train/1.png", "train/cats/2.png", "train/cats/3.png", "dogs/4.png", "dogs/5.png"):
        saved_picture(tmp_path / name, len(name))
    with pytest.raises(DataError, match="which level names the class is open"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        ("1.png", "2.png", "old/3.png", "old/4.png"),
        ("a/1.png", "b/2.png", "c/3.png"),
        ("a/b/1.png", "a/c/2.png", "d/3.png"),
        ("train/a/1.png", "train/a/2.png", "unsup/3.png"),
        ("1.txt", "a/2.txt", "a/3.txt", "b/4.txt", "b/9.txt", "b/c/5.txt", "b/c/6.txt", "unsup/7.txt", "unsup/8.txt"),
    ],
)
def test_where_answers_are_asked_every_file_of_a_tree_is_a_row(tmp_path: Path, files: tuple[str, ...]) -> None:
    for number, name in enumerate(files):
        if name.endswith(".png"):
            saved_picture(tmp_path / name, number)
        else:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"text {number}")
    table = read_table(tmp_path, labelled=False)
    names = table.column("image" if files[0].endswith(".png") else "file")
    assert names == tuple(sorted(files, key=lambda name: Path(name).parts))
    assert "label" not in table.columns
