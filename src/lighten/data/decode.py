"""Bytes of a file to text: unpacked, checked, strictly UTF-8."""

from __future__ import annotations

import gzip
import shlex
import zlib
from pathlib import PurePath

from lighten.core.errors import DataError, UnsafeFile

PICKLED_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".npy", ".npz"})

_TABLE_FORMATS = "csv, tsv, jsonl, json, parquet, txt (csv and json also as .gz)"
_MAGIC = {
    b"PK\x03\x04": ("a zip archive or a spreadsheet", "unzip it, or save the sheet as csv"),
    b"\xd0\xcf\x11\xe0": ("an old office document", "save the sheet as csv"),
    b"%PDF": ("a PDF", "extract its text first"),
    b"SQLite format 3": ("an SQLite database", "export the table: sqlite3 -header -csv FILE 'select ...' > data.csv"),
    b"BZh": ("bzip2 data", "bunzip2 FILE"),
    b"\xfd7zXZ": ("xz data", "unxz FILE"),
    b"\x28\xb5\x2f\xfd": ("zstandard data", "unzstd FILE"),
}


def refuse_pickled(name: str, head: bytes = b"") -> None:
    """Refuse formats that can hold pickled objects: opening one runs whatever code it carries.

    Raises:
        UnsafeFile: by extension, or by the first bytes of a pickle or of an array file.
    """
    pickled = len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5
    if PurePath(name).suffix.lower() in PICKLED_SUFFIXES or pickled or head.startswith(b"\x93NUMPY"):
        raise UnsafeFile(
            f"{name} is in a format that can hold pickled objects, which run code when opened. It was not opened.",
            allowed=_TABLE_FORMATS,
            fix="on a machine where you trust the file, save the table as csv, jsonl or parquet",
        )


def gunzipped(data: bytes, name: str) -> bytes:
    """The bytes, decompressed when they are gzip.

    Raises:
        DataError: the gzip stream is cut off or damaged.
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{name} is damaged gzip data ({error}).", fix="copy or download it again") from error


def decoded(data: bytes, name: str) -> str:
    """UTF-8 text of a file, without its byte order mark.

    Raises:
        UnsafeFile: it is a pickle.
        DataError: empty, binary, or not UTF-8; says at which byte and line, and the command that converts it.
    """
    if not data.strip():
        raise DataError(f"{name} is empty.", allowed=_TABLE_FORMATS)
    refuse_pickled(name, data[:8])
    for magic, (what, fix) in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(f"{name} is {what}, not a table.", allowed=_TABLE_FORMATS, fix=fix)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name} is UTF-16, not UTF-8.", fix=_iconv("UTF-16", name))
    nul = data.find(b"\0")
    if nul >= 0:
        raise DataError(f"{name} is binary: byte {nul:,} is zero.", allowed=_TABLE_FORMATS)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} is not UTF-8: byte {error.start:,} (line {line:,}) is 0x{data[error.start]:02x}.",
            allowed="UTF-8, with or without a byte order mark",
            fix=f"if it was written on Windows or is Latin-1: {_iconv('WINDOWS-1252', name)}",
        ) from error


def _iconv(encoding: str, name: str) -> str:
    path = PurePath(name)
    new = path.with_name(f"{path.stem}.utf8{path.suffix}") if path.name else path
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > {shlex.quote(str(new))}"
