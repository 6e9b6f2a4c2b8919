"""Which column holds the text, the label, the group and the unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lighten.core.errors import DataError
from lighten.data.cells import Table, is_json
from lighten.data.fixed import MIXED, find_split, not_for_judging, unlabelled_rows
from lighten.data.guesses import (
    about_scraps,
    about_unused,
    by_name,
    columns_named,
    few_values,
    longest_text,
    refuse_lists,
    useful_group,
    useful_unit,
)
from lighten.data.header import GROUP_NAMES, LABEL_NAMES, TEXT_NAMES, UNIT_NAMES
from lighten.data.items import holds_items, item_column, kinds_in, no_classes
from lighten.data.pairs import refuse_pairs

MOST_CLASSES = 1000
NONE = "none"
"""What ``--unit`` and ``--group`` are given when a column with a usual name is not to be taken."""
NO_COLUMNS: Mapping[str, str] = MappingProxyType({})
"""Columns by role of a model that does not say which it was made with."""
_NO_ROLE = re.compile(r"split|part|fold|index|unnamed: ?\d+|__index_level_\d+__|level_\d+", re.IGNORECASE)
"""Names of columns that are never guessed to be anything: parts, and indices that pandas writes."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns in use; ``notes`` says how each was found. ``label`` is empty when there is no label.

    Attributes:
        kind: name of the reader of what stands in ``text``; empty where its cells are texts as they stand.
        split: the column that says which rows are train, validation and test.
        mixed: whether the user asked to divide by content all the same.
        skipped: positions of rows that are not used: of parts without labels; of train, where models are judged.
    """

    text: str
    label: str
    group: str | None = None
    unit: str | None = None
    notes: tuple[str, ...] = ()
    kind: str = ""
    split: str | None = None
    mixed: bool = False
    skipped: frozenset[int] = frozenset()

    def roles(self, label: str = "label") -> dict[str, str]:
        """Columns by role, those in use, for the record. label: name of the role of the label column."""
        split = None if self.split is None else MIXED if self.mixed else self.split
        found = {"text": self.text, label: self.label, "group": self.group, "unit": self.unit, "split_column": split}
        return {role: name for role, name in found.items() if name}


def find_columns(
    table: Table,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    split: str | None = None,
    *,
    kind: str = "",
    labelled: bool = True,
    judging: bool = False,
    known: Mapping[str, str] = NO_COLUMNS,
) -> Columns:
    """Columns of text, label, group, unit and split: those given, else by usual names, else by content.

    A group column is taken on its own only when named ``group`` or ``domain``; a unit column when it has a usual name
    (``unit``, ``user``, ``doc_id``, ...), repeats, and has at least 20 distinct values. Columns named ``split`` are
    never guessed to be anything else.

    Args:
        group, unit: ``"none"`` takes no column, whatever the names are (unless a column is called that).
        split: column with train, validation, test; ``none`` to divide by content even where there is one.
        kind: name of the reader of the inputs; empty for texts, which need none.
        labelled: look for a label; False leaves it empty, for data without one.
        judging: of data with a split of its own, take only the rows that models are to be judged by.
        known: columns by role that a model was made with: taken where they are there and none is given.

    Raises:
        UnknownName: a given column does not exist.
        DataError: none or several fit; lists the candidates and the option to give.
    """
    group, unit = (
        one if one is not None else _none_of(known, role) for one, role in ((group, "group"), (unit, "unit"))
    )
    grouped, united = (not _is_none(table, name) for name in (group, unit))
    group, unit = group if grouped else None, unit if united else None
    given = {"--text": text, "--label": label, "--group": group, "--unit": unit}
    _check_given(table, given | ({"--split-column": split} if split != MIXED else {}))
    notes: list[str] = []
    taken = {n for n in given.values() if n is not None}
    mixing = known.get("split_column") == MIXED
    named_here = {"text": text, "label": label, "group": group, "unit": unit, "split_column": split}
    known = {
        role: name
        for role, name in known.items()
        if name in table.columns and name not in taken and named_here.get(role) is None
    }
    split = known.get("split_column", MIXED if mixing else None) if split is None and judging else split
    files = {n for n in table.columns if holds_items(table.column(n))}
    parts, mixed = find_split(table, split, taken | files | _kept_for(known, "split_column")), split == MIXED
    nested = {n for n in table.columns if n not in taken and is_json(table.column(n))}
    taken |= nested | files | {n for n in table.columns if _NO_ROLE.fullmatch(n)}
    if kind:
        text = item_column(table, kind, text or _holding(table, kind, known), notes)
    taken |= {parts} if parts else set()
    if group is None:
        named = _guessed(table, known, "group", GROUP_NAMES, taken, notes, "Groups are")
        group = useful_group(table, _wanted(named, grouped, "--group", notes), notes)
        taken |= {name for name in [group if grouped else named] if name}
    if unit is None:
        named = _guessed(table, known, "unit", UNIT_NAMES, taken, notes, "Rows are kept together by")
        unit = useful_unit(table, _wanted(named, united, "--unit", notes), notes)
        taken |= {name for name in [unit if united else named] if name}
    if label is None and labelled:
        label = _guessed(table, known, "label", LABEL_NAMES, taken, notes, "Labels are")
        if label is None and kind and not set(table.columns) - taken - {text or ""}:
            raise no_classes(table, kind)
        taken |= {label} if label else set()
    text = text or _recalled(known, "text", notes, "Texts are")
    taken |= {*known.values(), *([text] if text else [])}
    asked = text is None and labelled
    if asked:
        refuse_pairs(table, taken)
    if text is None:
        text = by_name(table, TEXT_NAMES, taken, "--text", notes, "Texts are", wordy_only=True)
        text = text or longest_text(table, taken, notes)
        taken.add(text)
    if label is None and labelled:
        refuse_lists(table, columns_named(table, LABEL_NAMES, taken - nested))
        label = few_values(table, taken, notes)
    refuse_lists(table, [label] if label else [])
    if asked:
        refuse_pairs(table, {label or "", group or "", unit or "", *taken} - {text}, text)
    notes += about_scraps(table, {text, label, group, unit, parts} | taken)
    notes += about_unused(table, {text, label, group, unit, parts} | taken) if given["--text"] is None else []
    skipped, about = _skipped(table, parts, label or "", judging=judging and not mixed)
    return Columns(text, label or "", group, unit, (*notes, *about), kind, parts, mixed, skipped)


def _check_given(table: Table, given: Mapping[str, str | None]) -> None:
    """Every column that was given is there and was given once. given: names by option."""
    names = [name for name in given.values() if name is not None]
    for option, name in given.items():
        if name is not None and option != "--split-column":
            table.column(name)
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(f"The column {twice.pop()!r} was given for two things.", allowed=", ".join(given))


def _skipped(table: Table, parts: str | None, label: str, *, judging: bool) -> tuple[frozenset[int], tuple[str, ...]]:
    """Positions of rows that are not used, and what is said of them. parts: column of the data's own split."""
    skipped, about = unlabelled_rows(table, parts, label)
    if judging and parts:
        more, more_about = not_for_judging(table, parts, skipped)
        return skipped | more, (*about, *more_about)
    return skipped, about


