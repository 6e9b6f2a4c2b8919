"""What a reader found in a file is known in the next command by its content alone; what changed is opened anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lighten.core.errors import DataError
from lighten.core.item import Reference
from lighten.data import references
from lighten.data.alike import copies_of
from lighten.data.cells import Embedded
from lighten.data.examples import Example
from lighten.data.items import FileName
from lighten.data.references import described, item_at, likeness, remarks
from lighten.readers.image import ImageReader
from lighten.store.findings import FILE
from lighten.testing.pictures import picture, saved_picture


class Counted:
    """How often pictures are decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        describe = ImageReader.describe

        def counted(path: Path, member: str = "") -> Reference:
            self.names.append(path.name)
            return describe(path, member)

        monkeypatch.setattr(ImageReader, "describe", counted)
        self._patch = monkeypatch

    def in_the_next_command(self) -> Counted:
        """Nothing is remembered but what was kept."""
        self.names.clear()
        self._patch.setattr(references, "_likenesses", {})
        self._patch.setattr(references, "_remarks", {})
        self._patch.setattr("lighten.readers.image._known_likeness", {})
        self._patch.setattr("lighten.readers.image._known_remarks", {})
        return self


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(references, "_FEW", 1)
    return Counted(monkeypatch)


def cells_of(folder: Path, count: int = 150) -> list[FileName]:
    for seed in range(count):
        folder.mkdir(exist_ok=True)
        picture(seed).save(folder / f"{seed}.png")
    return [FileName(f"{seed}.png", folder) for seed in range(count)]


def test_files_are_decoded_once_wherever_they_lie(tmp_path: Path, decoded: Counted) -> None:
    cells = cells_of(tmp_path / "data")
    first = described(cells, "image")
    bits = [likeness(item) for item in first if isinstance(item, Reference)]
    assert sorted(decoded.names) == sorted(cells)
    decoded.in_the_next_command()
    assert described(cells, "image") == first
    assert [likeness(item) for item in first if isinstance(item, Reference)] == bits
    shutil.copytree(tmp_path / "data", tmp_path / "other")
    moved = described([FileName(name, tmp_path / "other") for name in cells], "image")
    assert [item.hash for item in moved if isinstance(item, Reference)] == [
        item.hash for item in first if isinstance(item, Reference)
    ]
    assert not decoded.names


def test_what_is_to_be_said_of_files_is_said_by_the_next_command_too(tmp_path: Path, decoded: Counted) -> None:
    cells = cells_of(tmp_path / "data", 3)
    for at in (0, 2):
        picture(at).save(tmp_path / "data" / f"{at}.png", save_all=True, append_images=[picture(7)])
    first = described(cells, "image")
    (said,) = remarks(first)
    assert said == "Of several pictures in one file the first is read (2 files, such as data/0.png)."
    bits = [likeness(item) for item in first if isinstance(item, Reference)]
    again = described(cells, "image", *decoded.in_the_next_command().names)
    assert remarks(again) == (said,) and not decoded.names
    assert [likeness(item) for item in again if isinstance(item, Reference)] == bits


def test_a_file_with_another_content_is_opened_anew_whatever_its_name_and_time(
    tmp_path: Path, decoded: Counted
) -> None:
    cells = cells_of(tmp_path / "data", 3)
    before = described(cells, "image")
    path = tmp_path / "data" / "1.png"
    times = path.stat()
    shutil.copy(saved_picture(tmp_path / "new.png", 9).path, path)
    import os

    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    decoded.in_the_next_command()
    after = described(cells, "image")
    assert decoded.names == ["1.png"]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_a_damaged_store_and_another_version_are_as_none(
    tmp_path: Path, decoded: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = cells_of(tmp_path / "data", 3)
    first = described(cells, "image")
    (tmp_path / "home" / FILE).write_bytes(b"damaged")
    assert described(cells, "image") == first and len(decoded.names) == 6
    monkeypatch.setattr(ImageReader, "version", classmethod(lambda cls: "another"))
    assert described(cells, "image") == first and len(decoded.names) == 9
    monkeypatch.setattr(ImageReader, "version", classmethod(lambda cls: ""))
    assert described(cells, "image") == described(cells, "image") == first and len(decoded.names) == 15


def test_near_copies_are_known_without_being_decoded_again(tmp_path: Path, decoded: Counted) -> None:
    cells = cells_of(tmp_path / "data", 3)
    picture(1).save(tmp_path / "data" / "again.jpg", quality=85)
    picture(1).convert("1").point(lambda level: 255).save(tmp_path / "data" / "white.png")
    cells += [FileName(name, tmp_path / "data") for name in ("again.jpg", "white.png")]
    for _ in range(2):
        items = described(cells, "image")
        rows = [Example(item, "", at) for at, item in enumerate(items) if isinstance(item, Reference)]
        assert copies_of(rows) == [[0], [1, 3], [2], [4]]
        assert likeness(rows[4].item) is None  # type: ignore[arg-type]
        decoded.in_the_next_command()
    assert not decoded.names


def test_what_cannot_be_opened_is_said_every_time(tmp_path: Path, decoded: Counted) -> None:
    cells = [*cells_of(tmp_path / "data", 2), FileName("gone.png", tmp_path / "data"), Embedded("x.png", b"no picture")]
    for _ in range(2):
        *good, gone, broken = described(cells, "image")
        assert all(isinstance(one, Reference) for one in good)
        assert isinstance(gone, DataError) and "gone.png cannot be read" in gone.seen
        assert isinstance(broken, DataError) and "no picture" in broken.seen
    with pytest.raises(DataError, match="cannot be read"):
        item_at(str(tmp_path / "data" / "gone.png"), "image")
