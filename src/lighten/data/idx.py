"""IDX files, in which MNIST and its kin are kept: pictures in one file, the numbers of their classes in another."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Embedded, Table, count_of
from lighten.data.decode import unpacked
from lighten.data.fixed import split_word

NAMES = "classes.txt"
"""File beside them that names the classes, one a line, where numbers are not enough."""
_IMAGES = re.compile(r"(?P<part>.*?)[._-]?images?[._-]idx[34][._-]ubyte(\.gz|\.bz2|\.xz)?", re.IGNORECASE)
_BYTES = 8
"""The code of numbers of one byte without sign, the only ones that pictures are kept in."""
_PARTS = {"t10k": "test"}
"""What MNIST calls its test part."""


def is_idx(path: Path) -> bool:
    """Whether a file is called as files of pictures in this format are (``train-images-idx3-ubyte.gz``)."""
    return _IMAGES.fullmatch(path.name) is not None


def read_idx(paths: Sequence[Path], source: str, *, labelled: bool = True) -> Table:
    """One row a picture: the picture, the class that the file of labels beside it says, and the part of several files.

    Args:
        labelled: without, no file of labels is needed, and none is read.

    Raises:
        DataError: a damaged file, none of labels, or another number of labels than pictures.
    """
    pictures: list[Cell] = []
    labels: list[Cell] = []
    splits: list[str] = []
    for path in paths:
        kept = _pictures(path)
        pictures += kept
        labels += _labels(path, len(kept)) if labelled else []
        splits += [_part(path)] * len(kept)
    columns: dict[str, tuple[Cell, ...]] = {"image": tuple(pictures), **({"label": tuple(labels)} if labelled else {})}
    if "train" in splits and len(set(splits) - {""}) > 1:
        columns["split"] = tuple(splits)
    return Table(columns, source, (f"{source} holds {count_of(len(pictures), 'picture')} in IDX files.",))


def _pictures(path: Path) -> list[Embedded]:
    data = _content(path)
    shape, begin = _header(data, path, (3, 4))
    height, width = shape[1:3]
    channels = shape[3] if len(shape) == 4 else 1
    if channels not in (1, 3) or not math.prod(shape):
        raise DataError(f"{path} holds numbers of the shape {shape}.", allowed="pictures in grey or in three colours")
    kind, suffix = (5, ".pgm") if channels == 1 else (6, ".ppm")
    head, size = f"P{kind} {width} {height} 255\n".encode(), height * width * channels
    return [Embedded(suffix, head + data[at : at + size]) for at in range(begin, len(data), size)]


def _labels(path: Path, count: int) -> list[Cell]:
    """The class of each picture, by its name where a file beside it has the names."""
    match = _IMAGES.fullmatch(path.name)
    begin = match["part"] if match else ""
    beside = sorted(p for p in path.parent.glob(f"{begin}*labels*idx1*ubyte*") if p.name.startswith(begin))
    if not beside:
        raise DataError(f"{path} has no file of labels beside it.", allowed=f"{begin}-labels-idx1-ubyte, or with .gz")
    data = _content(beside[0])
    shape, at = _header(data, beside[0], (1,))
    if shape[0] != count:
        raise DataError(f"{path} holds {count:,} pictures, and {beside[0].name} {shape[0]:,} labels.")
    names = path.with_name(NAMES)
    words = names.read_text("utf-8").splitlines() if names.is_file() else []
    numbers = data[at : at + count]
    if words and max(numbers, default=0) >= len(words):
        raise DataError(f"{beside[0]} holds the class {max(numbers)}, and {names} names {len(words)}.")
    return [words[number] if words else number for number in numbers]


def _content(path: Path) -> bytes:
    try:
        return unpacked(path.read_bytes(), str(path))[0]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


def _header(data: bytes, path: Path, dimensions: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Shape of the numbers, and where they begin."""
    known = len(data) >= 4 and data[:2] == b"\0\0" and data[2] == _BYTES and data[3] in dimensions
    begin = 4 + 4 * data[3] if known else 0
    if not known or len(data) < begin:
        raise DataError(f"{path} is no IDX file of bytes: it begins with {data[:4]!r}.", fix="copy it again")
    shape = struct.unpack(f">{data[3]}I", data[4:begin])
    if len(data) - begin != math.prod(shape):
        raise DataError(
            f"{path} is damaged: {len(data) - begin:,} bytes follow, and {math.prod(shape):,} should.",
            fix="copy it again",
        )
    return shape, begin


def _part(path: Path) -> str:
    match = _IMAGES.fullmatch(path.name)
    named = match["part"].strip("._-").casefold() if match else ""
    return _PARTS.get(named) or split_word(named) or split_word(path.parent.name)
