"""Intake: from what a client sent to items. Inputs that are files arrive as bytes; nothing is opened by its address."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from lighten.core.errors import DataError, InputError
from lighten.core.item import THE_FILE, Item, held, is_held, references_in, size_of
from lighten.core.readers import reader_of
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal, too_large, unavailable, unusable, unusable_input
from lighten.serve.servable import Servable

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How a text begins that is the address of something."""
DATA = re.compile(r"data:[^,;]*(;[^,;]+)*;base64,", re.I)
COLUMNS = 1000
"""Most columns of a row."""
HELD = 32 << 10
"""Bytes of a file that goes along with the question: to write one and read it again would take longer."""
SMALL = HELD // 2
"""What the values of a request take together that are looked at between others, where a thread would take longer. An
array is a little larger as a file."""
SHARED = Path("/dev/shm")
"""Memory that looks like a folder, where there is one: what is sent need not touch a disk."""


class Intake(ABC):
    """How inputs of a model arrive.

    Attributes:
        pads: whether inputs of different sizes are padded where they are answered together (see ``Reader.pads``).
        arrays: whether an input may be an array of numbers.
    """

    pads = True
    arrays = False

    def __init__(self, model: Servable, limits: Limits) -> None:
        self.model, self.limits = model, limits

    def items(self, values: Sequence[Any]) -> list[Item]:
        """What the model is asked: texts, objects with the columns of a prompt, bytes, or arrays.

        Raises:
            Refusal: one of them cannot be asked, is too large, or there are too many or none; it is named.
        """
        if not values:
            raise unusable("There is no input.", allowed=f"1 to {self.limits.inputs:,} inputs")
        if len(values) > self.limits.inputs:
            seen = f"There are {len(values):,} inputs."
            raise too_large(seen, f"at most {self.limits.inputs:,} in one request", "send them in several requests")
        found: list[Item] = []
        try:
            for place, value in enumerate(values):
                found.append(self._checked(value, place))
        except Refusal:
            self.forget(found)
            raise
        return found

    def quick(self, values: Sequence[Any]) -> bool:
        """Whether reading them takes so little that nobody needs to be let past meanwhile."""
        return True

    @abstractmethod
    def item(self, value: Any) -> Item:
        """One of them.

        Raises:
            InputError: it cannot be asked. Refusal: there is no room for it.
        """

    def kept(self, value: Any) -> Any:
        """What a client sent, as people can be shown it later: bytes where it is a file."""
        return value

    @abstractmethod
    def forget(self, items: Iterable[Item]) -> None:
        """They were answered, or are not: what they lie in is thrown away."""

    @abstractmethod
    def close(self) -> None:
        """Nothing arrives any more."""

    def _checked(self, value: Any, place: int) -> Item:
        try:
            item = self.item(value)
        except InputError as error:
            seen = f"Input {place}: {error.seen}"
            raise unusable(seen, allowed=error.allowed, fix=error.fix) from error
        if size_of(item) > self.limits.size:
            self.forget([item])
            raise too_large(f"Input {place} has a size of {size_of(item):,}.", f"at most {self.limits.size:,}")
        return item


class Plain(Intake):
    """Inputs that stand as they are: texts, and the columns that a prompt shows."""

    def item(self, value: Any) -> Item:
        """See :meth:`Intake.item`."""
        if isinstance(value, bytes):
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError("it is not UTF-8.", allowed="text in UTF-8") from error
        if isinstance(value, str):
            check_text(value)
        elif isinstance(value, Mapping):
            if len(value) > COLUMNS:
                raise DataError(f"it has {len(value):,} columns.", allowed=f"at most {COLUMNS:,}")
            for name, cell in value.items():
                if not isinstance(cell, str | int | float | bool | None):
                    raise DataError(f"its column {name!r:.60} is a list or an object.", allowed="a text or a number")
                check_text(f"{name}{cell}")
        else:
            raise DataError(f"it is {type_name(value)}.", allowed="a text, or an object with a text for each column")
        item: Item = self.model.item_of(value)
        return item

    def forget(self, items: Iterable[Item]) -> None:
        """See :meth:`Intake.forget`: they lie nowhere."""

    def close(self) -> None:
        """See :meth:`Intake.close`: nothing is held."""


