"""Take wanted files out of an archive, and nothing that could land elsewhere."""

from __future__ import annotations

import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shutil import copyfileobj

from lighten.core.errors import DataError, UnsafeFile

_MOST_BYTES = 2 * 2**30


def unzip_folder(archive: Path, inside: str, into: Path, skip: frozenset[str] = frozenset()) -> list[str]:
    """Write the files under the folder ``inside`` of a zip file to the folder ``into``.

    Args:
        skip: names relative to ``inside`` that are not wanted.

    Returns:
        names written, relative to ``into``.

    Raises:
        UnsafeFile: damaged, a wanted name that leaves the folder, a link, a name that occurs twice, or over 2 GiB.
    """
    prefix = inside.rstrip("/") + "/"
    written: list[str] = []
    with _opened_zip(archive) as opened:
        wanted = [m for m in opened.infolist() if m.filename.startswith(prefix) and not m.is_dir()]
        names = [_safe_name(m.filename.removeprefix(prefix), archive) for m in wanted]
        if sum(m.file_size for m in wanted) > _MOST_BYTES:
            raise UnsafeFile(f"{archive.name} unpacks to more than {_MOST_BYTES >> 30} GiB.")
        if len(set(names)) != len(names):
            raise UnsafeFile(f"{archive.name} holds a file twice.")
        for member, name in zip(wanted, names, strict=True):
            if stat.S_ISLNK(member.external_attr >> 16):
                raise UnsafeFile(f"{archive.name} holds the link {member.filename!r}.")
            if name not in skip:
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("xb") as file:
                    copyfileobj(source, file)
                written.append(name)
    return written


def only_file(data: bytes, name: str) -> tuple[bytes, str]:
    """Content and name of the one file that a zip holds, beside what file managers leave in it.

    Raises:
        DataError: it is damaged, or holds several files or none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and not _is_leftover(m.filename)]
            if len(members) != 1:
                listed = ", ".join(m.filename[:60] for m in members[:5]) + (", ..." if len(members) > 5 else "")
                raise DataError(
                    f"{name} is a zip archive of {len(members)} files ({listed}).",
                    allowed="a zip that holds one file",
                    fix="unzip it and give the folder: files named train and test keep their parts",
                )
            if members[0].file_size > _MOST_BYTES:
                raise DataError(f"{name} unpacks to more than {_MOST_BYTES >> 30} GiB.", fix="unzip it first")
            return opened.read(members[0]), members[0].filename
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is a zip archive that cannot be read ({error}).", fix="unzip it first") from error


def _is_leftover(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")


def zip_bytes(archive: Path, member: str) -> bytes:
    """Content of one file of a zip file; raises UnsafeFile when it is not there or damaged."""
    with _opened_zip(archive) as opened:
        try:
            info = opened.getinfo(member)
        except KeyError as error:
            raise UnsafeFile(f"{archive.name} has no file {member!r}.") from error
        if info.file_size > _MOST_BYTES:
            raise UnsafeFile(f"{member} unpacks to more than {_MOST_BYTES >> 30} GiB.")
        return opened.read(info)


def tar_bytes(archive: bytes | Path, member: str) -> bytes:
    """Content of one ordinary file of a tar file (any compression); raises UnsafeFile for a link or a missing one."""
    data = archive if isinstance(archive, bytes) else archive.read_bytes()
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            info = opened.getmember(member)
            file = opened.extractfile(info) if info.isreg() and info.size <= _MOST_BYTES else None
            if file is None:
                raise UnsafeFile(f"{member!r} of the archive is not an ordinary file.")
            return file.read()
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise UnsafeFile(f"The archive has no readable file {member!r} ({error}).") from error


def untar_folder(archive: Path, inside: str, into: Path, wanted: Collection[str] | None = None) -> list[str]:
    """Write the ordinary files right in the folder ``inside`` of a tar file to the folder ``into``, in one pass.

    Args:
        wanted: names of the files, relative to ``inside``; all when None.

    Returns:
        names written, sorted.

    Raises:
        UnsafeFile: damaged, a name that leaves the folder or occurs twice, a wanted file that is missing or no
            ordinary file, or over 2 GiB.
    """
    prefix, written, total = inside.rstrip("/") + "/", set[str](), 0
    try:
        with tarfile.open(archive, "r|*") as opened:
            for member in opened:
                name = member.name.removeprefix(prefix)
                right_in = member.name.startswith(prefix) and "/" not in name
                if not right_in or not member.isreg() or (wanted is not None and name not in wanted):
                    continue
                total += member.size
                if total > _MOST_BYTES or name in written or (file := opened.extractfile(member)) is None:
                    raise UnsafeFile(f"{archive.name} holds {name!r} twice, or more than {_MOST_BYTES >> 30} GiB.")
                with (into / _safe_name(name, archive)).open("xb") as target:
                    copyfileobj(file, target)
                written.add(name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UnsafeFile(f"{archive.name} is a damaged archive ({error}).") from error
    missing = sorted(set(wanted or ()) - written)
    if missing:
        raise UnsafeFile(f"{archive.name} lacks {len(missing)} files, such as {inside}/{missing[0]}.")
    return sorted(written)


@contextmanager
def _opened_zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except zipfile.BadZipFile as error:
        raise UnsafeFile(f"{archive.name} is a damaged zip file ({error}).") from error


def _safe_name(name: str, archive: Path) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", name):
        raise UnsafeFile(f"{archive.name} holds a file whose name leaves its folder: {name!r}.")
    return str(path)
