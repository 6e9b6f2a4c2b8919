"""Cells of items to references: each file is read whole, and decoded where its content is not known from before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from lighten.core.errors import DataError, InputError
from lighten.core.home import expanded, lighten_home
from lighten.core.item import Reference, brief, content_hash
from lighten.core.reader import Reader
from lighten.core.readers import reader_of
from lighten.data.cells import Cell, Embedded, count_of
from lighten.data.items import FileName, suffix_of
from lighten.files.stored_zip import read_bytes, write_stored
from lighten.isolate.machine import allowed_cores
from lighten.store.findings import Findings

_PIECE = 64
"""Files that one thread takes at a time."""
_FEW = 16
"""Files below which looking up takes longer than opening them."""
_BLOCK = 8192
"""Files of which what was found is kept at a time."""
_SIZE = 8
"""Bytes in which the size of an item is kept; one of its remarks follows, and the bits of its likeness where there are
any."""
_LAYOUT = 2
"""Counts the ways in which findings were kept: what an older version kept is not read."""
_likenesses: dict[tuple[str, str], int | None] = {}
"""Perceptual hash by kind and content hash, of what this process has described."""
_remarks: dict[tuple[str, str], int] = {}
"""The same for what is to be said of how an item is read."""

Place = tuple[Path, str]
"""A file, and the member of it where it is a stored zip."""
Mapped = Callable[..., Iterable[Any]]


def described(cells: Iterable[Cell], kind: str) -> list[Reference | DataError]:
    """What each cell refers to, by the reader of a kind; of one that it cannot open, why.

    Raises:
        MissingExtra: the reader's library is not installed.
    """
    reader, every = reader_of(kind), list(cells)
    inside = iter(put_away([cell for cell in every if isinstance(cell, Embedded)]))
    places = [next(inside) if isinstance(cell, Embedded) else (_file(cell), "") for cell in every]
    with ExitStack() as stack:
        mapped: Mapped = map
        if len(places) > _PIECE:
            pool = ThreadPoolExecutor(allowed_cores(), thread_name_prefix="describe")
            stack.callback(pool.shutdown, cancel_futures=True)
            mapped = pool.map
        version = reader.version() if len(places) >= _FEW else ""
        findings = Findings(f"{kind} {version}, {_LAYOUT}") if version else None
        hashes, known = [""] * len(places), dict[str, bytes]()
        if findings is not None:
            hashes = list(chain.from_iterable(mapped(_hashes, _pieces(places))))
            known = findings.known([one for one in hashes if one])
        unknown = [place for place, content in zip(places, hashes, strict=True) if content not in known]
        looked = _kept(chain.from_iterable(mapped(partial(_looked_at, reader), _pieces(unknown))), findings)
        found: list[Reference | DataError] = []
        for (path, member), content in zip(places, hashes, strict=True):
            if content not in known:
                found.append(next(looked))
                continue
            size, _remarks[kind, content], _likenesses[kind, content] = _unpacked(known[content])
            found.append(Reference(str(path), content, kind, size, member))
        return [*found, *looked]  # none is left, and what was found is kept now


def opened_items(cells: Sequence[Cell], kind: str, source: str) -> list[Reference]:
    """What every cell refers to.

    Raises:
        DataError: some cannot be opened; says how many, and why the first of them.
    """
    every = described(cells, kind)
    broken = [one for one in every if isinstance(one, DataError)]
    if broken:
        many = f" It is the first of {len(broken):,} of {len(every):,} in {source}." if len(broken) > 1 else ""
        raise DataError(broken[0].seen + many, allowed=broken[0].allowed, fix=broken[0].fix)
    return [one for one in every if isinstance(one, Reference)]


def unopened_items(cells: Sequence[Cell], kind: str) -> list[str | Reference]:
    """What every cell names, for :func:`item_at`; what came inside of the table is put away, and referred to.

    Raises:
        InputError: it cannot be put away. MissingExtra: the reader's library is not installed.
    """
    reader = reader_of(kind)
    inside = iter(put_away([cell for cell in cells if isinstance(cell, Embedded)]))
    return [
        _glanced(reader, kind, *next(inside))
        if isinstance(cell, Embedded)
        else cell
        if isinstance(cell, FileName)
        else str("" if cell is None else cell)
        for cell in cells
    ]


def item_at(name: str, kind: str) -> Reference:
    """The item that a file is, by its beginning: it is decoded when it is asked.

    Args:
        name: a path, or a cell that names a file relative to its folder.

    Raises:
        DataError: it cannot be opened. MissingExtra: the reader's library is not installed.
    """
    if not name.strip():
        raise DataError("A row names no file.", allowed=f"the path of an {kind} file")
    return reader_of(kind).glance(_file(name))


def _glanced(reader: type[Reader[Any]], kind: str, path: Path, member: str) -> Reference:
    """The reference to what was put away; what cannot be opened is refused when it is asked."""
    try:
        return reader.glance(path, member)
    except DataError:
        return Reference(str(path), PurePath(member).stem, kind, 1, member)


def remarks(items: Iterable[object]) -> tuple[str, ...]:
    """What should be known of how items are read, each sentence once, with how many it is true of."""
    found: dict[str, list[Reference]] = defaultdict(list)
    for item in items:
        if isinstance(item, Reference) and (bits := _remarks.get((item.kind, item.hash))):
            for number, said in enumerate(reader_of(item.kind).remarks):
                if bits >> number & 1:
                    found[said].append(item)
    return tuple(
        f"{said} ({count_of(len(these), 'file')}, such as {brief(these[0])})." for said, these in found.items()
    )


def likeness(item: Reference) -> int | None:
    """The perceptual hash of an item, by its reader or as it was found before; see ``Reader.perceptual``."""
    key = item.kind, item.hash
    if key not in _likenesses:
        _likenesses[key] = reader_of(item.kind).perceptual(item)
    return _likenesses[key]


def put_away(items: Sequence[Embedded]) -> list[Place]:
    """Items that came inside of a table, written once into a zip of lighten's cache: the zip, and the member of each.

    Raises:
        InputError: the cache cannot be written.
    """
    if not items:
        return []
    members = [f"{content_hash(item.data)}{suffix_of(item.name)}" for item in items]
    path = (lighten_home() / "items" / f"{content_hash(chr(10).join(members).encode())}.zip").absolute()
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_stored(path, zip(members, (item.data for item in items), strict=True))
        except OSError as error:
            raise InputError(
                f"What came inside of the data cannot be kept in {path.parent}: {error.strerror or error}.",
                fix="set LIGHTEN_HOME to a folder that can be written and has room",
            ) from error
    return [(path, member) for member in members]


def _file(cell: Cell) -> Path:
    return cell.place if isinstance(cell, FileName) else expanded(str(cell)).absolute()


def _pieces(places: Sequence[Place]) -> list[Sequence[Place]]:
    return [places[begin : begin + _PIECE] for begin in range(0, len(places), _PIECE)]


def _hashes(places: Sequence[Place]) -> list[str]:
    """Of the contents as they are now; empty for what cannot be read, which its reader will say."""
    found = []
    for path, member in places:
        try:
            found.append(content_hash(read_bytes(Reference(str(path), "", "", 0, member))))
        except (OSError, KeyError):
            found.append("")
    return found


def _looked_at(reader: type[Reader[Any]], places: Sequence[Place]) -> list[Reference | DataError]:
    """What files are that nothing is known of."""
    found: list[Reference | DataError] = []
    for path, member in places:
        try:
            reference = reader.describe(path, member)
            _likenesses[reference.kind, reference.hash] = reader.perceptual(reference)
            _remarks[reference.kind, reference.hash] = reader.remarked(reference)
            found.append(reference)
        except DataError as error:
            found.append(error)
    return found


def _kept(looked: Iterable[Reference | DataError], findings: Findings | None) -> Iterator[Reference | DataError]:
    """The same, kept for the next command some thousands at a time; what was found stays where the rest is not."""
    new: dict[str, bytes] = {}
    try:
        for one in looked:
            if isinstance(one, Reference):
                key = one.kind, one.hash
                new[one.hash] = _packed(one.size, _remarks[key], _likenesses[key])
            if len(new) >= _BLOCK and findings is not None:
                findings.keep(new)
                new.clear()
            yield one
    finally:
        if findings is not None:
            findings.keep(new)


def _packed(size: int, remarked: int, bits: int | None) -> bytes:
    kept = b"" if bits is None else bits.to_bytes(bits.bit_length() // 8 + 1, "big")
    return size.to_bytes(_SIZE, "big") + bytes([remarked]) + kept


def _unpacked(kept: bytes) -> tuple[int, int, int | None]:
    bits = int.from_bytes(kept[_SIZE + 1 :], "big") if len(kept) > _SIZE + 1 else None
    return int.from_bytes(kept[:_SIZE], "big"), kept[_SIZE], bits
