"""Item: what a user calls one input. A text stands as it is, a picture or a sound is a reference, a pair is a tuple."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeAlias, Union, cast

from lighten.core.errors import DataError

_HASH_DIGITS = 32
_HELD = "data:;base64,"
THE_FILE = "the file"
"""What a file is called that lies nowhere."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that stays in its file until the process that needs it opens it.

    Attributes:
        path: absolute path of the file; of one that lies nowhere, what is in it (see :func:`held`).
        hash: first 32 hex digits of the SHA-256 of its content.
        kind: name of the reader that opens it, such as ``image``.
        size: what work grows with, about as much for each as for a character of a text: blocks of pixels, of samples.
        member: name inside a zip whose members are stored as they are, for what came inside of a table.
    """

    path: str
    hash: str
    kind: str
    size: int
    member: str = ""


Item: TypeAlias = Union[str, Reference, tuple["Item", ...]]  # noqa: UP007  a name in quotes has no "|"
"""A text, a reference, or several of them that belong together."""


def size_of(item: Item) -> int:
    """What work grows with: characters of a text, what a reference says, the sum of several."""
    if isinstance(item, str):
        return len(item)
    return item.size if isinstance(item, Reference) else sum(map(size_of, item))


def shown(item: Item) -> str:
    """What tables and errors call an item: the text itself, the name of a file."""
    if isinstance(item, str):
        return item
    if isinstance(item, Reference):
        name = THE_FILE if is_held(item) else item.path
        return f"{name}:{item.member}" if item.member else name
    return " | ".join(map(shown, item))


def brief(item: Item) -> str:
    """A short name that says nothing of the machine: the text itself, a file with the folder it is in, a member."""
    if isinstance(item, str):
        return item
    if isinstance(item, Reference):
        return item.member or (shown(item) if is_held(item) else "/".join(PurePath(item.path).parts[-2:]))
    return " | ".join(map(brief, item))


def content_of(item: Item) -> str:
    """A text that two items share when their content is the same, wherever their files lie."""
    if isinstance(item, str):
        return item
    return f"{item.kind}:{item.hash}" if isinstance(item, Reference) else "\0".join(map(content_of, item))


def references_in(item: Item) -> Iterator[Reference]:
    """Every reference of an item."""
    if isinstance(item, Reference):
        yield item
    elif isinstance(item, tuple):
        for one in item:
            yield from references_in(one)


def file_of(item: Item) -> str:
    """Path of the file that an item is; empty where it is none, came inside of another one, or lies nowhere."""
    return item.path if isinstance(item, Reference) and not item.member and not is_held(item) else ""


def parted(items: Iterable[Item]) -> list[Item]:
    """The items, of several that belong together each by itself, one after another."""
    found: list[Item] = []
    for item in items:
        found += item if isinstance(item, tuple) else (item,)
    return found


def texts(items: Iterable[Item]) -> tuple[str, ...]:
    """Items that all are texts.

    Raises:
        DataError: one is something else.
    """
    every = tuple(items)
    other = next((item for item in every if not isinstance(item, str)), None)
    if other is not None:
        raise DataError(f"An input is no text: {shown(other)}.", allowed="a text in every row")
    return cast(tuple[str, ...], every)


def to_plain(item: Item) -> Any:
    """An item as JSON values: a text, an object, a list; :func:`from_plain` makes it again."""
    if isinstance(item, str):
        return item
    if isinstance(item, Reference):
        plain = {"path": item.path, "hash": item.hash, "kind": item.kind, "size": item.size}
        return plain | ({"member": item.member} if item.member else {})
    return [to_plain(one) for one in item]


def from_plain(value: Any) -> Item:
    """The item of JSON values.

    Raises:
        ValueError: they are none that :func:`to_plain` makes.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(from_plain, value))
    try:
        return Reference(**value)
    except TypeError as error:
        raise ValueError(f"{value!r:.80} is no item") from error


def held(data: bytes, kind: str, size: int) -> Reference:
    """A reference that holds what is in its file, which is small and lies nowhere."""
    return Reference(_HELD + base64.b64encode(data).decode("ascii"), content_hash(data), kind, size)


def is_held(reference: Reference) -> bool:
    """Whether a reference holds the content of its file itself."""
    return reference.path.startswith(_HELD)


def held_content(reference: Reference) -> bytes:
    """What a reference holds; see :func:`held`."""
    return base64.b64decode(reference.path[len(_HELD) :])


def content_hash(data: bytes) -> str:
    """Hash of a file's content as references have it: 32 hex digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]
