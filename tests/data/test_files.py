"""Shapes in which people keep rows are read as what they are, or named as what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import DataError
from lighten.data.cells import Table, is_json, quoted
from lighten.data.columns import find_columns
from lighten.data.examples import check_classes, usable
from lighten.data.files import read_data
from lighten.data.lines import RARE
from lighten.data.table import read_table

TEXTS = [f"a film about number {i}, and more of it" for i in range(60)]
LABELS = ["good", "bad", "bad"] * 20
ROWS = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
CSV = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in zip(TEXTS, LABELS, strict=True))


def same(table: Table) -> bool:
    """Whether the texts and labels that would be used are the ones that were written."""
    columns = find_columns(table)
    return list(table.column(columns.text)) == TEXTS and list(table.column(columns.label)) == LABELS


def by_column() -> Any:
    return {name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ("text", "label")}


SHAPES: dict[str, Callable[[], Any]] = {
    "records": lambda: ROWS,
    "pandas columns": by_column,
    "pandas index": lambda: {str(i): row for i, row in enumerate(ROWS)},
    "pandas split": lambda: {
        "columns": ["text", "label"], "index": list(range(60)), "data": [list(r.values()) for r in ROWS],
    },
    "pandas table": lambda: {"schema": {"fields": [{"name": "text"}, {"name": "label"}]}, "data": ROWS},
    "pandas values": lambda: [list(row.values()) for row in ROWS],
    "columns of lists": lambda: {"text": TEXTS, "label": LABELS},
    "lists below their names": lambda: [["text", "label"], *(list(row.values()) for row in ROWS)],
    "one list in an object": lambda: {"version": "1", "data": ROWS},
    "deeper": lambda: {"response": {"rows": ROWS, "total": 60}},
    "nested": lambda: [{"id": 1, "data": {"text": row["text"]}, "note": {"label": row["label"]}} for row in ROWS],
    "columns of lists beside a version": lambda: {"version": 1, "text": TEXTS, "label": LABELS},
    "columns of lists inside": lambda: {"version": 1, "data": {"text": TEXTS, "label": LABELS}},
    "lists of parts": lambda: {
        "train": [["text", "label"], *(list(row.values()) for row in ROWS[:40])],
        "test": [list(row.values()) for row in ROWS[40:]],
    },
    "columns of parts": lambda: {
        name: {"text": TEXTS[part], "label": LABELS[part]}
        for name, part in (("train", slice(30)), ("test", slice(30, 60)))
    },
    "lists of one": lambda: [{"text": row["text"], "label": [row["label"]]} for row in ROWS],
    "label studio": lambda: [
        {"data": {"text": r["text"]}, "annotations": [{"result": [{"value": {"label": [r["label"]]}}]}]} for r in ROWS
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_json_in_any_usual_shape(name: str, indent: int | None) -> None:
    assert same(read_data(json.dumps(SHAPES[name](), indent=indent).encode(), "a.json"))


def test_json_lines_and_objects_over_several_lines() -> None:
    for indent in (None, 2):
        text = "\n".join(json.dumps(row, indent=indent) for row in ROWS)
        assert same(read_data(text.encode(), "a.json"))
    assert same(read_data(json.dumps({"data": ROWS}).encode(), "a.jsonl"))


def test_json_of_parts_keeps_them_and_several_lists_are_named() -> None:
    table = read_data(json.dumps({"train": ROWS[:40], "test": ROWS[40:]}).encode(), "a.json")
    assert same(table) and table.column("split").count("test") == 20
    with pytest.raises(DataError, match=r"several lists of rows: films \(40\), books \(20\)"):
        read_data(json.dumps({"films": ROWS[:40], "books": ROWS[40:]}).encode(), "a.json")


def test_lists_of_texts_below_their_labels() -> None:
    below = {name: [row["text"] for row in ROWS if row["label"] == name] for name in ("good", "bad")}
    even = {"pos": TEXTS[:30], "neg": TEXTS[30:]}
    for value in (below, {"version": "1.0", **even}, even, {"train": below, "test": below}):
        told = {key: inner for key, inner in value.items() if key != "version"}
        table = read_data(json.dumps(value).encode(), "a.json")
        lists: Any = told.get("train", told)
        rows = dict(zip(table.column("text"), table.column("label"), strict=True))
        assert rows == {text: name for name, texts in lists.items() for text in texts}
    assert any(
        "a list of texts for each label: 'pos' (30), 'neg' (30)" in note
        for note in read_data(json.dumps(even).encode(), "a.json").notes
    )


def test_json_that_is_no_table_is_named_or_one_row() -> None:
    with pytest.raises(DataError, match=r"differ in length: text \(60\), label \(59\)"):
        read_data(json.dumps({"text": TEXTS, "label": LABELS[:59]}).encode(), "a.json")
    with pytest.raises(
        DataError, match=r"different columns \(train: text, label; test: column_1, column_2, column_3\)"
    ):
        rows = [["text", "label"], *([text, label] for text, label in zip(TEXTS, LABELS, strict=True))]
        read_data(json.dumps({"train": rows, "test": [["a b", 3, 4.5]] * 9}).encode(), "a.json")
    one = {"text": "Rome is old", "tokens": ["Rome", "is", "old"], "labels": ["B", "O", "O"]}
    assert len(read_data(json.dumps(one).encode(), "a.json")) == 1


def test_several_labels_a_row_are_named_as_what_they_are() -> None:
    rows = [{**row, "label": [row["label"], *["long"] * (i % 2)]} for i, row in enumerate(ROWS)]
    with pytest.raises(DataError, match=r"holds lists, such as(.|\n)*multi-label"):
        find_columns(read_data(json.dumps(rows).encode(), "a.json"))
    lines = "".join(f"__label__{row['label']} __label__x {row['text']}\n" for row in ROWS)
    with pytest.raises(DataError, match=r"Line 1 of a\.txt has 2 labels(.|\n)*multi-label"):
        read_data(lines.encode(), "a.txt")


def test_a_column_of_json_is_never_taken_by_its_content() -> None:
    boxes = [json.dumps([{"box": [i % 2, 2]}, {"box": [3, 4]}]) for i in range(60)]
    data = Table({"words": tuple(TEXTS), "boxes": tuple(boxes), "kind": tuple(LABELS)}, "a.csv")
    assert is_json(boxes) and not is_json(TEXTS) and not is_json(["[applause] so it began"])
    columns = find_columns(data)
    assert (columns.text, columns.label) == ("words", "kind")
    with pytest.raises(DataError, match="no column of text"):
        find_columns(Table({"boxes": tuple(boxes), "label": tuple(LABELS)}, "a.csv"))


LINES = "".join(f"{label}\t{text}\n" for text, label in zip(TEXTS, LABELS, strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", CSV.replace('",', '"|').replace("text,label", "text|label")),
        ("a.csv", CSV.replace('",', '";').replace("text,label", "text;label")),
        ("a.csv", CSV.replace("text,label\n", "")),
        ("a.txt", LINES),
        ("a.txt", CSV),
        ("SMSSpamCollection", LINES),
        ("a.ft.txt", "".join(f"__label__{row['label']} {row['text']}\n" for row in ROWS)),
        ("cooking.train", "".join(f"__label__{row['label']} {row['text']}\n" for row in ROWS)),
        ("a.csv", CSV.replace("text,label\n", "0,1\n")),
    ],
)
def test_lines_in_any_usual_shape(name: str, text: str) -> None:
    assert same(read_data(text.encode(), name))


VARIED = [text + ", and: more" * (i % 3) for i, text in enumerate(TEXTS)]


@pytest.mark.parametrize("separator", ["^", "~", "\x01", "::", "||"])
@pytest.mark.parametrize("head", ["text{}label\n", ""])
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.data"])
def test_rare_separators_are_taken_where_they_cut_every_line_alike(separator: str, head: str, name: str) -> None:
    lines = "".join(f"{text}{separator}{label}\n" for text, label in zip(VARIED, LABELS, strict=True))
    table = read_data((head.format(separator) + lines).encode(), name)
    assert list(map(list, table.columns.values())) == [VARIED, LABELS]
    assert (list(table.columns) == ["text", "label"]) == bool(head)
    with pytest.raises(DataError) as caught:
        read_data((lines + f"one{separator}two{separator}three\n").encode(), name)
    assert f"put texts that contain a {RARE[separator]} in double quotes" in caught.value.fix
    assert "61: 3 cells" in caught.value.seen


@pytest.mark.parametrize("name", ["a.md", "a.csv", "a.txt"])
@pytest.mark.parametrize("edge", ["|", ""])
def test_the_line_below_the_names_of_a_markdown_table_is_no_row(name: str, edge: str) -> None:
    rows = [("text", "label"), ("---", ":-:"), *zip(TEXTS, LABELS, strict=True)]
    lines = [f"{edge} {text} | {label} {edge}".strip() for text, label in rows]
    assert same(read_data("\n".join(lines).encode(), name))
    table = read_data(b"| a | b |\n|---|---|\n| x \\| y | z |\n", name)
    assert dict(table.columns) == {"a": ("x | y",), "b": ("z",)}


def tarred(data: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("train.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.tar", tarred(b"text,label\n")), ("a.tar.gz", gzip.compress(tarred(b"text,label\n"))),
     ("a.tgz", b"\x1f\x8b damaged"),
     ("a.gz", gzip.compress(tarred(b"text,label\n"))), ("a", lzma.compress(tarred(b"text,label\n"))),
     ("a.7z", b"7z\xbc\xaf\x27\x1c\0\4"), ("a.rar", b"Rar!\x1a\x07\x01\0")],
)  # fmt: skip
def test_archives_are_named_with_what_unpacks_them(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(DataError, match=r"is a \w+ archive, not a table(.|\n)*unpack it and give the folder"):
        read_data(data, name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_bytes(data)
    with pytest.raises(DataError, match="archive"):
        read_table(tmp_path / "data" / name)
    if "." in name and name != "a.gz":
        with pytest.raises(DataError, match=f"holds no data file. It holds the archive {name}"):
            read_table(tmp_path / "data")


@pytest.mark.parametrize("kind", ["file", "stream", "feather"])
def test_arrow_files_are_read_alone_and_in_folders(tmp_path: Path, kind: str) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import feather

    def write(rows: list[Any], path: Path) -> None:
        table = pyarrow.Table.from_pylist(rows)
        if kind == "feather":
            feather.write_feather(table, path)
            return
        opened = pyarrow.ipc.new_file if kind == "file" else pyarrow.ipc.new_stream
        with opened(path, table.schema) as writer:
            writer.write_table(table)

    suffix = ".feather" if kind == "feather" else ".arrow"
    write(ROWS, tmp_path / f"all{suffix}")
    assert same(read_table(tmp_path / f"all{suffix}"))
    (tmp_path / "parts").mkdir()
    write(ROWS[:40], tmp_path / "parts" / f"x-train-00000-of-00001{suffix}")
    write(ROWS[40:], tmp_path / "parts" / f"x-test{suffix}")
    if kind != "feather":
        write(ROWS, tmp_path / "parts" / "cache-0123abcd.arrow")
    table = read_table(tmp_path / "parts")
    assert len(table) == 60 and table.column("split").count("test") == 20
    with pytest.raises(DataError, match="damaged Arrow"):
        read_data((tmp_path / f"all{suffix}").read_bytes()[:100], f"a{suffix}")
    with pytest.raises(DataError, match=r"Feather file of version 1(.|\n)*to_parquet"):
        read_data(b"FEA1 and more", "a.feather")
    with pytest.raises(DataError, match="Feather file of version 1"):
        read_data(b"FEA1 \0\0 FEA1", "a.data")
    assert list(read_data(b"FEA1,label\nsome,good\nmore,bad\n", "a.csv").columns) == ["FEA1", "label"]


def test_the_tweets_without_a_header_that_everybody_has() -> None:
    lines = [
        f'"{(0, 4)[i % 2]}","{i}","Mon Apr 06 22:19:45","NO_QUERY","u{i}","{text}"' for i, text in enumerate(TEXTS)
    ]
    columns = find_columns(read_data("\n".join(lines).encode(), "a.csv"))
    assert (columns.text, columns.label) == ("text", "target")


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)  # fmt: skip
def test_encodings_that_can_be_told_are_read(encoding: str) -> None:
    table = read_data(CSV.replace("film", "café").encode(encoding), "a.csv")
    assert table.column("text")[3] == TEXTS[3].replace("film", "café")
    assert encoding == "utf-8-sig" or any("read as" in note for note in table.notes)


def test_a_stray_zero_byte_is_left_out_and_said() -> None:
    table = read_data(CSV.replace("film", "fi\0lm", 1).encode(), "a.csv")
    assert same(table) and any("1 zero bytes" in note for note in table.notes)


def packed(data: bytes, *names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.csv.gz", gzip.compress), ("a.gz", gzip.compress), ("a", gzip.compress), ("a.csv.bz2", bz2.compress),
     ("a.csv.xz", lzma.compress), ("a.zip", lambda d: packed(d, "a.csv")), ("a", lambda d: packed(d, "a.csv")),
     ("a.zip", lambda d: packed(d, "x/a.csv", "__MACOSX/._a.csv"))],
)  # fmt: skip
def test_packed_files_are_unpacked(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert same(read_data(pack(CSV.encode()), name))


def test_a_zip_of_several_files_is_named() -> None:
    with pytest.raises(DataError, match=r"2 files \(train\.csv, test\.csv\)(.|\n)*unzip it and give the folder"):
        read_data(packed(CSV.encode(), "train.csv", "test.csv"), "a.zip")


@pytest.mark.parametrize(
    "path", ["{label}/{i}.txt", "{part}/{label}/{i}.txt", "{label}/{part}/{i}.txt", "x-{part}/{label}/{i}"]
)
def test_a_folder_for_each_class(tmp_path: Path, path: str) -> None:
    for i, row in enumerate(ROWS):
        file = tmp_path / path.format(i=i, label=row["label"], part="train" if i < 40 else "test")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row["text"])
    (tmp_path / "README").write_text("about")
    table = read_table(tmp_path)
    assert dict(zip(table.column("text"), table.column("label"), strict=True)) == dict(zip(TEXTS, LABELS, strict=True))
    assert (table.columns.get("split", ()).count("test") == 20) == ("part" in path)


def test_a_file_of_lines_for_each_class(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / f"{name}.txt").write_text("\n".join(row["text"] for row in ROWS if row["label"] == name))
    table = read_table(tmp_path)
    columns = find_columns(table)
    found = dict(zip(table.column(columns.text), table.column(columns.label), strict=True))
    assert found == dict(zip(TEXTS, LABELS, strict=True))


def test_folders_without_labels_are_left_out_of_the_classes(tmp_path: Path) -> None:
    for i, row in enumerate(ROWS):
        for name in (row["label"], "unsup"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{i}.txt").write_text(row["text"])
    table = read_table(tmp_path)
    assert set(table.column("label")) == {"good", "bad"} and any("have no label" in note for note in table.notes)


def test_indices_and_columns_of_scraps_are_no_text_and_no_label() -> None:
    scraps = (*[""] * 58, "a piece of one", "another piece")
    index = tuple(i % 30 for i in range(60))
    data = Table({"Unnamed: 0": index, "v1": tuple(LABELS), "v2": tuple(TEXTS), "column_4": scraps}, "a.csv")
    columns = find_columns(data)
    assert (columns.text, columns.label) == ("v2", "v1")
    assert any("'column_4' (2 of 60 rows)" in note for note in columns.notes)


def test_columns_with_one_name() -> None:
    table = read_data(b"id,text,label,id\n1,a b,x,1\n2,c d,y,2\n", "a.csv")
    assert tuple(table.columns) == ("id", "text", "label")
    assert "id.2" in read_data(b"id,text,label,id\n1,a b,x,3\n2,c d,y,4\n", "a.csv").columns


def test_no_message_repeats_a_cell_at_length() -> None:
    long = "word " * 1000
    data = Table({"text": tuple(TEXTS), "label": (long,) * 60}, "a.csv")
    columns = find_columns(data)
    with pytest.raises(DataError) as caught:
        check_classes(usable(data, columns), columns.label, data.source)
    assert len(str(caught.value)) < 400 and quoted("x" * 61) == repr("x" * 59 + "…")
