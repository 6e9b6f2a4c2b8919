"""Rows and Parts: the data as a task hands it to steps and meters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lighten.core.item import Item, content_of, texts

Target: TypeAlias = Any
"""What is right in a row, as its task has it: the index of a class, a set of classes, a number."""

PART_NAMES = ("train", "tune", "select", "proof")


@dataclass(frozen=True, slots=True)
class Rows:
    """One part of the user's data, by column.

    Attributes:
        inputs: one item per row.
        targets: what is right in each row; the index of its class where the task is one of classes.
        groups: name of the group of each row, or empty when the data has no group column.
        units: independent unit of each row (user, document), or empty when every row is its own unit.
        ids: hash of each row's content (16 hex digits), of a text up to case and spacing; rows that a model learned
            from are known by it. Empty for rows that were not read from data.
        references: the text that is the right answer of each row, or empty when a row has no such text.
    """

    inputs: tuple[Item, ...]
    targets: tuple[Target, ...]
    groups: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def texts(self) -> tuple[str, ...]:
        """The inputs of rows that all are texts; raises DataError where one is not."""
        return texts(self.inputs)

    def __add__(self, other: Rows) -> Rows:
        """These rows, and those of another part of the same data behind them."""
        return Rows(
            self.inputs + other.inputs,
            self.targets + other.targets,
            self.groups + other.groups,
            self.units + other.units,
            self.ids + other.ids,
            self.references + other.references,
        )

    def take(self, indices: Sequence[int]) -> Rows:
        """The rows at ``indices``, in that order."""

        def pick(column: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(column[i] for i in indices) if column else ()

        return Rows(
            pick(self.inputs),
            tuple(self.targets[i] for i in indices),
            pick(self.groups),
            pick(self.units),
            pick(self.ids),
            pick(self.references),
        )

    def fingerprint(self) -> str:
        """Content hash (16 hex digits) of inputs, targets, groups, units and references in order."""
        digest = hashlib.sha256()
        columns = [tuple(map(content_of, self.inputs)), tuple(map(str, self.targets)), self.groups, self.units]
        for column in (*columns, *([self.references] if self.references else [])):
            for value in column:
                raw = value.encode("utf-8", "surrogatepass")
                digest.update(b"%d:%b" % (len(raw), raw))
            digest.update(b";")
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Parts:
    """The four parts of a data set; ``proof`` is opened once, at the end.

    Attributes:
        labels: name of each class; ``targets`` index into it.
        notes: what was noticed while splitting, one sentence each.
    """

    train: Rows
    tune: Rows
    select: Rows
    proof: Rows
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Rows:
        if name not in PART_NAMES:
            raise KeyError(name)
        part: Rows = getattr(self, name)
        return part

    @property
    def fingerprint(self) -> str:
        """Content hash (16 hex digits) of all four parts and the labels."""
        text = json.dumps([[self[name].fingerprint() for name in PART_NAMES], self.labels])
        return hashlib.sha256(text.encode()).hexdigest()[:16]
