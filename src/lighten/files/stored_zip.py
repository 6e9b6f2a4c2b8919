"""Zips whose members are stored as they are: many small files in one, each read by one call, from any thread."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lighten.core.item import Reference, held_content, is_held

_NAME_LENGTHS = struct.Struct("<HH")
_LENGTHS_AT, _HEADER = 26, 30
"""Where a member's own header says how long its name and its extra field are, and where these begin."""
_ALWAYS = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that the same content is the same file."""


class StoredZip:
    """An open zip; it stays open for the life of the process."""

    def __init__(self, path: str) -> None:
        with zipfile.ZipFile(path) as archive:
            every = archive.infolist()
        packed = [one.filename for one in every if one.compress_type != zipfile.ZIP_STORED]
        if packed:
            raise OSError(f"{path} holds packed members, such as {packed[0]}")
        self._places = {one.filename: (one.header_offset, one.file_size) for one in every}
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def members(self) -> tuple[str, ...]:
        """Names of all members, in the order of the file."""
        return tuple(self._places)

    def read(self, member: str) -> bytes:
        """Content of one member.

        Raises:
            KeyError: there is no such member.
        """
        at, size = self._places[member]
        name, extra = _NAME_LENGTHS.unpack(os.pread(self._file, _NAME_LENGTHS.size, at + _LENGTHS_AT))
        return os.pread(self._file, size, at + _HEADER + name + extra)


@cache
def open_stored(path: str) -> StoredZip:
    """The zip at a path, opened once in a process.

    Raises:
        OSError: it cannot be read, or its members are packed.
    """
    try:
        return StoredZip(path)
    except zipfile.BadZipFile as error:
        raise OSError(f"{path} is no zip that can be read ({error})") from error


def write_stored(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip in one go; of members with one name the first is kept. Nobody sees it half-written."""
    made = path.with_name(f"{path.name}.{os.getpid()}.part")
    seen: set[str] = set()
    try:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
            for name, data in members:
                if name not in seen:
                    seen.add(name)
                    archive.writestr(zipfile.ZipInfo(name, _ALWAYS), data)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def read_bytes(reference: Reference) -> bytes:
    """Content of a reference's file, or of its member in a zip, or what it holds itself.

    Raises:
        OSError: it cannot be read. KeyError: the zip has no such member.
    """
    if is_held(reference):
        return held_content(reference)
    return open_stored(reference.path).read(reference.member) if reference.member else _whole(reference.path)


def _whole(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  a third of the time that Path takes
        return file.read()
