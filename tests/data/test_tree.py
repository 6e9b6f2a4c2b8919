"""Files below a folder: by way of links, never round in circles, and what is hidden is counted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import DataError
from lighten.data.documents import read_documents
from lighten.data.table import read_table
from lighten.data.tree import tree_of
from lighten.testing.pictures import saved_picture


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_links_to_folders_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    folder, far = put(tmp_path / "here", "b/1", "a"), put(tmp_path / "far", "x/2", "3")
    (folder / "linked").symlink_to(far, target_is_directory=True)
    (far / "x" / "back").symlink_to(folder, target_is_directory=True)
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    tree = tree_of(folder)
    assert tree.files == tuple(map(Path, ("a", "b/1", "gone", "linked/3", "linked/x/2")))
    assert tree.circles == (Path("linked/x/back"),)
    (note,) = tree.notes(folder, bool)
    assert "1 link leads to a folder around it" in note and "linked/x/back" in note


def test_what_is_hidden_is_counted_where_it_would_be_read(tmp_path: Path) -> None:
    tree = tree_of(
        put(tmp_path, "1.csv", "_old/2.csv", ".cache/3.csv", "._1.csv", "__MACOSX/4.csv", "_x.bin", "b/.5.csv")
    )
    assert tree.files == (Path("1.csv"),)
    (note,) = tree.notes(tmp_path, lambda path: path.suffix == ".csv")
    assert "2 files of" in note and "(_old/2.csv, b/.5.csv)" in note, "what begins with a point is not looked into"


def test_links_to_what_is_here_anyway_are_told_and_not_read_twice(tmp_path: Path) -> None:
    folder = put(tmp_path / "data", "v1/a.csv", "v2/b.csv", "_all/c.csv", "x/y/d.csv")
    (folder / "current").symlink_to("v2", target_is_directory=True)
    (folder / "v1" / "newer").symlink_to("../x", target_is_directory=True)
    (folder / "shown").symlink_to("_all", target_is_directory=True)
    tree = tree_of(folder)
    assert tree.files == tuple(map(Path, ("shown/c.csv", "v1/a.csv", "v2/b.csv", "x/y/d.csv")))
    assert tree.again == (Path("current"), Path("v1/newer"))
    assert any("2 links lead to a folder whose files are read anyway" in note for note in tree.notes(folder, bool))


def test_what_cannot_be_read_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "data", "a.csv", "lost+found/b.csv", ".Trash-1000/c.csv", "b/locked/d.csv", "b/e.csv")
    (folder / "round").symlink_to("round")
    scan = os.scandir

    def locked(path: Path) -> Any:
        if path.name in ("lost+found", ".Trash-1000", "locked", "closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", locked)
    tree = tree_of(folder)
    assert tree.files == (Path("a.csv"), Path("b/e.csv")) and tree.circles == (Path("round"),)
    assert tree.unread == (Path("b/locked"), Path("lost+found"))
    assert any("2 entries of" in note and "(b/locked, lost+found)" in note for note in tree.notes(folder, bool))
    with pytest.raises(DataError, match=r"closed cannot be read: Permission denied"):
        tree_of(put(tmp_path / "closed", "a.csv"))


def test_classes_that_are_links_are_classes_and_hidden_ones_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for label in ("cats", "dogs", "_noise"):
        for at in range(3):
            saved_picture(tmp_path / "far" / label / f"{at}.png", 10 * at + len(label))
    data.mkdir()
    for label in ("cats", "dogs", "_noise"):
        (data / label).symlink_to(tmp_path / "far" / label, target_is_directory=True)
    table = read_table(data)
    assert sorted(map(str, table.column("label"))) == ["cats"] * 3 + ["dogs"] * 3
    assert any("3 files of" in note and "_noise/0.png" in note for note in table.notes)


def test_documents_are_found_by_way_of_links_too(tmp_path: Path) -> None:
    put(tmp_path / "far", "1.txt")
    data = put(tmp_path / "data", "2.txt", "_old/3.txt")
    (data / "a").symlink_to(tmp_path / "far", target_is_directory=True)
    table = read_documents(data)
    assert table.column("file") == ("2.txt", "a/1.txt")
    assert any("1 file of" in note and "_old/3.txt" in note for note in table.notes)


def test_a_folder_without_data_names_pictures_and_what_is_hidden(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no data file\. 1 file of .*_a\.csv") as caught:
        read_table(put(tmp_path, "_a.csv", "notes.docx"))
    assert ".parquet" in caught.value.allowed and ".png" in caught.value.allowed