def text_column(
    table: Table,
    text: str | None = None,
    kind: str = "",
    *,
    known: Mapping[str, str] = NO_COLUMNS,
    paired: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """The column of the inputs, of data that is only to be answered, and what is to be said of it.

    No label is needed, and none is taken for a text.

    Args:
        known: columns by role that a model was made with: its texts are read where the data have them.
        paired: take one of several texts that belong together, too.

    Raises:
        UnknownName: the given column does not exist. DataError: none or several fit; the option to give is --text.
    """
    made = known.get("text", "")
    if kind:
        return item_column(table, kind, text or _holding(table, kind, known), []), ()
    if text is not None:
        table.column(text)
        return text, ()
    if len(table.columns) == 1:
        return next(iter(table.columns)), ()
    if made in table.columns:
        try:
            guessed, _ = _guessed_text(table, paired=paired)
        except DataError:
            guessed = ""
        return made, () if guessed == made else (f"Texts are the column {made!r} (as when the model was made).",)
    try:
        found, notes = _guessed_text(table, paired=paired)
    except DataError as error:
        seen = f"{error.seen} The model was made with the column {made!r}, which is not there." if made else error.seen
        raise DataError(seen, allowed=error.allowed, fix=error.fix) from error
    gone = f"{table.source} has no column {made!r}, which the model was made with; --text names another."
    return found, ((gone,) if made else ()) + notes


def _guessed_text(table: Table, *, paired: bool) -> tuple[str, tuple[str, ...]]:
    """The column of texts by its name, else by its content; and how it was found."""
    taken = {n for n in table.columns if _NO_ROLE.fullmatch(n) or is_json(table.column(n))}
    taken |= {name for names in (LABEL_NAMES, GROUP_NAMES, UNIT_NAMES) for name in columns_named(table, names, taken)}
    notes: list[str] = []
    if not paired:
        refuse_pairs(table, taken)
    found = by_name(table, TEXT_NAMES, taken, "--text", notes, "Texts are", wordy_only=True)
    found = found or longest_text(table, taken, notes)
    if not paired:
        refuse_pairs(table, taken, found)
    return found, (*notes, *about_unused(table, {found, *taken}))


def _none_of(known: Mapping[str, str], role: str) -> str | None:
    """``none`` where a model was made without a column of that role, as its user said; else None."""
    return NONE if known.get(role) == NONE else None


def _recalled(known: Mapping[str, str], role: str, notes: list[str], what: str) -> str | None:
    """The column that a model was made with, with a note; None where the data do not have it."""
    if role in known:
        notes.append(f"{what} the column {known[role]!r} (as when the model was made).")
    return known.get(role)


def _guessed(
    table: Table,
    known: Mapping[str, str],
    role: str,
    names: Sequence[str],
    taken: Iterable[str],
    notes: list[str],
    what: str,
) -> str | None:
    """The column of a role that nobody gave: the one that the model was made with, else one with a usual name.

    What the model was made with in another role is left to that.
    """
    taken = {*taken, *_kept_for(known, role)}
    return _recalled(known, role, notes, what) or by_name(table, names, taken, f"--{role}", notes, what)


def _kept_for(known: Mapping[str, str], role: str) -> set[str]:
    """Columns that a model was made with in other roles than this one."""
    return {name for other, name in known.items() if other != role}


def _holding(table: Table, kind: str, known: Mapping[str, str]) -> str | None:
    """The column of the inputs that a model was made with, where it holds items of the kind; else None."""
    name = known.get("text")
    holds = (
        name in table.columns and kind in kinds_in(Table({name: table.column(name)}, table.source)) if name else False
    )
    return name if holds else None


def _is_none(table: Table, name: str | None) -> bool:
    """Whether an option says that no column is to be taken."""
    return name is not None and name.casefold() == NONE and name not in table.columns


def _wanted(name: str | None, wanted: bool, option: str, notes: list[str]) -> str | None:
    """The column found, unless the user asked for none; the note then says which one would have been taken."""
    if name is None or wanted:
        return name
    notes[-1] = f"The column {name!r} was not used, as {option} none asks."
    return None
