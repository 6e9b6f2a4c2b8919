"""Pictures in a folder for each class, in a csv of paths, in parquet: rows that refer to them, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from lighten.core.errors import DataError, UnknownName
from lighten.core.item import Reference, content_hash
from lighten.core.rows import PART_NAMES, Parts
from lighten.data.cells import Embedded
from lighten.data.columns import find_columns, text_column
from lighten.data.examples import usable
from lighten.data.items import FileName, kind_of_file, with_file_names
from lighten.data.parts import split
from lighten.data.references import described, item_at, put_away
from lighten.data.table import read_table
from lighten.files.stored_zip import read_bytes
from lighten.testing.pictures import CLASSES, picture, picture_folder, saved_picture
from lighten.testing.plugin import installed, plugin_package


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LIGHTEN_HOME", str(folder))
    return folder


def parts_of(source: Path, **options: bool) -> Parts:
    table = read_table(source)
    return split(table, find_columns(table, kind="image"), **options)  # type: ignore[arg-type]


def everything(parts: Parts) -> dict[str, str]:
    """Label by the name of the file, of all parts."""
    return {
        Path(item.path).name if not item.member else item.member: parts.labels[target]
        for name in PART_NAMES
        for item, target in zip(parts[name].inputs, parts[name].targets, strict=True)
        if isinstance(item, Reference)
    }


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "data", 40)
    (folder / "README.md").write_text("about")
    parts = parts_of(folder)
    assert parts.labels == tuple(sorted(CLASSES))
    assert sum(len(parts[name]) for name in PART_NAMES) == 120
    assert any("holds 120 image files in 3 folders, whose names are the labels" in note for note in parts.notes)
    assert any("1 other file" in note and "README.md" in note for note in parts.notes)
    (item,) = parts.tune.inputs[:1]
    assert isinstance(item, Reference)
    assert item.hash == content_hash(Path(item.path).read_bytes())
    assert len(set(parts.train.ids)) == len(parts.train)


def test_parts_that_folders_name_are_kept(tmp_path: Path) -> None:
    for part, each in (("train", 8), ("val", 20), ("test", 4)):
        for number, label in enumerate(CLASSES):
            for at in range(each):
                saved_picture(tmp_path / part / label / f"{part}{at}.png", 100 * number + at + 37 * each, label)
    parts = parts_of(tmp_path)
    assert (len(parts.train), len(parts.tune) + len(parts.select), len(parts.proof)) == (24, 60, 12)
    assert {Path(i.path).parts[-3] for i in parts.proof.inputs if isinstance(i, Reference)} == {"test"}


def test_a_csv_of_paths_is_relative_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "deep" / "pictures"
    rows = ["file_name,label,camera,user"]
    for at in range(40):
        saved_picture(inner / f"{at}.png", at, CLASSES[at % 2])
        rows.append(f"pictures/{at}.png,{CLASSES[at % 2]},{'ab'[at % 2]},u{at}")
    (tmp_path / "deep" / "labels.csv").write_text("\n".join(rows))
    monkeypatch.chdir("/")
    table = read_table(tmp_path / "deep" / "labels.csv")
    columns = find_columns(table, kind="image", group="camera", unit="user")
    assert (columns.text, columns.label, columns.group, columns.kind) == ("file_name", "label", "camera", "image")
    parts = split(table, columns)
    assert everything(parts)["3.png"] == CLASSES[1]
    assert set(parts.train.groups) == {"a", "b"}
    assert len(everything(parts)) == 40
    assert everything(parts_of(tmp_path / "deep")) == everything(parts), "the folder is read by its csv"


def test_json_lines_name_files_too_and_absolute_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    items = [saved_picture(tmp_path / "x" / f"{at}.jpg", at, CLASSES[at % 3]) for at in range(30)]
    lines = [json.dumps({"image": item.path, "label": CLASSES[at % 3]}) for at, item in enumerate(items)]
    (tmp_path / "list.jsonl").write_text("\n".join(lines))
    table = read_table(tmp_path / "list.jsonl")
    found = usable(table, find_columns(table, kind="image"))
    assert [row.item for row in found.rows] == items


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """What ``datasets`` writes: a struct of bytes and path, and numbers with the names of their classes beside."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    cells = []
    for at in range(30):
        written = io.BytesIO()
        picture(at, CLASSES[at % 3]).save(written, "PNG")
        cells.append({"bytes": written.getvalue(), "path": f"{at}.png"})
    cells[4] = dict(cells[1])
    features = {"image": {"_type": "Image"}, "label": {"names": list(CLASSES), "_type": "ClassLabel"}}
    info = json.dumps({"info": {"features": features}}).encode()
    table = pa.table({"image": cells, "label": [at % 3 for at in range(30)]})
    path = tmp_path / "train-00000.parquet"
    parquet.write_table(table.replace_schema_metadata({b"huggingface": info}), path)
    return path


