"""What a user says of data, and what a task makes of data beside the four parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lighten.core.rows import Rows


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What a user says of data: which columns, what is asked of a row, what is left out. A task says what it takes.

    Attributes:
        text, label, group, unit: columns; None where they are to be found, ``none`` for group and unit to have none.
        split_column: column with train, validation, test; None where it is to be found, ``none`` to mix them.
        drop_empty: leave rows without input or label out instead of refusing the data.
        labels: which class of the model a label of the data is, ``"label=class"``.
        merge_labels: whether labels that differ in spelling only are one class; None refuses them.
        drop_rare: leave out classes with fewer rows than this.
        longest: most tokens of an input that are read; None for what the model reads.
        prompt: template with columns in braces. answer: column of the right answers. choices: to choose from.
        shots: examples from train before every prompt.
    """

    text: str | None = None
    label: str | None = None
    group: str | None = None
    unit: str | None = None
    split_column: str | None = None
    drop_empty: bool = False
    labels: tuple[str, ...] = ()
    merge_labels: bool | None = None
    drop_rare: int = 0
    longest: int | None = None
    prompt: str | None = None
    answer: str | None = None
    choices: tuple[str, ...] = ()
    shots: int = 0

    @property
    def known(self) -> Mapping[str, str]:
        """Columns by role that a model was made with: read where the data have them and the user names none."""
        return {}

    def beside(self, known: Mapping[str, str]) -> DataOptions:
        """The same of data for a model that was made with such columns."""
        return _Beside(**{one.name: getattr(self, one.name) for one in fields(DataOptions)}, known=known)


@dataclass(frozen=True, slots=True)
class _Beside(DataOptions):
    known: Mapping[str, str] = field(default_factory=dict)


COMMON = ("text", "label", "group", "unit", "split_column", "drop_empty")
"""Options that every task takes."""
COLUMNS = ("text", "label", "group", "unit", "split_column")
"""Roles that a column of data can have."""


def columns_in(record: object) -> dict[str, str]:
    """Columns by role of the ``data`` that the record of a model has; empty where it has none."""
    found: Mapping[Any, Any] = record if isinstance(record, Mapping) else {}
    return {role: found[role] for role in COLUMNS if isinstance(found.get(role), str) and found[role]}


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of data that models are compared on, in the data's order.

    Attributes:
        labels: of the data; ``targets`` index into them. Empty where answers are no classes.
        numbers: of each row in the data, for messages; empty where no message needs them.
        notes: what was noticed, one sentence each.
    """

    rows: Rows
    labels: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Samples:
    """Beginnings that a model goes on with, to be looked at.

    Attributes:
        shown: the beginnings as a person is shown them. prompts: as the model is asked.
        most: tokens that it goes on for. until: text that ends what it says; empty for nothing.
    """

    shown: tuple[str, ...]
    prompts: tuple[str, ...]
    most: int
    until: str = ""
