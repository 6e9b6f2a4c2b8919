"""What a client sent becomes items; files come as bytes, and no address is followed."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import DataError
from lighten.core.item import Reference, content_hash, held_content, is_held
from lighten.serve.intake import HELD, SMALL, Files, Intake, Plain, file_in, intake_of, nameless, unusable_in
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.tasks.image_classification import ImageClassification

LIMITS = Limits(inputs=3, size=100)
ServableOf = Callable[..., Servable]


@pytest.fixture
def plain(servable_of: ServableOf) -> Intake:
    return intake_of(servable_of(), LIMITS)


@pytest.fixture
def files(servable_of: ServableOf) -> Iterator[Files]:
    pytest.importorskip("PIL")
    made = intake_of(servable_of(task=ImageClassification()), LIMITS)
    assert isinstance(made, Files)
    yield made
    made.close()


def picture(side: int = 16) -> bytes:
    """A PNG."""
    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (side, side), (200, 10, 10)).save(written, "PNG")
    return written.getvalue()


def large() -> bytes:
    """A picture that is too large to go along with the question."""
    from PIL import Image

    written = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
    Image.fromarray(noise).save(written, "PNG")
    assert len(written.getvalue()) > HELD
    return written.getvalue()


def refusal_of(intake: Intake, *values: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        intake.items(values)
    return refusal.value


def test_texts_come_as_text_or_as_bytes(plain: Intake) -> None:
    assert isinstance(plain, Plain) and plain.quick(["a"]) and plain.pads and not plain.arrays
    assert plain.items(["a", "schön".encode(), ""]) == ["a", "schön", ""]


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (7, "Input 0: it is a number"),
        (None, "it is null"),
        (["a"], "it is a list"),
        (True, "true or false"),
        ("\ud800", "lone surrogate"),
        (b"\xff", "it is not UTF-8"),
        ({"text": ["a"]}, "is a list or an object"),
        ({"text": "\udc00"}, "lone surrogate"),
        ({"text": "a"}, "no prompt for columns"),
    ],
)
def test_what_is_no_text_is_refused_by_its_place(plain: Intake, value: Any, seen: str) -> None:
    found = refusal_of(plain, value)
    assert found.status == 422 and seen in found.seen


def test_too_many_none_and_too_large_are_refused(plain: Intake) -> None:
    assert refusal_of(plain).status == 422
    assert refusal_of(plain, *"abcd").status == 413
    found = refusal_of(plain, "a", "x" * 101)
    assert found.status == 413 and found.seen == "Input 1 has a size of 101." and found.allowed == "at most 100"


def test_a_small_file_goes_along_and_is_looked_at_between_others_once_that_is_quick(files: Files) -> None:
    data = picture()
    assert not files.quick([data])  # the library is not imported yet
    encoded = base64.b64encode(data).decode()
    items = files.items([data, encoded, f"data:image/png;base64,{encoded}"])
    for item in items:
        assert isinstance(item, Reference) and (item.kind, item.size) == ("image", 1)
        assert is_held(item) and held_content(item) == data and item.hash == content_hash(data)
    assert not list(Path(files._folder.name).iterdir())
    files.forget(items)
    assert files.quick([data, encoded]) and files.quick([np.zeros((4, 4), np.uint8), 7])
    assert not files.quick([large()]) and not files.quick([encoded] * 1000) and not files.quick([np.zeros(SMALL + 1)])
    assert not files.quick([7] * (LIMITS.inputs + 1))  # to be refused by their number, and nothing else


def test_what_is_looked_at_between_others_leaves_no_file(files: Files) -> None:
    files.items([picture()])
    levels = np.random.default_rng(0).integers(0, 256, (SMALL // 128, 128), np.uint8)  # its file has a header, too
    assert files.quick([levels])
    files.items([levels])
    assert not list(Path(files._folder.name).iterdir())


def test_a_reader_that_wants_files_gets_files(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files._reader, "look", lambda data, name: None)
    (item,) = files.items([picture()])
    assert isinstance(item, Reference) and Path(item.path).read_bytes() == picture() and not files.quick([picture()])


def test_a_file_lies_where_only_its_reader_finds_it_until_it_was_answered(files: Files) -> None:
    data = large()
    encoded = base64.b64encode(data).decode()
    items = files.items([data, encoded, f"data:image/png;base64,{encoded}"])
    assert not files.pads
    for item in items:
        assert isinstance(item, Reference) and item.kind == "image" and Path(item.path).read_bytes() == data
    files.forget(items)
    assert not any(Path(item.path).exists() for item in items if isinstance(item, Reference))


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://127.0.0.1/x.png", "https://a.b/c", "s3://a/b", "data:image/png,abc", "FTP://a"],
)
def test_no_address_is_followed(files: Files, address: str) -> None:
    found = refusal_of(files, address)
    assert found.status == 422 and "address" in found.seen and "none is followed" in found.seen


@pytest.mark.parametrize("path", ["/etc/passwd", "photo.jpg", "../../x", "~/x"])
def test_no_path_is_opened(files: Files, path: str) -> None:
    found = refusal_of(files, path)
    assert found.status == 422 and "no base64" in found.seen


def test_an_array_becomes_a_file_of_its_levels(files: Files) -> None:
    levels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    (item,) = files.items([levels])
    assert isinstance(item, Reference) and held_content(item) == b"P6\n4 2\n255\n" + levels.tobytes()
    assert files.arrays and "shape [2]" in refusal_of(files, levels[:, 0, 0]).seen
    assert "shape []" in refusal_of(files, levels[0, 0, 0]).seen
    assert not list(Path(files._folder.name).iterdir())


def test_what_is_no_picture_leaves_no_file_and_no_name(files: Files, tmp_path: Path) -> None:
    folder = Path(files._folder.name)
    for none in (b"no picture at all", b"no picture at all" * SMALL):
        found = refusal_of(files, large(), base64.b64encode(none).decode())
        assert found.status == 422 and found.seen.startswith("Input 1: the file") and str(folder) not in found.line
        assert not list(folder.iterdir())
    assert refusal_of(files, 7).status == refusal_of(files, "").status == 422


def test_a_full_disk_is_told_as_no_room(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    found = refusal_of(files, large())
    assert (found.status, found.code) == (503, "no_room") and not list(Path(files._folder.name).iterdir())


def test_large_pictures_are_refused_by_their_pixels(files: Files) -> None:
    assert refusal_of(files, picture(side=200)).status == 413 and not list(Path(files._folder.name).iterdir())


def test_errors_of_readers_name_no_file_of_the_server(files: Files) -> None:
    (item,) = files.items([large()])
    assert isinstance(item, Reference)
    found = unusable_in(DataError(f"{item.path} cannot be decoded."))
    assert (found.status, found.seen) == (422, "the file cannot be decoded.")
    assert nameless("/other/path") == "/other/path"


def test_base64_is_strict() -> None:
    assert file_in("aGk=") == b"hi"
    for text in ("aGk", "aG k=", "a!Gk="):
        with pytest.raises(DataError, match="no base64"):
            file_in(text)
