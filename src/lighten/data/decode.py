"""Bytes of a file to text: unpacked, checked, in the encoding that they are in."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shlex
import zlib
from collections.abc import Callable, Mapping
from pathlib import PurePath

from lighten.core.errors import DataError, UnsafeFile
from lighten.data.unpack import only_file

PICKLED_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".npy", ".npz"})

PACKED_SUFFIXES = frozenset({".gz", ".bz2", ".xz", ".zip"})

_TABLE_FORMATS = "csv, tsv, jsonl, json, parquet, arrow, txt (also as .gz, .bz2, .xz, or alone in a .zip)"
_PACKED: Mapping[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ": ("xz", lzma.decompress),
}
_OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis", b"xl/", b"word/")
"""What the first files of a spreadsheet or an office document are called."""
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_HIGH = re.compile(rb"[\x80-\xff]+")
_TEXT_PER_NUL = 200
"""A file with more zero bytes than one in so many is no text."""
_MAGIC = {
    b"PK\x03\x04": ("a spreadsheet or an office document", "save the sheet as csv"),
    b"\xd0\xcf\x11\xe0": ("an old office document", "save the sheet as csv"),
    b"%PDF": ("a PDF", "extract its text first"),
    b"SQLite format 3": ("an SQLite database", "export the table: sqlite3 -header -csv FILE 'select ...' > data.csv"),
    b"\x28\xb5\x2f\xfd": ("zstandard data", "unzstd FILE"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it and give the folder: 7z x FILE"),
    b"Rar!\x1a\x07": ("a rar archive", "unpack it and give the folder: unrar x FILE"),
}
_TAR_NAMES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst")
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257


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


def refuse_tar(name: str, data: bytes = b"") -> None:
    """Refuse a tar archive, by its name or by its content, which may be unpacked already.

    Raises:
        DataError: says how it is unpacked.
    """
    if name.lower().endswith(_TAR_NAMES) or data[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        raise DataError(
            f"{name} is a tar archive, not a table.",
            allowed=_TABLE_FORMATS,
            fix=f"unpack it and give the folder: tar -xf {shlex.quote(name)}",
        )


def is_packed(name: str) -> bool:
    """Whether a file is an archive of several, by its name."""
    return name.lower().endswith((*_TAR_NAMES, ".zip", ".7z", ".rar"))


def unpacked(data: bytes, name: str) -> tuple[bytes, str]:
    """The bytes of one file, decompressed when they are gzip, bzip2, xz or a zip that holds one file; and its own name.

    Raises:
        DataError: the data is cut off or damaged, a tar archive, or a zip of several files.
    """
    refuse_tar(name)
    inner = name[: -len(PurePath(name).suffix)] if PurePath(name).suffix.lower() in PACKED_SUFFIXES else name
    for magic, (kind, decompress) in _PACKED.items():
        if data.startswith(magic):
            try:
                return decompress(data), inner
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise DataError(f"{name} is damaged {kind} data ({error}).", fix="copy or download it again") from error
    if data.startswith(b"PK\x03\x04") and not any(part in data[:4096] for part in _OFFICE):
        return only_file(data, name)
    return data, name


def decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Text of a file, without its byte order mark; and notes on an encoding other than UTF-8.

    UTF-16 and UTF-32 are known by their mark or their zero bytes. Windows-1252 is taken where nearly all letters are
    plain and the others stand alone, as in western European texts; in other encodings nobody can tell which it is.

    Raises:
        UnsafeFile: it is a pickle.
        DataError: empty, binary, or in an unknown encoding; says at which byte and line, and the command that converts.
    """
    if not data.strip():
        raise DataError(f"{name} is empty.", allowed=_TABLE_FORMATS)
    refuse_pickled(name, data[:8])
    refuse_tar(name, data[: _TAR_MAGIC_AT + len(_TAR_MAGIC)])
    for magic, (what, fix) in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(f"{name} is {what}, not a table.", allowed=_TABLE_FORMATS, fix=fix)
    wide = _wide_encoding(data)
    if wide:
        try:
            return data.decode(wide).removeprefix("\ufeff"), (f"{name} is {wide.upper()} and was read as such.",)
        except UnicodeDecodeError as error:
            raise DataError(f"{name} is damaged {wide.upper()} ({error.reason}).", fix=_iconv(wide, name)) from error
    nuls = data.count(b"\0")
    notes: tuple[str, ...] = ()
    if nuls:
        if nuls * _TEXT_PER_NUL > len(data):
            raise DataError(f"{name} is binary: byte {data.find(bytes(1)):,} is zero.", allowed=_TABLE_FORMATS)
        notes = (f"{nuls:,} zero bytes of {name} were left out (the first one is byte {data.find(bytes(1)):,}).",)
        data = data.replace(b"\0", b"")
    try:
        return data.decode("utf-8-sig"), notes
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"byte {error.start:,} (line {line:,}) is 0x{data[error.start]:02x}"
        if _is_western(data):
            return data.decode("cp1252"), (*notes, f"{name} is not UTF-8 ({where}); it was read as Windows-1252.")
        raise DataError(
            f"{name} is not UTF-8: {where}.",
            allowed="UTF-8, UTF-16, or Windows-1252 where nearly all letters are plain",
            fix=f"convert it from the encoding that it is in, such as {_iconv('WINDOWS-1251', name)}",
        ) from error


def _wide_encoding(data: bytes) -> str:
    """``utf-16`` or ``utf-32`` with their byte order where the mark or the zero bytes say so; else empty."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    head = data[:4096]
    half = len(head) // 2
    if half >= 8 and head[1::2].count(0) > 0.7 * half and not head[::2].count(0):
        return "utf-16-le"
    if half >= 8 and head[::2].count(0) > 0.7 * half and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _is_western(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 are Windows-1252: few letters above ASCII, hardly any next to each other."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    whole = sum(1 for letter in data.decode("utf-8", "ignore") if letter > "\x7f")
    high = sum(len(run) for run in _HIGH.findall(data))
    alone = sum(len(run) for run in _HIGH.findall(data) if len(run) <= 2)
    letters = sum(data.count(bytes([code])) for code in (*range(65, 91), *range(97, 123)))
    return whole * 4 < high and alone >= 0.9 * high and high <= 0.2 * (letters + high)


def _iconv(encoding: str, name: str) -> str:
    path = PurePath(name)
    new = path.with_name(f"{path.stem}.utf8{path.suffix}") if path.name else path
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > {shlex.quote(str(new))}"
