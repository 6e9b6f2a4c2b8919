"""Data of language models: documents, prompts with an answer, or prompts with choices, in four parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from lighten.core.errors import DataError
from lighten.core.progress import remark
from lighten.core.rows import PART_NAMES, Parts, Rows
from lighten.data.cells import Cell, Table, count_of, some_numbers
from lighten.data.columns import NO_COLUMNS, Columns, find_columns, text_column
from lighten.data.documents import long_enough, read_documents
from lighten.data.examples import Example, UsableRows, usable
from lighten.data.parts import divide, rows_of
from lighten.data.prompts import (
    Template,
    cell_text,
    checked_choices,
    drawn_shots,
    parse_template,
    prefix_of,
    with_choices,
)
from lighten.data.table import read_table

DOCUMENTS, ANSWERS, CHOICES = "documents", "answers", "choices"
"""Kinds of evidence, as the task text_generation calls them."""


FRACTIONS: Mapping[str, float] = {"train": 0.76, "tune": 0.04, "select": 0.07, "proof": 0.13}
"""Shares of the parts for documents: each carries hundreds of judgements, and all of them take long to score."""
FEWER: Sequence[Mapping[str, float]] = (
    {"train": 0.68, "tune": 0.04, "select": 0.08, "proof": 0.20},
    {"train": 0.56, "tune": 0.05, "select": 0.09, "proof": 0.30},
)
"""Shares for documents that are so few that the proof part would be too small for any verdict."""


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What is asked of a language model, and on which data.

    Attributes:
        parts: inputs are documents, or prompts without the examples before them. Targets are choices by number, else
            0; references are the right answers; labels are the choices as the user wrote them.
        task: settings of the task: ``evidence``, ``choices`` as they follow the prompt, and ``prefix``, the examples.
        columns: the column in each role that is in use: ``text`` (the first that the prompt shows), ``answer`` or
            ``label``, ``group``, ``unit``.
    """

    parts: Parts
    task: Mapping[str, str | tuple[str, ...]]
    columns: Mapping[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed, one sentence each."""
        return self.parts.notes


def read_language(
    source: str | Path,
    *,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] = (),
    shots: int = 0,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    split_column: str | None = None,
    drop_empty: bool = False,
    seed: int = 0,
    known: Mapping[str, str] = NO_COLUMNS,
) -> LanguageData:
    """Read and divide the user's data as :func:`lighten.data.parts.split` does: by the user's own split, else content.

    The part of a prompt follows from the columns it shows, not from its wording: another wording, or a classifier on
    the same column, has the same proof rows.

    Args:
        source: see :func:`read_documents`, and :func:`read_table` where there is a prompt.
        prompt: template with columns in braces; the text column alone when None.
        answer: column of the right answers.
        choices: texts to choose from; the label column holds one of them, up to case and spacing.
        shots: examples from train before every prompt, balanced over the choices.
        split_column: column with train, validation, test; found by itself when None; ``none`` to mix them.
        drop_empty: leave rows without text, answer or label, and documents too short, out and count them.
        known: columns by role that a model was made with, see :func:`find_columns`.

    Raises:
        UnknownName: a column that is not there.
        DataError: options that do not fit together, broken templates or choices, or data that cannot be used.
    """
    _check_options(prompt, answer, choices, shots, label)
    if answer is None and not choices:
        table, columns, examples = _documents(source, text, group, unit, split_column, drop_empty, known=known)
        kept, notes = _divided_documents(examples.rows, table, columns, seed)
        rows = [rows_of(kept[name], {"": 0}, columns) for name in PART_NAMES]
        parts = Parts(rows[0], rows[1], rows[2], rows[3], (), (*table.notes, *columns.notes, *examples.notes, *notes))
        task: dict[str, str | tuple[str, ...]] = {"evidence": DOCUMENTS, "choices": (), "prefix": ""}
        return LanguageData(parts, MappingProxyType(task), MappingProxyType(columns.roles()))
    asked = _prompts(source, prompt, answer, choices, text, label, group, unit, split_column, known=known)
    return asked.divided(shots, seed, drop_empty)


def _divided_documents(
    rows: Sequence[Example], table: Table, columns: Columns, seed: int
) -> tuple[dict[str, list[Example]], tuple[str, ...]]:
    """The parts of documents: the proof takes more where they are few, so that a verdict is possible at all."""
    from lighten.proof.bootstrap import LEAST_UNITS

    kept, notes = divide(rows, table, columns, seed=seed, fractions=FRACTIONS)
    usual = proved = _independent(kept["proof"])
    for fractions in FEWER:
        if proved >= LEAST_UNITS:
            break
        kept, notes = divide(rows, table, columns, seed=seed, fractions=fractions)
        proved = _independent(kept["proof"])
    if proved > usual:
        about = f"{count_of(len(rows), 'document is', 'documents are')} few: {proved} of them are the proof instead of"
        notes = (*notes, f"{about} {usual}, since on fewer than {LEAST_UNITS} no verdict is given.")
    return kept, notes


def _independent(rows: Sequence[Example]) -> int:
    """Independent documents, or units of them."""
    return len({row.unit or row.id for row in rows})


def read_rows(
    source: str | Path,
    *,
    prompt: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] = (),
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    split_column: str | None = None,
    drop_empty: bool = False,
    known: Mapping[str, str] = NO_COLUMNS,
) -> tuple[Rows, tuple[str, ...]]:
    """Every row of new data, asked as :func:`read_language` asks, in the table's order; and what was noticed.

    Nothing is divided, but of data with a split of its own only the test rows are taken. No row stands as an example
    before the others: what was put before every prompt when a model was made is a setting of its task.

    Raises:
        UnknownName, DataError: see :func:`read_language`.
    """
    _check_options(prompt, answer, choices, 0, label)
    if answer is None and not choices:
        table, columns, examples = _documents(
            source, text, group, unit, split_column, drop_empty, judging=True, known=known
        )
        rows = rows_of(examples.rows, {"": 0}, columns)
        return rows, (*table.notes, *columns.notes, *examples.notes)
    asked = _prompts(source, prompt, answer, choices, text, label, group, unit, split_column, judging=True, known=known)
    kept, notes = asked.examples(drop_empty)
    return asked.rows(kept), tuple(notes)


def read_inputs(
    source: str | Path,
    *,
    prompt: str | None = None,
    text: str | None = None,
    documents: bool = True,
    known: Mapping[str, str] = NO_COLUMNS,
) -> tuple[Mapping[str, Cell], ...]:
    """Rows of data in which nothing needs to be right: by name, the columns that are shown of each row, in order.

    Args:
        prompt: template; its columns are taken. ``text``, when given, stands for the one column of the template.
        documents: read whole documents, as :func:`read_documents` does; else rows of a table.
        known: columns by role that a model was made with: its texts are read where the data have them.

    Raises:
        UnknownName: a column that is not there. DataError: the data or the template cannot be used.
    """
    table = read_documents(source) if documents else read_table(source, labelled=False)
    template = parse_template(prompt) if prompt is not None else None
    fields = tuple(dict.fromkeys(template.fields)) if template else ()
    if text is not None and len(fields) > 1:
        raise DataError(f"--text {text} cannot fill a prompt that shows {', '.join(fields)}.", fix="leave it out")
    if template is not None and text is None:
        template.check(table.columns)
        names = dict(zip(fields, fields, strict=True))
    else:
        found = text or _only_column(table)
        if found is None:
            found, notes = text_column(table, known=known, paired=documents)
            for note in notes:
                remark(note)
        names = {fields[0] if fields else found: found}
    cells = [table.column(name) for name in names.values()]
    return tuple(dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True))


def _only_column(table: Table) -> str | None:
    """The one column that a table of documents has, beside the names of their files."""
    only = len(table.columns) == 1 or (set(table.columns) <= {"text", "file", "split"} and "text" in table.columns)
    return next(iter(table.columns)) if only else None


def _documents(
    source: str | Path,
    text: str | None,
    group: str | None,
    unit: str | None,
    split_column: str | None,
    drop_empty: bool,
    *,
    judging: bool = False,
    known: Mapping[str, str] = NO_COLUMNS,
) -> tuple[Table, Columns, UsableRows]:
    def columns_of(table: Table, text: str | None) -> Columns:
        roles = (text, None, group, unit, split_column)
        return find_columns(table, *roles, labelled=False, judging=judging, known=known)

    table = read_documents(source)
    columns = columns_of(table, text or _only_column(table))
    if (kept := long_enough(table, columns.text, drop=drop_empty)) is not table:
        table, columns = kept, columns_of(kept, columns.text)
    return table, columns, usable(table, columns, drop_empty=drop_empty)


def _prompts(
    source: str | Path,
    prompt: str | None,
    answer: str | None,
    choices: Sequence[str],
    text: str | None,
    label: str | None,
    group: str | None,
    unit: str | None,
    split_column: str | None,
    *,
    judging: bool = False,
    known: Mapping[str, str] = NO_COLUMNS,
) -> _Asked:
    kept = checked_choices(choices) if choices else ()
    table = read_table(source)
    template = parse_template(prompt) if prompt is not None else None
    right = label if kept else answer
    columns = _prompt_columns(table, template, text, right, group, unit, split_column, judging, known)
    return _Asked(table, template or Template(("", ""), (columns.text,)), columns, kept)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A table of prompts. ``columns.label`` is the column of answers, or of labels when there are choices."""

    table: Table
    template: Template
    columns: Columns
    choices: tuple[str, ...]

    def examples(self, drop_empty: bool) -> tuple[tuple[Example, ...], list[str]]:
        """Rows that can be used, labelled as the choices are written; and notes."""
        table, columns = self._shown()
        examples = usable(table, columns, drop_empty=drop_empty)
        rows, notes = examples.rows, [*table.notes, *columns.notes, *examples.notes]
        if self.choices:
            rows, about = with_choices(rows, self.choices, columns.label, table.source)
            notes += about
        else:
            notes += self._about_answers(rows)
        return tuple(rows), notes

    def divided(self, shots: int, seed: int, drop_empty: bool) -> LanguageData:
        rows, notes = self.examples(drop_empty)
        kept, copies = divide(rows, self.table, self.columns, seed=seed)
        notes += copies
        pool = [(row.label if self.choices else "", self._shot(row)) for row in kept["train"]]
        prefix = prefix_of(drawn_shots(pool, shots, seed=seed))
        if shots:
            notes.append(
                f"{count_of(shots, 'example')} of train, {len(prefix):,} characters, stand before each prompt."
            )
        made = [self.rows(kept[name]) for name in PART_NAMES]
        task: dict[str, str | tuple[str, ...]] = {
            "evidence": CHOICES if self.choices else ANSWERS,
            "choices": tuple(self.template.space + choice for choice in self.choices),
            "prefix": prefix,
        }
        parts = Parts(made[0], made[1], made[2], made[3], self.choices, tuple(notes))
        role = "label" if self.choices else "answer"
        return LanguageData(parts, MappingProxyType(task), MappingProxyType(self.columns.roles(role)))

    def _shown(self) -> tuple[Table, Columns]:
        """The table with one column of what the prompt shows of each row, which decides the row's part."""
        fields = sorted(set(self.template.fields), key=list(self.table.columns).index)
        if len(fields) == 1:
            return self.table, replace(self.columns, text=fields[0])
        cells = list(zip(*(self.table.column(name) for name in fields), strict=True))
        missing = [at for at, row in enumerate(cells, 1) if 0 < sum(not cell_text(c).strip() for c in row) < len(row)]
        notes = self.table.notes
        if missing:
            found = f"{count_of(len(missing), 'row lacks', 'rows lack')} some of {', '.join(fields)}"
            notes = (*notes, f"{found} (row {some_numbers(missing)}); the prompt has nothing in their place.")
        joined = tuple("\n".join(map(cell_text, row)) for row in cells)
        name = " and ".join(fields)
        return Table({**self.table.columns, name: joined}, self.table.source, notes), replace(self.columns, text=name)

    def _rendered(self, row: Example) -> str:
        names = set(self.template.fields)
        return self.template.render({name: self.table.column(name)[row.number - 1] for name in names})

    def _right(self, row: Example) -> str:
        """The text that is the right answer, as the data spells it, or the right choice."""
        if self.choices:
            return row.label
        return cell_text(self.table.column(self.columns.label)[row.number - 1]).strip()

    def _shot(self, row: Example) -> str:
        return self._rendered(row) + self.template.space + self._right(row)

    def rows(self, kept: Sequence[Example]) -> Rows:
        """What is asked of each example, with what is right."""
        index = {choice: number for number, choice in enumerate(self.choices)}
        rows = rows_of(kept, index or dict.fromkeys((row.label for row in kept), 0), self.columns)
        references = () if self.choices else tuple(map(self._right, kept))
        return replace(rows, inputs=tuple(map(self._rendered, kept)), references=references)

    def _about_answers(self, rows: Sequence[Example]) -> list[str]:
        broken = [row.number for row in rows if "\n" in self._right(row)]
        if not broken:
            return []
        found = f"{count_of(len(broken), 'answer has', 'answers have')} several lines (row {some_numbers(broken)})"
        return [f"{found}; a model's answer ends with its first line unless the task says otherwise."]


def _check_options(
    prompt: str | None, answer: str | None, choices: Sequence[str], shots: int, label: str | None
) -> None:
    """Refuse options that do not fit together."""
    allowed = "nothing (documents), --answer COLUMN, or --choices A,B,... with a label column"
    if answer is not None and choices:
        raise DataError("Both --answer and --choices were given.", allowed=allowed, fix="leave one of them out")
    if answer is not None and label is not None:
        raise DataError("Both --answer and --label were given.", allowed=allowed, fix="--answer is the column's option")
    if answer is None and not choices:
        for option, given in {"--prompt": prompt, "--shots": shots or None, "--label": label}.items():
            if given is not None:
                raise DataError(
                    f"{option} was given, but neither --answer nor --choices.",
                    allowed=allowed,
                    fix=f"say what is right, or leave {option} out and the rows are taken as documents",
                )


def _prompt_columns(
    table: Table,
    template: Template | None,
    text: str | None,
    label: str | None,
    group: str | None,
    unit: str | None,
    split_column: str | None,
    judging: bool,
    known: Mapping[str, str],
) -> Columns:
    """Columns of label (or answer), group and unit; the text is one that the prompt shows."""
    if template is None:
        return find_columns(table, text, label, group, unit, split_column, judging=judging, known=known)
    template.check(table.columns)
    if text is not None and text not in template.fields:
        raise DataError(f"--text is {text!r}, which the prompt does not show.", fix=f"put {{{text}}} into the prompt")
    shown = [name for name in template.fields if name not in (label, group, unit)]
    columns = find_columns(
        table,
        text or (shown or template.fields)[0],
        label,
        group,
        unit,
        split_column,
        judging=judging,
        known=known,
    )
    if columns.label in template.fields:
        raise DataError(
            f"The prompt shows {{{columns.label}}}, which is the column of the right answers.",
            allowed=", ".join(f"{{{name}}}" for name in table.columns if name != columns.label),
            fix="leave it out of the prompt, or name another column with --answer or --label",
        )
    return columns
