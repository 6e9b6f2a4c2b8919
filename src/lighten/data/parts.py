"""Rows into train, tune, select and proof, by content: adding rows never moves others from one part to another."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lighten.core.data_options import NewRows
from lighten.core.errors import DataError
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.data.alike import copies_of
from lighten.data.cells import Table, count_of, quoted
from lighten.data.classes import Classes, known_classes, match_classes
from lighten.data.columns import Columns
from lighten.data.examples import Example, UsableRows, check_classes, usable
from lighten.data.fixed import fixed_parts, only_train
from lighten.data.near import all_in_train, with_merged_labels, without_rare

FRACTIONS: Mapping[str, float] = {"train": 0.55, "tune": 0.10, "select": 0.10, "proof": 0.25}
_FEWEST_ROWS = 2
Alike = Callable[[Sequence[Example]], Sequence[Sequence[int]]]
"""Finds rows that are copies of each other (see ``data.alike``)."""


def split(
    table: Table,
    columns: Columns,
    *,
    seed: int = 0,
    fractions: Mapping[str, float] = FRACTIONS,
    drop_empty: bool = False,
    merge_labels: bool | None = None,
    drop_rare: int = 0,
) -> Parts:
    """The four parts of a data set.

    A row's part follows from a hash of its unit (when there is a unit column) or of its text up to case and spacing (of
    the content of its file), and of the seed; nothing else. Rows of a unit stay together. A text is on one side only,
    and so are pictures that are nearly the same: where its copies would be
    in several parts (units, fixed splits), the most guarded part keeps it (proof, then select, tune, train). Train
    keeps repeated rows; the other parts keep the first copy only, so that their items are independent.

    So a row added later moves no other row. With units it can still take one out: a train row whose text the new row
    brings into a more guarded part. Where the data has a split of its own, ``columns.split``, it is kept (see
    ``fixed_parts``); there a value that was not there before can change what the others serve.

    Args:
        fractions: share of each part; they sum to 1. A part with share 0 stays empty.
        drop_empty: leave rows without input or label out, or with a file that cannot be opened, and count them.
        merge_labels: whether labels that differ in spelling only are one class; None refuses them.
        drop_rare: leave out classes with fewer rows than this.

    Raises:
        DataError: empty cells, one class, near-equal labels, too few rows (says how many are needed).
    """
    examples = usable(table, columns, drop_empty=drop_empty)
    examples = with_merged_labels(examples, columns.label, table.source, merge_labels)
    examples = without_rare(examples, columns.label, table.source, drop_rare)
    class_notes = check_classes(examples, columns.label, table.source)
    kept, copy_notes = divide(examples.rows, table, columns, seed=seed, fractions=fractions)
    moved: tuple[str, ...] = ()
    if columns.split is None or columns.mixed:
        kept, moved = all_in_train(kept, examples.labels)
    lacking = _about_lacking_classes(kept, [name for name in PART_NAMES if kept[name]], examples.labels)
    index = {label: i for i, label in enumerate(examples.labels)}
    rows = {name: rows_of(kept[name], index, columns) for name in PART_NAMES}
    notes = (*table.notes, *columns.notes, *examples.notes, *class_notes, *copy_notes, *moved, *lacking)
    return Parts(rows["train"], rows["tune"], rows["select"], rows["proof"], examples.labels, notes)


def divide(
    rows: Sequence[Example],
    table: Table,
    columns: Columns,
    *,
    seed: int = 0,
    fractions: Mapping[str, float] = FRACTIONS,
    alike: Alike = copies_of,
) -> tuple[dict[str, list[Example]], tuple[str, ...]]:
    """Rows of each part, as :func:`split` divides them, whatever they are labelled with; and what was left out.

    Args:
        rows: the usable ones of ``table``. alike: positions of rows that are on one side, in groups.

    Raises:
        DataError: too few rows (says how many are needed), or a split of the user's that cannot be kept.
    """
    shares = _checked(fractions)
    homes, fixed_notes = _own_split(rows, table, columns, shares, seed)
    if homes is None:
        homes = [_drawn(row, seed, shares) for row in rows]
    kept, notes = _one_side(rows, homes, alike(rows))
    needed = [name for name in PART_NAMES if shares[name] > 0 or any(home == name for home in homes)]
    _refuse_small(kept, needed, shares, table.source, columns)
    return kept, (*fixed_notes, *notes)


def _own_split(
    rows: Sequence[Example], table: Table, columns: Columns, shares: Mapping[str, float], seed: int
) -> tuple[list[str] | None, tuple[str, ...]]:
    """Part of each row by the user's own split; None where there is none to keep, and a note that says why."""
    if columns.split is None:
        return None, ()
    cells = table.column(columns.split)
    if columns.mixed:
        return None, (f"The column {columns.split!r} was not followed: --split-column none divides rows by content.",)
    values = [cells[row.number - 1] for row in rows]
    if set(values) != set(cells) and only_train(values, columns.split):
        return None, (f"Only train is left of the column {columns.split!r}, so its rows were divided by content.",)
    homes, notes = fixed_parts(values, [_position(row, seed) for row in rows], shares, columns.split)
    if columns.unit:
        notes = (*notes, *_about_torn_units(rows, homes, columns))
    return homes, notes