class Files(Intake):
    """Inputs that are files, such as pictures: they come as bytes, as base64 text or as ``data:`` addresses.

    Small ones go along with the question; others lie in a folder of this server's own until they are answered. They
    are decoded by the process that needs them; here only their beginning is looked at.
    """

    def __init__(self, model: Servable, limits: Limits) -> None:
        super().__init__(model, limits)
        self._reader = reader_of(model.task.kind)
        self.pads, self.arrays = self._reader.pads, bool(self._reader.arrays)
        shared = str(SHARED) if SHARED.is_dir() else None
        self._looked = False
        self._folder = tempfile.TemporaryDirectory(prefix="lighten-serve-", dir=shared)

    def item(self, value: Any) -> Item:
        """See :meth:`Intake.item`."""
        if isinstance(value, str):
            value = file_in(value)
        elif isinstance(value, (np.ndarray, np.generic)):
            value = self._reader.encode(np.asarray(value))
        if not isinstance(value, bytes):
            raise DataError(f"it is {type_name(value)}.", allowed="the content of a file, as base64 text")
        if len(value) <= HELD and (size := self._reader.look(value, THE_FILE)) is not None:
            self._looked = True
            return held(value, self.model.task.kind, size)
        path = Path(self._folder.name, uuid4().hex)
        try:
            path.write_bytes(value)
            return self._reader.glance(path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise unavailable("There is no room for what was sent.", code="no_room") from error
        except DataError as error:
            path.unlink(missing_ok=True)
            raise type(error)(nameless(error.seen), allowed=error.allowed, fix=error.fix) from error

    def quick(self, values: Sequence[Any]) -> bool:
        """See :meth:`Intake.quick`: where they are small together, once what looks at them is imported."""
        few = self._looked and len(values) <= self.limits.inputs
        return few and sum(map(_bytes_of, values)) <= SMALL

    def kept(self, value: Any) -> Any:
        """See :meth:`Intake.kept`."""
        if isinstance(value, str):
            return file_in(value)
        return value if isinstance(value, bytes) else self._reader.encode(np.asarray(value))

    def forget(self, items: Iterable[Item]) -> None:
        """See :meth:`Intake.forget`."""
        for item in items:
            for reference in references_in(item):
                if not is_held(reference):
                    with contextlib.suppress(OSError):
                        Path(reference.path).unlink()

    def close(self) -> None:
        """See :meth:`Intake.close`: throw the folder away."""
        self._folder.cleanup()


def intake_of(model: Servable, limits: Limits) -> Intake:
    """How the inputs of a model arrive.

    Raises:
        MissingExtra: the reader's library is not installed.
    """
    return Files(model, limits) if model.task.kind else Plain(model, limits)


def unusable_in(error: InputError) -> Refusal:
    """What a client is told of an input that could not be read while it was answered."""
    return unusable_input(type(error)(nameless(error.seen), allowed=error.allowed, fix=error.fix))


def nameless(text: str) -> str:
    """Without the names that files have here, which say nothing to who sent them."""
    return re.sub(r"\S*/lighten-serve-\S+?/[0-9a-f]{32}", THE_FILE, text)


def _bytes_of(value: Any) -> int:
    """What a value takes, about; nothing of one that is refused anyway."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.nbytes
    return len(value) if isinstance(value, (str, bytes)) else 0


def file_in(text: str) -> bytes:
    """The content that a text holds: base64, or a ``data:`` address of it.

    Raises:
        DataError: it is something else. Addresses of files and of other machines are never followed.
    """
    allowed = "the content of a file in base64, or data:...;base64,..."
    data = DATA.match(text)
    if data is None and ADDRESS.match(text):
        raise DataError(f"it is an address ({text[:40]!r}), and none is followed.", allowed=allowed)
    try:
        found = base64.b64decode(text[data.end() :] if data is not None else text, validate=True)
    except (binascii.Error, ValueError) as error:
        fix = "read the file and send what is in it: paths on this machine are not opened"
        raise DataError(f"it is no base64 ({text[:40]!r}).", allowed=allowed, fix=fix) from error
    if not found:
        raise DataError("it is empty.", allowed=allowed)
    return found


def check_text(text: str) -> None:
    """Refuse what is no text.

    Raises:
        DataError: it holds half a character (a lone surrogate).
    """
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError("it holds half a character (a lone surrogate).", allowed="Unicode text") from error


def type_name(value: Any) -> str:
    """What JSON calls the type of a value, with its article."""
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), "something else")