def test_pictures_inside_of_parquet_are_written_once_into_a_zip(parquet: Path, home: Path) -> None:
    table = read_table(parquet)
    columns = find_columns(table, kind="image")
    assert (columns.text, columns.label) == ("image", "label")
    found = usable(table, columns)
    assert found.labels == tuple(sorted(CLASSES))
    first, second, fifth = (found.rows[at].item for at in (0, 1, 4))
    assert isinstance(first, Reference)
    cell = table.column("image")[0]
    assert isinstance(cell, Embedded)
    assert read_bytes(first) == cell.data
    assert first.member == f"{first.hash}.png" and second == fifth
    (archive,) = (home / "items").iterdir()
    before = archive.stat().st_mtime_ns
    usable(read_table(parquet), columns)
    assert [path.stat().st_mtime_ns for path in (home / "items").iterdir()] == [before]


def test_a_column_of_bytes_alone_is_of_pictures_too(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    cells = []
    for at in range(12):
        written = io.BytesIO()
        picture(at).save(written, "JPEG")
        cells.append(written.getvalue())
    parquet.write_table(pa.table({"photo": cells, "kind": [at % 2 for at in range(12)]}), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    found = usable(table, find_columns(table, kind="image", label="kind"))
    assert len({row.id for row in found.rows}) == 12
    assert find_columns(table, kind="image").label == "kind"


def test_a_text_task_takes_no_column_of_pictures(parquet: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="text"):
        find_columns(read_table(parquet))
    rows = [f"{at}.png,what the {'good' if at % 2 else 'bad'} film shows in scene {at},{at % 2}" for at in range(20)]
    (tmp_path / "still.csv").write_text("\n".join(["frame,caption,label", *rows]))
    columns = find_columns(read_table(tmp_path / "still.csv"))
    assert (columns.text, columns.label, columns.kind) == ("caption", "label", "")


def test_files_that_cannot_be_opened_are_counted_and_named_and_can_be_left_out(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "data", 30)
    (folder / "down" / "0.png").write_bytes(b"")
    (folder / "down" / "1.png").write_text("no picture")
    whole = (folder / "across" / "2.png").read_bytes()
    (folder / "across" / "2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="has 3 files that cannot be opened") as caught:
        parts_of(folder)
    said = str(caught.value)
    assert "across/2.png is damaged" in said and "down/0.png is empty" in said and "--drop-empty" in said
    parts = parts_of(folder, drop_empty=True)
    assert sum(len(parts[name]) for name in PART_NAMES) == 87
    assert any("Left out: 3 rows with 3 files that cannot be opened" in note for note in parts.notes)


def test_many_broken_files_do_not_fill_the_screen(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "data", 10)
    for at in range(9):
        (folder / "down" / f"{at}.png").write_bytes(b"")
    with pytest.raises(DataError, match="and 4 more"):
        parts_of(folder)


def test_labels_without_their_file_are_named_by_row(tmp_path: Path) -> None:
    rows = ["image,label"]
    for at in range(90):
        if at not in (3, 7):
            saved_picture(tmp_path / f"{at}.png", at)
        rows.append(f"{at}.png,{at % 2}")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, ",1"]))
    with pytest.raises(DataError, match=r"1 row without 'image' \(row 91\)"):
        parts_of(tmp_path / "labels.csv")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match="2 files that cannot be opened") as caught:
        parts_of(tmp_path / "labels.csv")
    assert "3.png cannot be read: No such file or directory (row 4)" in str(caught.value)
    parts = parts_of(tmp_path / "labels.csv", drop_empty=True)
    assert len(everything(parts)) == 88


def test_a_folder_without_classes_is_refused_but_can_be_answered(tmp_path: Path) -> None:
    for at in range(5):
        saved_picture(tmp_path / f"{at}.png", at)
    table = read_table(tmp_path)
    with pytest.raises(DataError, match="Nothing says the classes of the image files") as caught:
        find_columns(table, kind="image")
    assert "cats/1.jpg" in caught.value.allowed
    column = table.column(text_column(table, kind="image")[0])
    assert [Path(item.path).name for item in described(column, "image") if isinstance(item, Reference)] == [
        f"{at}.png" for at in range(5)
    ]


def test_one_picture_in_each_folder_is_refused(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label in "abc":
            saved_picture(tmp_path / part / label / "only.png", ord(label), size=(20, 20))
    with pytest.raises(DataError, match="one image file in each of its 3 folders"):
        read_table(tmp_path)


def test_folders_inside_folders_are_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("a/b/1.png", "a/b/2.png", "c/1.png", "c/2.png")):
        saved_picture(tmp_path / name, number)
    with pytest.raises(DataError, match="image files in folders inside folders, such as a/b/1"):
        read_table(tmp_path)


