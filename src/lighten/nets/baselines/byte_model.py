"""Language models over bytes: their alphabet, what they can be asked, and the folder that keeps one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import ModelError
from lighten.core.language import Scores, Span
from lighten.files.safefile import read_header

BOUNDARY = 256
"""The symbol that stands before every text and behind it."""
SYMBOLS = 257
"""The bytes and the boundary."""
NEVER = 255
"""A byte that no UTF-8 text holds, so that where only text is kept it can stand for the boundary."""
RECORD, TENSORS = "byte_lm.json", "model.safetensors"
VERSION = 1

Floats = NDArray[np.float64]
Symbols = NDArray[np.uint16]
Tensors = Mapping[str, NDArray[Any]]


class Cursor(ABC):
    """A place in a text, from where it goes on symbol by symbol."""

    @abstractmethod
    def probabilities(self) -> Floats:
        """Probability of each symbol to be the next one: [SYMBOLS], their sum 1."""

    @abstractmethod
    def likeliest(self) -> int:
        """The most likely next symbol."""

    @abstractmethod
    def feed(self, symbol: int) -> None:
        """Go on by one symbol."""


class Cursors:
    """Places in several texts, that go on together.

    Args:
        cursors: one for each text.
    """

    def __init__(self, cursors: Sequence[Cursor]) -> None:
        self._cursors = list(cursors)

    def probabilities(self) -> Floats:
        """Probability of each symbol to be the next one of each text: [texts, SYMBOLS]."""
        return np.stack([cursor.probabilities() for cursor in self._cursors])

    def likeliest(self) -> list[int]:
        """The most likely next symbol of each text."""
        return [cursor.likeliest() for cursor in self._cursors]

    def feed(self, symbols: Sequence[int]) -> None:
        """Go on by one symbol in each text."""
        for cursor, symbol in zip(self._cursors, symbols, strict=True):
            cursor.feed(symbol)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these texts only, in this order."""
        self._cursors = [self._cursors[row] for row in rows]


class ByteModel(ABC):
    """Probabilities of the next byte, or of the text's end. Symbols: bytes, and BOUNDARY."""

    kind: ClassVar[str]
    """What the record calls it."""

    @abstractmethod
    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """The probability of each target of each span; all spans at the same time. Symbols are 0 to BOUNDARY."""

    @abstractmethod
    def cursor(self, context: Sequence[int]) -> Cursor:
        """The place behind ``context``, at least one symbol."""

    def cursors(self, contexts: Sequence[Sequence[int]]) -> Cursors:
        """The places behind several contexts; where one step for all is cheaper than one each, a model says so."""
        return Cursors([self.cursor(context) for context in contexts])

    @abstractmethod
    def settings(self) -> dict[str, int]:
        """What the record says of it."""

    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What the file of tensors holds."""

    @classmethod
    @abstractmethod
    def restored(cls, settings: Mapping[str, Any], tensors: Tensors) -> ByteModel:
        """The model with these settings and tensors.

        Raises:
            ValueError, KeyError, TypeError: they are none of such a model.
        """

    def save(self, folder: Path) -> None:
        """Write ``byte_lm.json`` and ``model.safetensors`` into ``folder``."""
        from safetensors.numpy import save_file

        record = {"version": VERSION, "kind": self.kind, **self.settings()}
        save_file(self.tensors(), str(folder / TENSORS))
        (folder / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def open_byte_model(folder: Path, kinds: Sequence[type[ByteModel]]) -> ByteModel:
    """The model that :meth:`ByteModel.save` wrote, if it is of one of ``kinds``.

    Raises:
        ModelError: a file is missing, cut off or not what it should be.
    """
    from safetensors.numpy import load_file

    known = {kind.kind: kind for kind in kinds}
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("version") != VERSION or record.get("kind") not in known:
            raise ModelError(
                f"{folder / RECORD} describes no model that is known here.",
                allowed=f"version {VERSION}; kind {' or '.join(sorted(known))}",
            )
        read_header(folder / TENSORS)
        return known[record["kind"]].restored(record, load_file(str(folder / TENSORS)))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} lacks the file {Path(error.filename).name} of a model over bytes.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"The model in {folder} is not whole: {error}.", fix="train it again, or copy it again from where it was"
        ) from error


def symbols_of(text: str) -> list[int]:
    """The bytes of a text, lone surrogates included (which JSON may hold)."""
    return list(text.encode("utf-8", "surrogatepass"))


def unasked(facts: Mapping[str, Any]) -> str:
    """Why a model of what is written is of no use for what is asked; empty when it is. See :meth:`Step.check`.

    Next to a choice it is one byte among many that it learns to guess: on film reviews an n-gram model of six bytes, a
    hidden Markov model and an LSTM chose no better than at random, where the linear model of ``train.linear`` was right
    on three of four. Asked to write the label as an answer, they did no better.
    """
    evidence = facts.get("evidence")
    if evidence == "choices":
        return "choices are learned by train.linear"
    return "it learns to write documents, not to answer prompts" if evidence == "answers" else ""


def draw_texts(texts: Sequence[str], most: int, seed: int) -> list[str]:
    """All texts, or texts drawn at random that have ``most`` characters together, the last one in part."""
    if sum(map(len, texts)) <= most:
        return list(texts)
    found: list[str] = []
    for number in np.random.default_rng(seed).permutation(len(texts)).tolist():
        found.append(texts[number][:most])
        most -= len(found[-1])
        if most <= 0:
            break
    return found


def stream(texts: Sequence[str]) -> tuple[Symbols, NDArray[np.int64]]:
    """All texts one after the other, each between two boundaries.

    Returns:
        symbols: uint16 [n]; begins: int64 [texts], where the boundary before each text stands.
    """
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    mark = bytes([NEVER])
    symbols = np.frombuffer(b"".join([mark + text + mark for text in raw]), np.uint8).astype(np.uint16)
    symbols[symbols == NEVER] = BOUNDARY
    begins = np.zeros(len(raw), np.int64)
    np.cumsum([len(text) + 2 for text in raw[:-1]], out=begins[1:])
    return symbols, begins
