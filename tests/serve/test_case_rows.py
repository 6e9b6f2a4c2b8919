"""What people judged becomes data that the next run reads."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from lighten.data.table import read_table
from lighten.serve.case_rows import as_address, is_file, rows_of
from lighten.serve.cases import Case, case_of


def judged(input: Any, label: str = "good") -> Case:
    return case_of("m", "flip", input, []).judged_as("label", label, "anna")


def test_what_was_judged_is_a_table_and_the_last_verdict_stands(tmp_path: Path) -> None:
    found = rows_of([judged('a, "b"\nc'), judged("x", "bad"), judged("x")])
    assert (found.name, found.kind) == ("rows.csv", "text/csv; charset=utf-8")
    (tmp_path / found.name).write_bytes(found.content)
    table = read_table(tmp_path / found.name)
    assert dict(table.columns) == {"text": ('a, "b"\nc', "x"), "label": ("good", "good")}
    mixed = rows_of([judged({"title": "t", "n": 1}), judged("z")])
    assert mixed.content == b"title,n,text,label\nt,1,,good\n,,z,good\n"
    assert rows_of([]).content == b"text,label\n"


def test_a_conversation_of_one_message_is_its_text() -> None:
    one, two = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"}
    assert rows_of([judged([one])]).content == b"text,label\nhi,good\n"
    found = rows_of([judged([one, two, one])]).content.decode()
    assert found.startswith("messages,label\n") and '""role"": ""assistant""' in found
    named = rows_of([judged([one, two, one]), judged({"messages": [one, two, one]})]).content.decode()
    assert named == found  # it is the same conversation, and its last verdict the same
    assert rows_of([judged({"prompt_tokens": [1, 2]})]).content == b'prompt_tokens,label\n"[1, 2]",good\n'


def test_files_lie_in_a_folder_for_each_label(tmp_path: Path) -> None:
    pictures = {(label, b"\x89PNG\r\n\x1a\n%d" % number) for label in ("cat", "dog") for number in range(2)}
    found = rows_of([judged(as_address(content + label.encode()), label) for label, content in pictures])
    assert (found.name, found.kind) == ("rows.zip", "application/zip")
    with ZipFile(io.BytesIO(found.content)) as archive:
        archive.extractall(tmp_path)
    held = {(path.parent.name, path.read_bytes()) for path in tmp_path.glob("*/*.png")}
    assert held == {(label, content + label.encode()) for label, content in pictures}
    assert sorted(read_table(tmp_path).columns["label"]) == ["cat", "cat", "dog", "dog"]


def test_files_and_texts_are_no_data_together() -> None:
    with pytest.raises(ValueError, match="others are not"):
        rows_of([judged(as_address(b"x")), judged("no file")])


@pytest.mark.parametrize("label", ["../x", "a/b", ".hidden", "_x", "a\\b", ""])
def test_a_label_that_leads_elsewhere_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="name of a folder"):
        rows_of([judged(as_address(b"\x89PNG"), label)])


def test_a_column_named_label_is_refused() -> None:
    with pytest.raises(ValueError, match="column named 'label'"):
        rows_of([judged({"label": "x"})])


def test_only_what_was_a_file_is_one() -> None:
    assert is_file(as_address(b"x")) and not is_file("data: is a word") and not is_file("data:text/plain;base64,AAAA")
