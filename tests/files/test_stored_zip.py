"""Many small files in one zip: each is read back as it was, by name, and the same content is the same file."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lighten.core.item import Reference, content_hash, held
from lighten.files.stored_zip import open_stored, read_bytes, write_stored

MEMBERS = {f"{i}.bin": bytes([i]) * (i * 37) for i in range(40)} | {"größe.bin": b"utf-8 name"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "kept.zip"
    write_stored(path, MEMBERS.items())
    return path


def test_every_member_comes_back_from_many_threads_at_once(archive: Path) -> None:
    stored = open_stored(str(archive))
    assert stored.members == tuple(MEMBERS)
    names = list(MEMBERS) * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stored.read, names)) == [MEMBERS[name] for name in names]
    with zipfile.ZipFile(archive) as plain:
        assert plain.read("7.bin") == MEMBERS["7.bin"]


def test_the_same_content_is_the_same_file_and_copies_stand_once(archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    write_stored(again, [*MEMBERS.items(), ("3.bin", b"another"), ("5.bin", MEMBERS["5.bin"])])
    assert again.read_bytes() == archive.read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["again.zip", "kept.zip"]


def test_a_reference_is_read_from_its_file_or_its_member(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "alone.bin").write_bytes(b"alone")
    assert read_bytes(Reference(str(tmp_path / "alone.bin"), content_hash(b"alone"), "any", 5)) == b"alone"
    assert read_bytes(Reference(str(archive), "", "any", 5, "größe.bin")) == b"utf-8 name"
    assert read_bytes(held(b"along", "any", 5)) == b"along"
    with pytest.raises(KeyError):
        read_bytes(Reference(str(archive), "", "any", 5, "gone.bin"))


def test_packed_members_and_other_files_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "a" * 1000)
    (tmp_path / "none.zip").write_bytes(b"no zip")
    with pytest.raises(OSError, match=r"packed members, such as a\.txt"):
        open_stored(str(tmp_path / "packed.zip"))
    with pytest.raises(OSError, match="no zip"):
        open_stored(str(tmp_path / "none.zip"))


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    def members() -> object:
        yield "a.bin", b"a"
        raise RuntimeError("the source ended")

    with pytest.raises(RuntimeError, match="the source ended"):
        write_stored(tmp_path / "half.zip", members())  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