def new_rows(table: Table, columns: Columns, *, drop_empty: bool = False) -> NewRows:
    """Rows of new data in the table's order, with the data's own labels.

    Raises:
        DataError: empty cells.
    """
    examples: UsableRows = usable(table, columns, drop_empty=drop_empty)
    index = {label: number for number, label in enumerate(examples.labels)}
    numbers = tuple(row.number for row in examples.rows)
    rows = rows_of(examples.rows, index, columns)
    return NewRows(rows, examples.labels, numbers, (*table.notes, *columns.notes, *examples.notes))


def encode(
    new: NewRows,
    names: Sequence[str],
    told: Sequence[str] = (),
    known: Mapping[str, int] | None = None,
    *,
    model: str = "the model",
) -> tuple[Rows, Classes]:
    """New rows with targets that are classes of a model that is there already.

    Args:
        names: of the model's classes, by output. told: which of them a label is; see :func:`match_classes`.
        known: output by label, as it was found before; taken when it knows every label and nothing is told.

    Returns:
        The rows, and which class each label of the data is.

    Raises:
        DataError: labels that are no classes of the model (with their rows), or not for sure.
    """
    if not told and known and all(label in known for label in new.labels):
        classes = known_classes(names, new.labels, [known[label] for label in new.labels])
    else:
        numbers: dict[str, list[int]] = defaultdict(list)
        for target, number in zip(new.rows.targets, new.numbers, strict=True):
            numbers[new.labels[target]].append(number)
        classes = match_classes(names, new.labels, told, model=model, rows=numbers)
    return replace(new.rows, targets=tuple(classes.places[target] for target in new.rows.targets)), classes


def rows_of(examples: Sequence[Example], index: Mapping[str, int], columns: Columns) -> Rows:
    """Rows with class numbers; ``groups`` and ``units`` only when those columns are in use."""
    return Rows(
        tuple(e.item for e in examples),
        tuple(index[e.label] for e in examples),
        tuple(e.group for e in examples) if columns.group else (),
        tuple(e.unit or f"row:{e.id}" for e in examples) if columns.unit else (),
        tuple(e.id for e in examples),
    )


def _checked(fractions: Mapping[str, float]) -> dict[str, float]:
    """Shares of all four parts, in their order."""
    unknown = set(fractions) - set(PART_NAMES)
    shares = {name: float(fractions.get(name, 0.0)) for name in PART_NAMES}
    bad = [s for s in shares.values() if not (math.isfinite(s) and s >= 0)]
    if unknown or bad or not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
        raise DataError(
            f"The fractions of the parts are {dict(fractions)}.",
            allowed=f"{', '.join(PART_NAMES)}, each from 0 to 1, together 1",
        )
    return shares


