"""Pairs of texts that mean the same, such as a query and its document, in four parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lighten.core.data_options import DataOptions, NewRows
from lighten.core.errors import DataError
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.data.alike import sharing
from lighten.data.cells import Table, quoted
from lighten.data.columns import Columns, find_columns
from lighten.data.examples import Example, usable
from lighten.data.header import GROUP_NAMES, LABEL_NAMES, SPLIT_NAMES, UNIT_NAMES
from lighten.data.pairs import is_worded
from lighten.data.parts import divide, rows_of
from lighten.data.prompts import cell_text
from lighten.data.table import read_table

QUERIES = ("query", "anchor", "sentence1", "sentence_1", "text1", "text_1", "question", "source", "src", "sentence",
           "text", "title")  # fmt: skip
DOCUMENTS = ("positive", "document", "doc", "passage", "sentence2", "sentence_2", "text2", "text_2", "answer",
             "context", "paragraph", "response", "target", "translation", "tgt", "description", "body",
             "abstract")  # fmt: skip
"""Usual names of both columns; the first one that is there is taken."""
_OTHER = re.compile(r"negative.*|score|similarity|label|id|index|idx|unnamed: ?\d+|.*_id", re.IGNORECASE)
"""Names of columns that are neither."""


def read_pairs(source: str | Path, options: DataOptions, target: int, *, seed: int) -> tuple[Parts, Mapping[str, str]]:
    """Pairs divided by content, and the column in each role.

    Rows that share a text, on either side, are copies (see ``alike``): they are in one part, and outside of train only
    the first of them is used, so that what is learned of a text proves nothing, and a query has one right document.

    Args:
        options: what the user says of the data. target: of every row.

    Raises:
        UnknownName: a column that is not there. DataError: no pair of columns, or data that cannot be used.
    """
    table = read_table(source)
    columns = pair_columns(table, options)
    examples, notes = _examples(table, columns, drop_empty=options.drop_empty)
    kept, about = divide(examples, table, columns, seed=seed, alike=sharing)
    rows = [rows_of(kept[name], {"": target}, columns) for name in PART_NAMES]
    return Parts(rows[0], rows[1], rows[2], rows[3], (), (*notes, *about)), columns.roles("answer")


def new_pairs(source: str | Path, options: DataOptions, target: int) -> NewRows:
    """Every pair of other data, in their order; of data with a split of its own, those of test. Of rows that share a
    text the first one. See :func:`read_pairs`."""
    table = read_table(source)
    columns = pair_columns(table, options, judging=True)
    examples, notes = _examples(table, columns, drop_empty=options.drop_empty)
    firsts = [places[0] for places in sharing(examples)]
    kept = [examples[at] for at in sorted(firsts)]
    if left := len(examples) - len(kept):
        notes = (*notes, f"{left:,} rows share a text with one before them and were left out.")
    rows: Rows = rows_of(kept, {"": target}, columns)
    return NewRows(rows, (), tuple(one.number for one in kept), notes)


def pair_columns(table: Table, options: DataOptions, *, judging: bool = False) -> Columns:
    """Columns of queries (``text``) and of documents (``label``), of group, unit and split.

    Those given, else by usual names, else the only two of words.

    Raises:
        UnknownName: a given column does not exist. DataError: none or several fit.
    """
    known = options.known
    text = options.text or (known.get("text") if known.get("text") in table.columns else None)
    answer, notes = options.answer, list[str]()
    if known and answer is not None and answer not in table.columns:
        notes.append(f"{table.source} has no column {answer!r}, which the model was made with.")
        answer = None
    if text is None or answer is None:
        text, answer = _guessed(table, text, answer)
        notes.append(f"Queries are the column {text!r}, the documents that belong to them {answer!r}.")
    table.column(answer)
    asked = text, None, options.group, options.unit, options.split_column
    found = find_columns(table, *asked, labelled=False, judging=judging, known=known)
    return replace(found, label=answer, notes=(*notes, *found.notes))


def _guessed(table: Table, text: str | None, answer: str | None) -> tuple[str, str]:
    others = {*GROUP_NAMES, *UNIT_NAMES, *SPLIT_NAMES, *LABEL_NAMES} - {"target"}
    free = [
        name
        for name in table.columns
        if name not in (text, answer) and name.casefold() not in others and not _OTHER.fullmatch(name)
    ]
    worded = [name for name in free if is_worded(table.column(name))]
    short = {re.sub(r"[ -]+", "_", name.strip().casefold()): name for name in reversed(worded)}
    query = text or next((short[name] for name in QUERIES if name in short), None)
    document = answer or next((short[name] for name in DOCUMENTS if name in short and short[name] != query), None)
    if query is not None and document is not None:
        return query, document
    left = [name for name in worded if name not in (text, answer)]
    if text is None and answer is None and len(left) == 2:
        return left[0], left[1]
    if (text is None) != (answer is None) and len(left) == 1:
        return (text, left[0]) if text is not None else (left[0], str(answer))
    listed = "; ".join(f"{name} (such as {quoted(table.column(name)[0], 40)})" for name in worded or table.columns)
    raise DataError(
        f"{table.source} does not say which two columns of text belong together: {len(worded)} hold texts.",
        allowed=listed,
        fix="name both: --text QUERIES --answer DOCUMENTS",
    )


def _examples(table: Table, columns: Columns, *, drop_empty: bool) -> tuple[list[Example], tuple[str, ...]]:
    """Rows with both texts, each with its pair as the item; and notes."""
    found = usable(table, columns, drop_empty=drop_empty)
    documents = table.column(columns.label)
    rows = [
        replace(row, item=(str(row.item), cell_text(documents[row.number - 1]).strip()), label="") for row in found.rows
    ]
    return rows, (*table.notes, *columns.notes, *found.notes)
