"""Several tasks of one model: a TOML file with a section for each, and their rows beside each other.

::

    [sentiment]
    data = "reviews.csv"

    [topic]
    data = "news.parquet"
    label = "section"

The classes of all stand in one list, each behind the name of its task, in the order of the names. A row asks one task.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lighten.core.data_options import DataOptions, NewRows
from lighten.core.errors import DataError, InputError
from lighten.core.home import expanded
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.data.cells import count_of

SUFFIX = ".toml"
DATA = "data"
"""Key of a section under which its data are."""
SAID: Mapping[str, tuple[type, str]] = {
    DATA: (str, "a path, a hub id or sample:NAME"),
    "text": (str, "the name of a column"),
    "label": (str, "the name of a column"),
    "group": (str, "the name of a column, or none"),
    "unit": (str, "the name of a column, or none"),
    "split_column": (str, "the name of a column, or none"),
    "drop_empty": (bool, "true or false"),
    "merge_labels": (bool, "true or false"),
    "drop_rare": (int, "a whole number"),
}
"""What a section may say, the type, and how that is called."""
FEWEST = 2
NOTHING = DataOptions()


@dataclass(frozen=True)
class Section:
    """One of several tasks. source, options: its data, and what is said of them."""

    name: str
    source: str
    options: DataOptions


def sections_in(source: object, given: DataOptions = NOTHING, whole: Sequence[str] = ()) -> tuple[Section, ...]:
    """The tasks that a source of data names, by name; empty where it is no such file.

    Args:
        given: what the user says of the data outside of the file. whole: options of these that hold for all sections.

    Raises:
        DataError: it is no TOML, or a section cannot be used. InputError: something is said outside that belongs in it.
    """
    if not isinstance(source, str | Path) or not str(source).endswith(SUFFIX):
        return ()
    path = expanded(source)
    if not path.is_file():
        raise DataError(f"There is no file {str(source)!r}.", allowed="a TOML file with a section for each task")
    for one in fields(DataOptions):
        if one.name not in whole and getattr(given, one.name) != one.default:
            raise InputError(
                f"--{one.name.replace('_', '-')} was given beside {source}, which describes several tasks.",
                fix=f"write {one.name} into the section of the task that it belongs to"
                if one.name in SAID
                else "leave it out",
            )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{source} is not valid TOML: {error}") from error
    loose = [name for name, value in found.items() if not isinstance(value, dict)]
    if loose or len(found) < FEWEST:
        seen = f"has {loose[0]!r} outside of a section" if loose else f"has {len(found)} sections"
        raise DataError(
            f"{source} {seen}.", allowed=f"{FEWEST} sections or more, one for each task: [name], and its {DATA} = ..."
        )
    return tuple(_section(name, found[name], path, given, whole) for name in sorted(found))


def _section(name: str, said: Mapping[str, Any], path: Path, given: DataOptions, whole: Sequence[str]) -> Section:
    """One section, checked. Paths are those beside the file."""
    for key, value in said.items():
        if key not in SAID:
            raise DataError(f"{path}: [{name}] has {key!r}.", allowed=", ".join(SAID))
        kind, called = SAID[key]
        if type(value) is not kind:
            raise DataError(f"{path}: [{name}] has {key} = {value!r}.", allowed=called)
    if not said.get(DATA):
        raise DataError(f"{path}: [{name}] has no {DATA}.", allowed=SAID[DATA][1])
    source, beside = said[DATA], path.parent / expanded(said[DATA])
    options = DataOptions(**{key: value for key, value in said.items() if key != DATA})
    options = replace(options, **{key: getattr(given, key) for key in whole})
    return Section(name, str(beside) if beside.exists() else source, options)


def joined_parts(parts: Mapping[str, Parts]) -> Parts:
    """The parts of several tasks beside each other; the groups are the tasks, or their own groups behind these.

    What one task judges by, no other one learns from: an item in several parts stays in the most guarded one.

    Args:
        parts: by name of the task, in the order of the classes.

    Raises:
        DataError: that leaves a task without rows of a part.
    """
    parts, moved = _one_side(parts)
    labels = _labels({name: own.labels for name, own in parts.items()})
    every = {
        part: _joined({name: own[part] for name, own in parts.items()}, {n: own.labels for n, own in parts.items()})
        for part in PART_NAMES
    }
    sizes = ", ".join(f"{name} {len(own.train):,}" for name, own in parts.items())
    notes = (
        f"One body, {len(parts)} tasks, each with a head of its own: rows of train are {sizes}.",
        *moved,
        *(f"{name}: {note}" for name, own in parts.items() for note in own.notes),
    )
    return Parts(every["train"], every["tune"], every["select"], every["proof"], labels, notes)


def joined_new(new: Mapping[str, NewRows]) -> NewRows:
    """New rows of several tasks beside each other; their numbers are those in the data of each."""
    labels = {name: own.labels for name, own in new.items()}
    return NewRows(
        _joined({name: own.rows for name, own in new.items()}, labels),
        _labels(labels),
        tuple(number for own in new.values() for number in own.numbers),
        tuple(f"{name}: {note}" for name, own in new.items() for note in own.notes),
    )


def heads_of(parts: Mapping[str, Parts]) -> tuple[int, ...]:
    """Of each class the number of its task."""
    return tuple(number for number, own in enumerate(parts.values()) for _ in own.labels)


def _one_side(parts: Mapping[str, Parts]) -> tuple[dict[str, Parts], tuple[str, ...]]:
    """The parts without rows whose item is in a more guarded part of another task, and a note on these."""
    guarded: dict[str, int] = {}
    for own in parts.values():
        for rank, part in enumerate(PART_NAMES):
            guarded |= {one: max(rank, guarded.get(one, rank)) for one in own[part].ids}
    found, left = {}, 0
    for name, own in parts.items():
        kept: dict[str, Any] = {}
        for rank, part in enumerate(PART_NAMES):
            rows = own[part]
            places = [at for at, one in enumerate(rows.ids) if guarded[one] == rank]
            if len(rows) and not places:
                raise DataError(
                    f"Every item of {part} of the task {name} is in a more guarded part of another task.",
                    allowed="splits that agree: an item is learned from by all tasks, or judged by in all",
                    fix='give both files the same split column, or split_column = "none" in their sections',
                )
            left += len(rows) - len(places)
            kept[part] = rows.take(places)
        found[name] = replace(own, **kept)
    many = f"{count_of(left, 'row')} of one task {'is' if left == 1 else 'are'} in a more guarded part of another"
    return found, (f"{many}, and left out: nothing is judged by what was learned from.",) if left else ()


def _labels(labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{name}: {label}" for name, own in labels.items() for label in own)


def _joined(rows: Mapping[str, Rows], labels: Mapping[str, Sequence[str]]) -> Rows:
    found, first = Rows((), ()), 0
    units = any(own.units for own in rows.values())
    for name, own in rows.items():
        moved = replace(
            own,
            targets=tuple(first + target for target in own.targets),
            groups=tuple(f"{name}: {group}" for group in own.groups) if own.groups else (name,) * len(own),
            units=(own.units or tuple(f"{name} row:{one}" for one in own.ids)) if units else (),
        )
        found, first = found + moved, first + len(labels[name])
    return found
