"""Reader: what turns items into the arrays that a network takes. Saved with the model, and opened without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from lighten.core.errors import DataError, InputError, ModelError
from lighten.core.item import Item, Reference

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from lighten.core.coverage import Coverage
    from lighten.core.plain import PlainReading

Example = TypeVar("Example")
"""What one item becomes: token ids, or an array."""
AUTO, OFF = "auto", "off"
"""Words for the variations that a reader has measured to help, and for none."""
CHANCES = 4
"""Random numbers that the variation of an example is made of."""


class Reader(ABC, Generic[Example]):
    """One kind of item: tokenizer, image processor, feature extractor. One file in ``readers/``.

    A reader goes two steps, so that work is done once and memory stays small: from an item to an *example*, which is
    kept for as long as a network learns from it, and from examples to the arrays of one batch.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Of files that are items of this kind, in lower case (``.png``); empty where items are no files."""
    example: ClassVar[str] = ""
    """An item as a user gives one, for pages that show how a model is asked: a text, or the name of a file."""
    pads: ClassVar[bool] = False
    """Whether :meth:`batch` pads examples of different sizes; else those of one batch have one shape."""
    variations: ClassVar[tuple[str, ...]] = ()
    """Ways in which an example can be varied without changing what is right of it, by name (see :meth:`vary`)."""
    usual: ClassVar[tuple[str, ...]] = ()
    """Those of them that a network learns from where nobody says which: measured to help, and without harm."""
    alike: ClassVar[int] = 0
    """Most bits in which the :meth:`perceptual` hashes of near-copies differ."""
    remarks: ClassVar[tuple[str, ...]] = ()
    """What may have to be known of how an item is read, 8 sentences at most, without a point at the end of each: said
    once for all items that it is true of (see :meth:`remarked`), with their number."""
    arrays: ClassVar[str] = ""
    """Arrays that files of this kind can be made of (see :meth:`encode`), in words; empty where they cannot."""
    extra: ClassVar[str] = ""
    """Optional dependency group that brings its libraries."""

    @classmethod
    @abstractmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether the files of a reader of this kind are in a model's folder."""

    @classmethod
    @abstractmethod
    def open(cls, folder: Path) -> Self:
        """The reader whose files are in a model's folder.

        Raises:
            ModelError: they cannot be read, or do not fit the model. UnsafeFile: they want to run code of their own.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write its files into a folder; :meth:`open` of it gives a reader that reads the same."""

    @abstractmethod
    def __call__(self, items: Sequence[Item]) -> list[Example]:
        """One example for each item.

        Raises:
            DataError: an item that cannot be read, which is named.
        """

    @abstractmethod
    def size(self, example: Example) -> int:
        """What batches are filled by: tokens, elements of an array."""

    @abstractmethod
    def batch(self, examples: Sequence[Example], size: int | None = None) -> dict[str, NDArray[Any]]:
        """The arrays that a network takes, by the name of its input; padded where the kind pads.

        Args:
            size: that all are padded to; the largest one's when None. Kinds that do not pad take no notice.
        """

    @abstractmethod
    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """Inputs of a network by name, each with the names of its axes from the first on, which is ``batch``.

        An axis of fixed length has an empty name, or none where no free one follows.
        """

    @abstractmethod
    def probe(self) -> list[Example]:
        """What a build is asked before it is handed out: examples that differ."""

    def plain(self) -> PlainReading:
        """How items are read by a program that has no lighten.

        Raises:
            ModelError: no public library reads them so.
        """
        raise ModelError(
            f"{type(self).__name__} reads items in a way that no other program knows.",
            allowed="models whose inputs are read by a public library",
            fix="hand it over with lighten inside: lighten export MODEL --to docker OUT",
        )

    def samples(self, folder: Path) -> list[Item]:
        """A few items to ask a model where there is no data: files of them are written into ``folder``."""
        return []

    def for_learning(self) -> Reader[Example]:
        """The reader for training and calibration, which may read less where that takes too much memory."""
        return self

    def vary(self, examples: Sequence[Example], how: Sequence[str], chance: NDArray[np.float64]) -> list[Example]:
        """Examples of one size, each varied.

        Args:
            how: some of ``variations``. chance: uniform in [0, 1), [examples, ``CHANCES``]; nothing else is random.
        """
        return list(examples)

    def coverage(self, items: Sequence[Item]) -> Coverage | None:
        """How much of some items the model reads; None where it reads them whole."""
        return None

    def ranges(self) -> Mapping[str, tuple[NDArray[Any], NDArray[Any]]]:
        """Inputs that are amounts, such as pixels, by name: the least and the greatest value of each channel, float32.

        Empty where they are ids, which cannot be moved a little.
        """
        return {}

    def augmented(self, asked: str) -> tuple[str, ...]:
        """The variations that a user asks for: ``auto``, ``off``, or their names with commas between.

        Raises:
            InputError: examples of this reader are not varied so.
        """
        if asked in (AUTO, OFF):
            return self.usual if asked == AUTO else ()
        names = tuple(name.strip() for name in asked.split(","))
        if unknown := [name for name in names if name not in self.variations]:
            raise InputError(
                f"--augment is {asked!r}, and what this model reads is not varied by {unknown[0] or 'nothing'!r}.",
                allowed=", ".join((AUTO, OFF, *self.variations)),
            )
        return names

    @classmethod
    def fitted(cls, items: Sequence[Item], wanted: Mapping[str, Any]) -> Self:
        """A reader that is made of items alone, for a network that brings none.

        Args:
            items: of train, a sample of them.
            wanted: what the network says of its inputs; the rest is measured on the items.

        Raises:
            ModelError: readers of this kind come with a model, or what is wanted makes none.
            DataError: an item that cannot be read.
        """
        raise ModelError(f"{cls.__name__} comes with a model, and is not made of data.", allowed="a model that has one")

    def sizes(self) -> Mapping[str, Any]:
        """What a network for its inputs is made with, by the names that a factory of networks gives its arguments."""
        return {}

    def unmasked(self) -> Reader[Example]:
        """The reader for a network that cannot be told which places are padding: examples of one length."""
        return self

    def told(self) -> str:
        """How items are read, in one sentence, of a reader that was made by :meth:`fitted`."""
        return ""

    @classmethod
    def begins(cls, data: bytes) -> bool:
        """Whether a file that begins so is an item of this kind, as far as that can be seen without opening it."""
        return False

    @classmethod
    def version(cls) -> str:
        """What :meth:`describe` and :meth:`perceptual` are told apart by where they find something else in a file.

        What they found is kept between commands under it. Empty: nothing is kept, and every file is opened every time.
        """
        return ""

    @classmethod
    def encode(cls, array: NDArray[Any]) -> bytes:
        """The content of a file that holds an array without loss, for whoever has an item in memory and not as a file.

        Args:
            array: one of ``arrays``.

        Raises:
            DataError: it is none of them.
        """
        raise DataError("it is an array of numbers.", allowed=cls.arrays or "the content of a file")

    @classmethod
    def describe(cls, path: Path, member: str = "") -> Reference:
        """The reference to a file, or to a member of a stored zip.

        Raises:
            DataError: it cannot be opened, is empty, too large, or is no item of this kind.
        """
        raise DataError(f"{path} is a file, and {cls.__name__} reads none.", allowed="items that are no files")

    def hinder(self, items: Sequence[Item]) -> bool:
        """Whether threads that read such items at the same time hinder each other, as where most of the work is the
        interpreter's."""
        return False

    @classmethod
    def glance(cls, path: Path, member: str = "") -> Reference:
        """The same reference by the beginning of the file: what is damaged further on shows when it is read.

        For an item that is only asked, which is then decoded once. Nothing is remembered of it.

        Raises:
            DataError: see :meth:`describe`, as far as that can be seen.
        """
        return cls.describe(path, member)

    @classmethod
    def look(cls, data: bytes, name: str) -> int | None:
        """The size that a reference to a file would have (``Reference.size``), by the content of a small file alone.

        None where items must be files. A reader that gives one reads items by ``files.stored_zip.read_bytes``, as they
        may lie nowhere (see ``core.item.held``).

        Args:
            name: what errors call the file.

        Raises:
            DataError: see :meth:`glance`.
        """
        return None

    @classmethod
    def perceptual(cls, item: Reference) -> int | None:
        """Bits that hardly differ where one item is a copy of another that was stored anew: at most by ``alike`` bits.

        Near-copies are kept in one part of the data: a model must not be proved on what it learned from. None where
        nothing is known but the content hash.

        Raises:
            DataError: see :meth:`describe`.
        """
        return None

    @classmethod
    def remarked(cls, item: Reference) -> int:
        """Which of ``remarks`` are true of an item: a bit for each, the lowest for the first.

        Raises:
            DataError: see :meth:`describe`.
        """
        return 0

    @classmethod
    def preview(cls, item: Reference) -> str:
        """A ``data:`` address of a small picture of an item, for the report; empty where there is none."""
        return ""
