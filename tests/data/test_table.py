"""Users' files in: every format to the same table, every broken file to an error that says where and what to do."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lighten.core.errors import DataError, MissingExtra, UnknownName, UnsafeFile
from lighten.data.files import read_data
from lighten.data.table import read_table

ROWS = [("good, really", "1"), ('he said "no"', "0"), ("naïve\nfilm", "1"), ("é", "0")]
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)


def written(path: Path, rows: list[tuple[str, ...]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("text", "label"), *rows])
    return path


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.dat", "\t")])
def test_delimited_files_give_the_cells_that_were_written(tmp_path: Path, name: str, delimiter: str) -> None:
    table = read_table(written(tmp_path / name, ROWS, delimiter))
    assert tuple(zip(table.column("text"), table.column("label"), strict=True)) == tuple(ROWS)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8), st.sampled_from([",", ";", "\t"]))
def test_csv_round_trip_of_nasty_strings(rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *rows])
    table = read_data(file.getvalue().encode(), "nasty.csv")
    assert tuple(zip(table.column("text"), table.column("label"), strict=True)) == tuple(rows)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORDS, st.none() | st.integers() | st.booleans() | WORDS), min_size=1, max_size=8))
def test_jsonl_round_trip_of_nasty_strings(rows: list[tuple[str, object]]) -> None:
    lines = "\n".join(json.dumps({"text": t, "label": v}, ensure_ascii=False) for t, v in rows)
    table = read_data(lines.encode(), "nasty.jsonl")
    assert tuple(zip(table.column("text"), table.column("label"), strict=True)) == tuple(rows)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.tsv", "x.jsonl", "x.json", "x.txt", "x.csv.gz", "x"]))
@example(b"\x1c", "x.txt")  # white space to Python, and to nobody else
def test_any_bytes_give_a_table_or_an_error_of_ours(data: bytes, name: str) -> None:
    try:
        assert len(read_data(data, name)) > 0
    except (DataError, UnsafeFile) as error:
        assert name in str(error)


def test_byte_order_mark_gzip_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbftext,label\r\nfine film,1\r\n\r\nbad,0\r\n"))
    table = read_table(path)
    assert table.column("text") == ("fine film", "bad")
    assert any("1 blank line" in note for note in table.notes)


def test_long_documents_are_read(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", [("x" * 300_000, "1")]))
    assert len(str(table.column("text")[0])) == 300_000
    assert csv.field_size_limit() == 131_072, "the process-wide limit is put back"


def test_tab_separated_without_quoting_keeps_quotes_as_they_are() -> None:
    table = read_data(b'text\tlabel\n"Great" film\t1\n"unclosed\t0\n', "a.tsv")
    assert table.column("text") == ('"Great" film', '"unclosed')


def test_quotes_that_do_not_pair_up_are_kept_and_noted() -> None:
    table = read_data(b'text,label\n"a,1\nb,2\n', "a.csv")
    assert table.column("text") == ('"a', "b") and "ordinary characters" in table.notes[0]


def test_json_list_missing_keys_and_nested_values(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"text": "a", "label": true}, {"text": "b", "tags": ["x", 1]}]')
    table = read_table(path)
    assert table.column("label") == (True, None)
    assert table.column("tags") == (None, '["x", 1]')
    assert any("'tags'" in note for note in table.notes)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b'{"text": "a b", "label": "x"}\n', b"text,label\na b,x\n"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert read_table("-").column("text") == ("a b",)


def test_text_file_has_one_row_a_line() -> None:
    assert read_data(b"one\r\n\ntwo, three\n\n", "a.txt").column("text") == ("one", "", "two, three")


def test_unknown_column_offers_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'label'"):
        read_data(b"text,label\na,b\n", "a.csv").column("lable")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"text,label\n", "no rows"),
        ("a.csv", b"text,label\na,1\nb\nc,d,1\n", r"line 3: 1 cell, 'b'\n.*line 4: 3 cells"),
        ("a.csv", "text,label\nплохой,1\n".encode("cp1251"), r"byte 11 \(line 2\) is 0xef(.|\n)*iconv -f"),
        ("a.csv", "text,label\ncafé,1\n".encode() * 40 + b"caf\xe9,1\n", "is not UTF-8"),
        ("a.csv", "text,label\na,1\n".encode("utf-16")[:-1], "damaged UTF-16"),
        ("a.csv", b"text,label\na\0,1\n", "binary"),
        ("a.csv", b"PK\x03\x04rest", "zip archive that cannot be read"),
        ("a.csv", b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "spreadsheet"),
        ("a.csv", b"text,text\na,b\n", "two columns named 'text'"),
        ("a.csv", b'text,label\n"a, b,1\nc,2\n', "a quote that cannot be read: line 2"),
        ("a.csv.gz", gzip.compress(b"text,label\na,1\n")[:-9], "damaged gzip"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "Line 2 of a.jsonl is not JSON"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', "Line 2 of a.jsonl is not an object"),
        ("a.jsonl", b'{"text": "\\ud83d"}\n', "half a surrogate pair"),
        ("a.json", b"[]", "no rows"),
        ("a.json", b"3", "not a JSON list"),
        ("a.parquet", b"text,label\n", "not parquet"),
        ("a.parquet", b"PAR1 broken", "damaged parquet"),
    ],
)
def test_broken_files_say_where_and_what_to_do(name: str, data: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_data(data, name)


@pytest.mark.parametrize("name", ["a.pkl", "a.npy", "a.pt", "a.bin"])
def test_formats_that_can_hold_pickles_are_refused_unopened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"text,label\na,1\n")
    with pytest.raises(UnsafeFile, match="run code"):
        read_table(tmp_path / name)


def test_a_pickle_under_another_name_is_refused() -> None:
    import pickle

    with pytest.raises(UnsafeFile, match="run code"):
        read_data(pickle.dumps({"text": ["a"]}), "a.csv")


def test_missing_file_offers_the_nearest(tmp_path: Path) -> None:
    written(tmp_path / "reviews.csv", ROWS)
    with pytest.raises(DataError, match=r"did you mean '.*reviews\.csv'"):
        read_table(tmp_path / "review.csv")
    with pytest.raises(DataError, match=r"no file or folder 'docs/notes\.md'"):
        read_table("docs/notes.md")


def test_parquet_and_class_names(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1], "raw": [b"x", b"y", b"z"]})
    pq.write_table(table.replace_schema_metadata(meta), tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet")
    assert read.column("label") == ("pos", "neg", None)
    assert "raw" not in read.columns and any("'raw'" in note and "left out" in note for note in read.notes)


def test_folder_as_save_to_disk_writes_it(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for split, texts in (("train", ["a", "b"]), ("test", ["c"])):
        folder = tmp_path / split
        folder.mkdir()
        table = pa.table({"text": texts, "label": [0] * len(texts)})
        with pa.ipc.new_stream(folder / "data-0.arrow", table.schema) as writer:
            writer.write_table(table)
        (folder / "state.json").write_text('{"_data_files": [{"filename": "data-0.arrow"}]}')
        features = {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}
        (folder / "dataset_info.json").write_text(json.dumps(features))
    read = read_table(tmp_path)
    assert read.column("text") == ("a", "b", "c")
    assert read.column("split") == ("train", "train", "test")
    assert set(read.column("label")) == {"neg"}
    (tmp_path / "test" / "state.json").write_text('{"_data_files": [{"filename": "../../else.arrow"}]}')
    with pytest.raises(UnsafeFile, match="outside"):
        read_table(tmp_path)


def test_folder_of_files_keeps_the_split_their_names_say(tmp_path: Path) -> None:
    written(tmp_path / "train-00.csv", [("a", "1")])
    written(tmp_path / "dev.csv", [("b", "0")])
    (tmp_path / "README.txt").write_text("about")
    read = read_table(tmp_path)
    assert dict(zip(read.column("text"), read.column("split"), strict=True)) == {"a": "train", "b": "validation"}
    (tmp_path / "test.jsonl").write_text('{"sentence": "c"}\n')
    with pytest.raises(DataError, match="different columns"):
        read_table(tmp_path)


def _may_be_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub is not to be left alone, and nothing is in its cache."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))


def test_hub_id_reads_only_data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    written(tmp_path / "train.csv", [("a", "1")])
    asked: list[list[str]] = []

    def snapshot(repo: str, *, repo_type: str, allow_patterns: list[str], etag_timeout: float) -> str:
        asked.append(allow_patterns)
        if repo == "someone/strange":
            raise KeyError("an error that no library foresaw")
        if repo != "someone/films":
            raise FileNotFoundError("offline")
        return str(tmp_path)

    _may_be_asked(monkeypatch, tmp_path)
    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    monkeypatch.setattr(hub.HfApi, "dataset_info", lambda self, repo, timeout: None)
    assert read_table("someone/films").column("text") == ("a",)
    assert not any(pattern.endswith((".py", "*")) for pattern in asked[0])
    with pytest.raises(DataError, match=r"cannot be reached \(FileNotFoundError: offline\)"):
        read_table("someone/other")
    with pytest.raises(DataError, match=r"KeyError: 'an error that no library foresaw'"):
        read_table("someone/strange")


def test_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _may_be_asked(monkeypatch, tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"lighten\[parquet\]"):
        read_data(b"PAR1", "a.parquet")
    with pytest.raises(MissingExtra, match=r"lighten\[hub\]"):
        read_table("someone/films")