def _position(row: Example, seed: int) -> float:
    """A number in [0, 1) that only the unit (else the text) and the seed decide."""
    of = f"unit\0{row.unit}" if row.unit else f"text\0{row.key}"
    digest = hashlib.sha256(f"{seed}\0{of}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _drawn(row: Example, seed: int, shares: Mapping[str, float]) -> str:
    position, upper = _position(row, seed), 0.0
    for name, share in shares.items():
        upper += share
        if position < upper:
            return name
    return max(shares, key=lambda name: shares[name])


def _one_side(
    rows: Sequence[Example], homes: Sequence[str], copies: Sequence[Sequence[int]]
) -> tuple[dict[str, list[Example]], tuple[str, ...]]:
    """Rows of each part with every text on one side; and what was left out, counted."""
    chosen: set[int] = set()
    moved = repeated = 0
    for places in copies:
        part = max((homes[at] for at in places), key=PART_NAMES.index)
        here = [at for at in places if homes[at] == part]
        moved += len(places) - len(here)
        if part != "train":
            repeated += len(here) - 1
            here = here[:1]
        chosen.update(here)
    kept: dict[str, list[Example]] = {name: [] for name in PART_NAMES}
    for at in sorted(chosen):
        kept[homes[at]].append(rows[at])
    several = [places for places in copies if len(places) > 1]
    if not several:
        return kept, ()
    conflicts = sum(len({rows[at].label for at in places}) > 1 for places in several)
    texts = isinstance(rows[0].item, str)
    what, how = ("text", "up to case and spacing") if texts else ("input", "or nearly the same")
    if isinstance(rows[0].item, tuple):
        what, how = "pair", "or one of its texts does, up to case and spacing"
    notes = [
        f"{count_of(len(several), f'{what} occurs', f'{what}s occur')} more than once ({how}); each is in "
        f"one part only. Left out: {repeated:,} copies outside train, and {moved:,} rows whose {what} is in "
        "another part."
    ]
    if conflicts:
        notes.append(f"{count_of(conflicts, f'repeated {what} has', f'repeated {what}s have')} different labels.")
    return kept, tuple(notes)


def _about_torn_units(rows: Sequence[Example], homes: Sequence[str], columns: Columns) -> tuple[str, ...]:
    """A note on units that the user's own split tears: the split is kept, since it is what the user judges by."""
    parts: dict[str, set[str]] = defaultdict(set)
    for row, home in zip(rows, homes, strict=True):
        if row.unit:
            parts[row.unit].add(home)
    torn = sorted(name for name, of in parts.items() if len(of) > 1)
    if not torn:
        return ()
    listed = ", ".join(quoted(name, 30) for name in torn[:5])
    return (
        f"{count_of(len(torn), 'value', 'values')} of {columns.unit!r} stand in several parts of your own split, which "
        f"was kept ({listed}): what is proved holds for units like these. --split-column none keeps units together.",
    )


def _refuse_small(
    kept: Mapping[str, Sequence[Example]],
    needed: Sequence[str],
    shares: Mapping[str, float],
    source: str,
    columns: Columns,
) -> None:
    small = [name for name in needed if len(kept[name]) < _FEWEST_ROWS]
    if not small:
        return
    positive = [s for s in shares.values() if s > 0]
    of = f"distinct {columns.unit!r}" if columns.unit else "rows with distinct texts"
    total = sum(len(rows) for rows in kept.values())
    other = [", or change --unit"] * bool(columns.unit)
    other += [", or --split-column none to divide all rows by content"] * bool(columns.split and not columns.mixed)
    raise DataError(
        f"{source} has too few rows: of {total:,}, {', '.join(f'{len(kept[n])} are in {n}' for n in small)}.",
        allowed=f"about {_enough(min(positive)):,} {of} or more for these fractions",
        fix="add rows" + "".join(other),
    )


def _enough(share: float) -> int:
    """Items with which a part of this share gets fewer than two of them at most once in 1,000 draws."""
    n = _FEWEST_ROWS
    while (1 - share) ** n + n * share * (1 - share) ** (n - 1) > 0.001:
        n += max(1, n // 50)
    return n


def _about_lacking_classes(
    kept: Mapping[str, Sequence[Example]], needed: Sequence[str], labels: Sequence[str]
) -> tuple[str, ...]:
    """Notes about classes that a part lacks."""
    notes = []
    for name in needed:
        counts = Counter(row.label for row in kept[name])
        lacking = [label for label in labels if not counts[label]]
        if lacking and name != "tune":
            known = "a model trained here cannot learn it" if name == "train" else "nothing is known about it there"
            notes.append(f"{name} has no row of {', '.join(quoted(label, 30) for label in lacking[:10])}; {known}.")
    return tuple(notes)
