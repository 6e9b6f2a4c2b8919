"""Unlabelled rows: read as the data are, without what is judged by or has a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lighten.core.errors import DataError
from lighten.core.item import Item
from lighten.core.rows import Parts
from lighten.core.task import Task
from lighten.data.cells import count_of
from lighten.data.examples import Example
from lighten.fitting.options import FitOptions


class Unlabelled(NamedTuple):
    """Rows without labels: their items, the hash of each (see ``Rows.ids``), and a note on those that were left out;
    empty where none were."""

    items: tuple[Item, ...]
    ids: tuple[str, ...]
    note: str = ""


def unlabelled_rows(options: FitOptions, task: Task, parts: Parts) -> Unlabelled:
    """Rows of ``--unlabelled`` that stand in no part of the data, each once.

    A row that is judged by must not be learned from, and one of train has a label.

    Raises:
        DataError: they cannot be read, some are empty, or none are left.
    """
    source = options.unlabelled
    rows: Sequence[object] = task.read_inputs(source, options.of_data)
    examples = [Example(task.item_of(row, options.of_data), "", number) for number, row in enumerate(rows, 1)]
    empty = [one.number for one in examples if not one.key]
    if empty and not options.of_data.drop_empty:
        raise DataError(
            f"--unlabelled {source}: {count_of(len(empty), 'row')} of {len(examples):,} hold nothing, the first is row "
            f"{empty[0]:,}.",
            allowed="rows with an input",
            fix="leave them out of the file, or give --drop-empty",
        )
    known = {name for part in ("train", "tune", "select", "proof") for name in parts[part].ids}
    kept = {one.id: one.item for one in examples if one.key and one.id not in known}
    if not kept:
        raise DataError(
            f"--unlabelled {source} has no row that is not in {options.data} already.",
            allowed="rows of their own",
            fix="give other rows, or leave --unlabelled out",
        )
    left = len(examples) - len(kept)
    note = (
        f"{count_of(left, 'row')} of {len(examples):,} of --unlabelled {source} are empty, copies, or in "
        f"{options.data} already; they are left out."
    )
    return Unlabelled(tuple(kept.values()), tuple(kept), note if left else "")
