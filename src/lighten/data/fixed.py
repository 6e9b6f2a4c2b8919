"""The user's own division into train, validation and test: where it stands, what each value means, which part it is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from lighten.core.errors import DataError, UnknownName
from lighten.core.rows import PART_NAMES
from lighten.data.cells import Cell, Table, count_of, quoted, some_numbers
from lighten.data.header import SPLIT_NAMES
from lighten.data.labels import label_text

MIXED = "none"
"""What ``--split-column`` says to divide all rows by content, whatever the data says of its own parts."""

SPLITS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "trainset", "训练", "训练集"), "train"),
    **dict.fromkeys(
        ("validation", "valid", "val", "vali", "dev", "devel", "development", "eval", "evaluation", "devset", "验证",
         "验证集"),
        "validation",
    ),
    **dict.fromkeys(("test", "testing", "tst", "testset", "holdout", "heldout", "测试", "测试集"), "test"),
}  # fmt: skip
"""Usual names of parts."""

_MEANINGS: Mapping[str, str] = {**SPLITS, **{name: name for name in PART_NAMES}}
_FLAGS = {
    **dict.fromkeys(("is_train", "istrain", "in_train", "train"), ("train", "test")),
    **dict.fromkeys(("is_test", "istest", "in_test", "test"), ("test", "train")),
    **dict.fromkeys(("is_valid", "isvalid", "is_validation", "is_val", "is_dev"), ("validation", "train")),
}
"""Columns of yes and no: what yes means, and what no means."""

_NO_LABEL = frozenset({"-1", "?", "unknown", "unlabeled", "unlabelled", "none", "null", "nan", "n/a"})


def split_word(name: str) -> str:
    """The part that a name says (``test``, ``Train-00000``, ``validation_matched``); empty when none or several."""
    whole = name.strip().casefold()
    if whole in _MEANINGS:
        return _MEANINGS[whole]
    joined = re.sub(r"\b(held|hold)[ _-]?out", "holdout", whole)
    words = dict.fromkeys(SPLITS[word] for word in re.split(r"[\W\d_]+", joined) if word in SPLITS)
    return next(iter(words)) if len(words) == 1 else ""


def find_split(table: Table, asked: str | None, taken: Collection[str] = ()) -> str | None:
    """The column that says which rows are train, validation and test; None when there is none.

    Found by its name when it holds train and something to judge on; by its content whatever its name, when it holds
    nothing but usual names of parts.

    Args:
        asked: what the user gave: a column, ``none`` (then the column is found, and only its unlabelled rows matter),
            or None.
        taken: columns that are something else.

    Raises:
        UnknownName: the column is not there.
    """
    if asked is not None and asked != MIXED:
        if asked not in table.columns:
            raise UnknownName("column", asked, table.columns, fix="--split-column none divides the rows by content")
        return asked
    names = sorted((name for name in table.columns if name not in taken), key=lambda name: _rank(name.casefold()))
    return next((name for name in names if _says_parts(table, name)), None)


def unlabelled_rows(table: Table, column: str | None, label: str) -> tuple[frozenset[int], tuple[str, ...]]:
    """Positions of the rows of parts that came without labels, such as the test file of a competition; and a note.

    A part other than train is without labels when every label of it is missing, or is one placeholder (-1, ``?``) that
    train does not have.
    """
    if column is None or not label:
        return frozenset(), ()
    places: dict[str, list[int]] = defaultdict(list)
    for at, value in enumerate(table.column(column)):
        places[_written(value)].append(at)
    labels = [label_text(cell) for cell in table.column(label)]
    train = {labels[at] for value, rows in places.items() if _meaning(column, value) == "train" for at in rows}
    found = []
    for value, rows in places.items():
        kinds = {labels[at] for at in rows}
        placeholder = len(kinds) == 1 and str(next(iter(kinds))).casefold() in _NO_LABEL and not kinds & train
        if _meaning(column, value) != "train" and train - {None} and (kinds == {None} or placeholder):
            found.append(value)
    if not found:
        return frozenset(), ()
    gone = [at for value in found for at in places[value]]
    what = ", ".join(repr(value) for value in found)
    note = f"{count_of(len(gone), 'row')} of {what} came without labels in {label!r} and were left out."
    return frozenset(gone), (note,)


def fixed_parts(
    values: Sequence[Cell], positions: Sequence[float], shares: Mapping[str, float], column: str
) -> tuple[list[str], tuple[str, ...]]:
    """Part of each row by the value of its split column.

    tune, select and proof mean themselves, and test means proof. validation rows are divided among those of tune and
    select (and of proof, when there is no test) that no value names; what is still missing of tune and select is taken
    out of train. Divisions follow ``positions`` in the proportions of ``shares``.

    Args:
        positions: a number in [0, 1) per row, decided by its content.

    Raises:
        DataError: another value (its rows are listed), no train rows, or nothing to prove on.
    """
    names = [_written(value) for value in values]
    meanings = {name: _meaning(column, name) for name in dict.fromkeys(names)}
    strange = [at + 1 for at, name in enumerate(names) if not meanings[name]]
    if strange:
        raise DataError(
            f"The split column {column!r} holds {quoted(names[strange[0] - 1])} (usable row {some_numbers(strange)}).",
            allowed="train, validation, test, or tune, select, proof",
            fix="correct these values (or file names); --split-column none divides all rows by content instead",
        )
    meant = ["proof" if meanings[name] == "test" else meanings[name] for name in names]
    present = set(meant)
    free = [name for name in ("tune", "select", "proof") if name not in present and shares[name] > 0]
    serves: dict[str, tuple[str, ...]] = {name: (name,) for name in ("tune", "select", "proof")}
    if "validation" in present:
        serves["validation"] = tuple(free) or ("select",)
        serves["train"] = ("train",)
    else:
        serves["train"] = ("train", *(name for name in free if name != "proof"))
        if "proof" in free:
            raise DataError(
                f"The split column {column!r} names no rows for the proof: it holds {', '.join(sorted(present))}.",
                allowed="some rows named test, proof or validation",
                fix="--split-column none, and rows are divided by content",
            )
    if "train" not in present and shares["train"] > 0:
        raise DataError(
            f"The split column {column!r} names no train rows: it holds {', '.join(sorted(present))}.",
            allowed="some rows named train",
            fix="--split-column none, and rows are divided by content",
        )
    homes = [_by_share(serves[name], shares, position) for name, position in zip(meant, positions, strict=True)]
    held = Counter(zip(names, homes, strict=True))
    parts = "; ".join(f"{name} -> {part} ({count:,})" for (name, part), count in sorted(held.items()))
    return homes, (f"Your own split was kept, by the column {column!r} (--split-column none mixes it): {parts}.",)


def only_train(values: Sequence[Cell], column: str) -> bool:
    """Whether a split column's values say train and nothing else."""
    return {_meaning(column, _written(value)) for value in values} == {"train"}


