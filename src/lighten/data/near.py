"""Classes that need a decision of the user's: labels that differ in spelling only, and classes of a few rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from lighten.core.errors import DataError
from lighten.data.cells import count_of, quoted
from lighten.data.examples import Example, UsableRows
from lighten.data.labels import folded_label, sorted_labels


def with_merged_labels(examples: UsableRows, column: str, source: str, merge: bool | None) -> UsableRows:
    """The rows with near-equal labels (another case, spacing, hyphen) as the user wants them.

    Args:
        merge: True makes them one class, spelled as most rows do; False keeps them apart; None asks.

    Raises:
        DataError: there are such labels, and nobody said what they are.
    """
    counts = Counter(row.label for row in examples.rows)
    kinds: dict[str, list[str]] = defaultdict(list)
    for label in examples.labels:
        kinds[folded_label(label)].append(label)
    near = [sorted(labels, key=lambda label: (-counts[label], label)) for labels in kinds.values() if len(labels) > 1]
    if not near:
        return examples
    listed = "; ".join(" and ".join(f"{quoted(x, 30)} ({counts[x]:,} rows)" for x in labels) for labels in near[:5])
    more = f"; and {len(near) - 5:,} more" if len(near) > 5 else ""
    if merge is None:
        raise DataError(
            f"Labels in {column!r} of {source} differ in case or spacing only: {listed}{more}.",
            allowed="one spelling for each class",
            fix="--merge-labels makes each of these one class; --no-merge-labels keeps them apart as classes",
        )
    if not merge:
        note = f"Labels that differ in spelling only were kept apart: {listed}{more}."
        return replace(examples, notes=(*examples.notes, note))
    spelled = {label: labels[0] for labels in near for label in labels}
    rows = tuple(replace(row, label=spelled.get(row.label, row.label)) for row in examples.rows)
    note = f"Labels that differ in spelling only were merged into the first of each: {listed}{more}."
    return UsableRows(rows, sorted_labels(row.label for row in rows), (*examples.notes, note))


def without_rare(examples: UsableRows, column: str, source: str, fewest: int) -> UsableRows:
    """The rows without those of classes that have fewer than ``fewest`` rows; a note counts them.

    Raises:
        DataError: fewer than two classes are left.
    """
    counts = Counter(row.label for row in examples.rows)
    rare = [label for label in examples.labels if counts[label] < fewest]
    if not rare:
        return examples
    rows = tuple(row for row in examples.rows if counts[row.label] >= fewest)
    many = count_of(len(rare), "class", "classes")
    listed = ", ".join(f"{quoted(label, 30)} ({counts[label]})" for label in rare[:10]) + (", ..." if rare[10:] else "")
    found = f"{many} of {column!r} with fewer than {fewest} rows ({listed})"
    if len(examples.labels) - len(rare) < 2:
        raise DataError(
            f"--drop-rare {fewest} leaves {len(examples.labels) - len(rare)} classes of {source}: it has {found}.",
            allowed="two classes or more",
            fix="give a smaller number",
        )
    note = f"Left out: {count_of(len(examples.rows) - len(rows), 'row')} of {found}."
    return UsableRows(rows, sorted_labels(row.label for row in rows), (*examples.notes, note))


def all_in_train(
    kept: dict[str, list[Example]], labels: Sequence[str]
) -> tuple[dict[str, list[Example]], tuple[str, ...]]:
    """The parts with every class in train: rows of a class that train lacks go there, with their units; and a note."""
    there = {row.label for row in kept["train"]}
    lacking = [label for label in labels if label not in there]
    if not lacking:
        return kept, ()
    others = [row for name, rows in kept.items() if name != "train" for row in rows if row.label in lacking]
    units = {row.unit for row in others if row.unit}
    moved = {name: [row for row in rows if row.label in lacking or row.unit in units] for name, rows in kept.items()}
    gone = {row.number for name, rows in moved.items() if name != "train" for row in rows}
    parts = {name: [row for row in rows if row.number not in gone] for name, rows in kept.items()}
    parts["train"] = sorted(
        [*kept["train"], *(row for name, rows in moved.items() if name != "train" for row in rows)],
        key=lambda row: row.number,
    )
    counts = Counter(row.label for row in parts["train"])
    names = [f"{quoted(label, 30)} ({counts[label]})" for label in lacking[:10]]
    listed = ", ".join(names) + (", ..." if lacking[10:] else "")
    return parts, (
        f"All rows of {listed} were put into train, which had none of them; nothing can be proved about "
        f"{'them' if len(lacking) > 1 else 'it'}. --drop-rare N leaves out classes with fewer than N rows.",
    )
