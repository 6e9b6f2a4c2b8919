"""IDX files, as MNIST comes in them: pictures with their classes, and the parts that the files' names say."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lighten.core.errors import DataError
from lighten.data.cells import Embedded
from lighten.data.columns import find_columns
from lighten.data.table import read_table

LEVELS = np.random.default_rng(0).integers(0, 256, (10, 5, 4)).astype(np.uint8)


def write(path: Path, numbers: np.ndarray, *, packed: bool = False) -> Path:
    data = bytes([0, 0, 8, numbers.ndim]) + struct.pack(f">{numbers.ndim}I", *numbers.shape) + numbers.tobytes()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def mnist(folder: Path, *, packed: bool = True) -> Path:
    end = ".gz" if packed else ""
    for part, rows in (("train", slice(0, 7)), ("t10k", slice(7, 10))):
        labels = np.arange(10, dtype=np.uint8)[rows] % 3
        write(folder / f"{part}-images-idx3-ubyte{end}", LEVELS[rows], packed=packed)
        write(folder / f"{part}-labels-idx1-ubyte{end}", labels, packed=packed)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_read_with_its_parts(tmp_path: Path, packed: bool) -> None:
    table = read_table(mnist(tmp_path, packed=packed))
    order = [7, 8, 9, 0, 1, 2, 3, 4, 5, 6]
    assert table.column("split") == ("test",) * 3 + ("train",) * 7
    assert table.column("label") == tuple(at % 3 for at in order)
    for at, cell in zip(order, table.column("image"), strict=True):
        assert isinstance(cell, Embedded)
        assert cell.data == b"P5 4 5 255\n" + LEVELS[at].tobytes()
    assert find_columns(table, kind="image").text == "image"
    assert table.notes == (f"{tmp_path} holds 10 pictures in IDX files.",)


def test_one_file_is_read_with_the_labels_beside_it_and_their_names(tmp_path: Path) -> None:
    (mnist(tmp_path) / "classes.txt").write_text("shirt\nshoe\nbag\n")
    table = read_table(tmp_path / "train-images-idx3-ubyte.gz")
    assert list(table.columns) == ["image", "label"]
    assert table.column("label") == ("shirt", "shoe", "bag", "shirt", "shoe", "bag", "shirt")


def test_pictures_in_colour_are_known_by_their_shape(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (3, 2, 6, 3)).astype(np.uint8)
    write(tmp_path / "train-images-idx4-ubyte", colours)
    write(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1, 0], np.uint8))
    cell = read_table(tmp_path).column("image")[1]
    assert isinstance(cell, Embedded)
    (tmp_path / "seen.ppm").write_bytes(cell.data)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "seen.ppm")), colours[1])


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    images = write(tmp_path / "train-images-idx3-ubyte", LEVELS)
    with pytest.raises(DataError, match="has no file of labels beside it") as caught:
        read_table(images)
    assert "train-labels-idx1-ubyte" in caught.value.allowed
    write(tmp_path / "train-labels-idx1-ubyte", np.zeros(9, np.uint8))
    with pytest.raises(DataError, match="holds 10 pictures, and train-labels-idx1-ubyte 9 labels"):
        read_table(images)
    write(tmp_path / "train-labels-idx1-ubyte", np.arange(10, dtype=np.uint8))
    (tmp_path / "classes.txt").write_text("one\ntwo\n")
    with pytest.raises(DataError, match=r"holds the class 9, and .*classes\.txt names 2"):
        read_table(images)
    images.write_bytes(images.read_bytes()[:-3])
    with pytest.raises(DataError, match="is damaged: 197 bytes follow, and 200 should"):
        read_table(images)
    images.write_bytes(b"\0\0\x0d\x03 floats")
    with pytest.raises(DataError, match="is no IDX file of bytes"):
        read_table(images)


def test_where_answers_are_asked_no_labels_are_needed(tmp_path: Path) -> None:
    path = write(tmp_path / "t10k-images-idx3-ubyte", LEVELS)
    for source in (path, tmp_path):
        table = read_table(source, labelled=False)
        assert list(table.columns) == ["image"] and len(table) == 10
    with pytest.raises(DataError, match="no file of labels"):
        read_table(path)