def not_for_judging(table: Table, column: str, gone: frozenset[int]) -> tuple[frozenset[int], tuple[str, ...]]:
    """Positions of rows that a model may have been made with, by the data's own split; and a note.

    Models are judged by the most guarded part beside train: test, else validation. Where the column does not say both
    train and something else, every row is for judging.

    Args:
        gone: positions of rows that are left out already.
    """
    left = [at for at in range(len(table)) if at not in gone]
    cells = [table.column(column)[at] for at in left]
    meant = ["proof" if (m := _meaning(column, _written(cell))) == "test" else m for cell in cells]
    judged = next((name for name in ("proof", "select", "validation", "tune") if name in meant), "")
    if "train" not in meant or not judged:
        return frozenset(), ()
    more = frozenset(at for at, name in zip(left, meant, strict=True) if name != judged)
    note = (
        f"Only the {len(left) - len(more):,} rows of {str(cells[meant.index(judged)])!r} were used, by the column "
        f"{column!r}; the other {len(more):,} may be what a model was made with (--split-column none takes them too)."
    )
    return more, (note,)


def _says_parts(table: Table, name: str) -> bool:
    cells = table.column(name)
    values = {_written(value) for value in cells if value is not None}
    if len(values) > 50:
        return False
    meanings = {_meaning(name, value) for value in values}
    several = "train" in meanings and bool(meanings & {"test", "validation", "proof", "select"})
    by_name = name.casefold() in (*SPLIT_NAMES, *_FLAGS)
    return several and (by_name or all(value in _MEANINGS for value in values))


def _rank(name: str) -> int:
    return SPLIT_NAMES.index(name) if name in SPLIT_NAMES else len(SPLIT_NAMES)


def _written(value: Cell) -> str:
    return (label_text(value) or "").casefold()


def _meaning(column: str, value: str) -> str:
    flag = _FLAGS.get(column.casefold())
    if flag and value in ("true", "1", "yes"):
        return flag[0]
    if flag and value in ("false", "0", "no"):
        return flag[1]
    return split_word(value)


def _by_share(parts: Sequence[str], shares: Mapping[str, float], position: float) -> str:
    total = sum(shares[name] for name in parts)
    upper = 0.0
    for name in parts:
        upper += shares[name] / total if total else 1 / len(parts)
        if position < upper:
            return name
    return parts[-1]