def test_columns_are_given_where_several_hold_pictures(tmp_path: Path) -> None:
    for at in range(12):
        saved_picture(tmp_path / f"{at}.png", at)
    rows = [f"{at}.png,{11 - at}.png,{at % 2}" for at in range(12)]
    (tmp_path / "two.csv").write_text("\n".join(["left,right,label", *rows]))
    table = read_table(tmp_path / "two.csv")
    with pytest.raises(DataError, match="2 columns of image files: left, right"):
        find_columns(table, kind="image")
    assert find_columns(table, "right", kind="image").text == "right"
    with pytest.raises(DataError, match=r"'label' of .* holds no image files: '0'"):
        find_columns(table, "label", kind="image")
    with pytest.raises(UnknownName, match="centre"):
        find_columns(table, "centre", kind="image")
    with pytest.raises(DataError, match="has no column of image files"):
        (tmp_path / "texts.csv").write_text("text,label\ngood film,1\nbad film,0\n")
        find_columns(read_table(tmp_path / "texts.csv"), kind="image")


def test_near_copies_stand_in_one_part_only(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "data", 40)
    for label in CLASSES:
        for at in range(0, 40, 2):
            number = 1000 * CLASSES.index(label) + at
            picture(number, label).save(folder / label / f"{at}-again.jpg", quality=85)
    parts = parts_of(folder)
    homes = {}
    for name in PART_NAMES:
        for item in parts[name].inputs:
            assert isinstance(item, Reference)
            key = (Path(item.path).parent.name, Path(item.path).stem.removesuffix("-again"))
            assert homes.setdefault(key, name) == name, key
    assert any("60 inputs occur more than once (or nearly the same)" in note for note in parts.notes)
    assert len(homes) == 120


def test_cells_stay_what_is_written_and_know_their_folder(tmp_path: Path) -> None:
    table = with_file_names(read_table(_csv(tmp_path)), tmp_path)
    cell = table.column("picture")[0]
    assert isinstance(cell, FileName)
    assert (cell, cell.place) == ("a.PNG", tmp_path / "a.PNG")
    assert not isinstance(table.column("name")[0], FileName), "most of these name no file"


def _csv(folder: Path) -> Path:
    (folder / "some.csv").write_text("picture,name\na.PNG,a dog\n/b/b.jpg,b.jpg\n,a cat\n")
    return folder / "some.csv"


def test_one_file_is_an_item(tmp_path: Path) -> None:
    item = saved_picture(tmp_path / "a.png", 1)
    assert item_at(str(tmp_path / "a.png"), "image") == item
    assert [kind_of_file(name) for name in ("a.PNG", "a.tar.gz", "v1.2/png", "png")] == ["image", "", "", ""]


def test_a_package_brings_files_of_its_own(tmp_path: Path) -> None:
    source = '''"""Readings."""
from lighten.core.item import Reference, content_hash
from lighten.core.reader import Reader

class Readings(Reader):
    suffixes = (".rdg",)
    is_in = open = classmethod(lambda cls, folder: None)
    save = __call__ = size = batch = axes = probe = lambda *given: None

    @classmethod
    def describe(cls, path, member=""):
        data = path.read_bytes()
        return Reference(str(path), content_hash(data), "sensor", len(data), member)
'''
    plugin_package(tmp_path, "readers", "sensor", source)
    data = tmp_path / "data"
    for label in ("calm", "storm"):
        (data / label).mkdir(parents=True)
        for at in range(25):
            (data / label / f"{at}.rdg").write_text(f"{label} {at}")
    with installed(tmp_path):
        table = read_table(data)
        parts = split(table, find_columns(table, kind="sensor"))
        assert sum(len(parts[name]) for name in PART_NAMES) == 50
        assert {item.kind for item in parts.train.inputs if isinstance(item, Reference)} == {"sensor"}
        assert parts.labels == ("calm", "storm")


def test_what_cannot_be_kept_is_said(home: Path) -> None:
    (home / "items").write_text("a file where the folder should be")
    with pytest.raises(Exception, match="cannot be kept in") as caught:
        put_away([Embedded(".png", b"x")])
    assert "LIGHTEN_HOME" in str(caught.value)


def test_a_copied_folder_has_the_same_ids(tmp_path: Path) -> None:
    first = picture_folder(tmp_path / "first", 40)
    shutil.copytree(first, tmp_path / "second")
    one, other = (parts_of(tmp_path / name) for name in ("first", "second"))
    assert one.fingerprint == other.fingerprint
    assert one.train.ids == other.train.ids
