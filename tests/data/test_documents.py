"""Documents: one a file of a folder, neighbouring paragraphs of one file, or rows of a table; never cut, never lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.errors import DataError, UnsafeFile
from lighten.data.cells import Table
from lighten.data.documents import joined_paragraphs, long_enough, read_documents

PARAGRAPH = "word " * 80  # 400 characters, 399 without the last space


def test_a_text_file_becomes_paragraphs_joined_to_a_thousand_characters(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join([PARAGRAPH] * 8).encode())
    table = read_documents(path)
    three = "\n\n".join([PARAGRAPH.rstrip()] * 3)
    assert table.column("text") == (three, three, "\n\n".join([PARAGRAPH.rstrip()] * 2))
    assert any("became 3 documents" in note for note in table.notes)


def test_a_short_end_joins_the_last_document() -> None:
    assert joined_paragraphs("aaaa\n\nbbbb\n \t\n\n  cc\n\nd\n", 8) == ["aaaa\n\nbbbb", "  cc\n\nd"]
    assert joined_paragraphs("aaaa\n\nbbbb\n\nd", 8) == ["aaaa\n\nbbbb\n\nd"]
    assert joined_paragraphs("d", 8) == ["d"]


def test_a_text_without_blank_lines_is_taken_line_by_line() -> None:
    assert joined_paragraphs("one two\nthree four\nfive six\nseven eight\n", 15) == [
        "one two\nthree four",
        "five six\nseven eight",
    ]


@settings(max_examples=100, deadline=None)
@given(st.text("ab é\n\t", max_size=200), st.integers(1, 30))
def test_no_word_is_lost_or_moved(text: str, characters: int) -> None:
    documents = joined_paragraphs(text, characters)
    assert " ".join(documents).split() == text.split()
    assert all(len(document) >= characters for document in documents[:-1])


def test_a_folder_of_texts_gives_one_document_a_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.md").write_text("# Title\n\nSecond text\n")
    (tmp_path / "a.txt").write_text("First text\n\nits end")
    (tmp_path / "deep" / "c.txt.gz").write_bytes(gzip.compress(b"Third text"))
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.txt").write_text("not seen")
    table = read_documents(tmp_path)
    assert table.column("file") == ("a.txt", "b.md", "deep/c.txt.gz")
    assert table.column("text") == ("First text\n\nits end", "# Title\n\nSecond text", "Third text")
    assert any("3 text files" in note for note in table.notes)
    assert any("1 other file" in note and ".png" in note for note in table.notes)


def test_a_folder_of_tables_is_read_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "data.jsonl").write_text('{"text": "a b"}\n{"text": "c d"}\n')
    assert read_documents(tmp_path).column("text") == ("a b", "c d")
    assert read_documents(tmp_path / "data.jsonl").column("text") == ("a b", "c d")


def test_files_that_are_no_text_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("good text")
    (tmp_path / "bad.txt").write_bytes("плохой текст".encode("cp1251"))
    with pytest.raises(DataError, match=r"bad\.txt is not UTF-8: byte 0(.|\n)*iconv"):
        read_documents(tmp_path)
    (tmp_path / "bad.txt").write_bytes(b"\x80\x04pickle")
    with pytest.raises(UnsafeFile):
        read_documents(tmp_path)
    (tmp_path / "bad.txt").write_text(" \n")
    with pytest.raises(DataError, match=r"bad\.txt is empty"):
        read_documents(tmp_path / "bad.txt")
    with pytest.raises(DataError, match="There is no file or folder"):
        read_documents("docs/none.md")


def test_documents_too_short_are_named_or_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("two words")
    (tmp_path / "b.txt").write_text("\n")
    (tmp_path / "c.md").write_text("one")
    table = read_documents(tmp_path)
    with pytest.raises(DataError, match=r"2 documents of fewer than 2 words \(b\.txt, c\.md\)(.|\n)*--drop-empty"):
        long_enough(table, "text")
    kept = long_enough(table, "text", drop=True)
    assert kept.column("file") == ("a.txt",) and "Left out: 2 documents" in kept.notes[-1]
    rows = Table({"body": ("one two", None, "one", "你好", "你", 3.5)}, "data.csv")
    with pytest.raises(DataError, match=r"\(row 2, 3, 5, 6\)"):
        long_enough(rows, "body")
    with pytest.raises(DataError, match="1 document"):
        long_enough(Table({"body": ("one",)}, "data.csv"), "body", drop=True)
