"""What a model is asked: the question that it was made for, how data is read for it, how a text becomes a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, ModelError
from lighten.core.matching import tasks_of
from lighten.core.recipe import task_from, task_record_of
from lighten.core.rows import Rows
from lighten.core.task import Task
from lighten.data.cells import Cell
from lighten.data.columns import text_column
from lighten.data.language import ANSWERS, CHOICES, DOCUMENTS, read_inputs, read_rows
from lighten.data.prompts import Template, cell_text, checked_choices, parse_template
from lighten.data.table import read_table

Row = str | Mapping[str, Cell]
"""A text, or the columns that a prompt shows."""


@dataclass(frozen=True)
class Question:
    """What models are asked.

    Attributes:
        task: how sessions are asked, and how their answers are judged.
        labels: names of the classes, or the choices as they were given; empty where answers are no classes.
        data: the ``[data]`` table of the recipe: prompt and columns; empty when nobody says.
        told: whether the model itself says what it was made for, not only its format.
    """

    task: Task
    labels: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    told: bool = False

    @property
    def evidence(self) -> str:
        """``documents``, ``answers`` or ``choices``; empty for a classifier."""
        return str(getattr(self.task, "evidence", ""))

    @property
    def template(self) -> Template | None:
        """The prompt; None where texts are asked as they are."""
        prompt = self.data.get("prompt")
        return parse_template(prompt) if prompt else None

    def changed(self, prompt: str | None, answer: str | None, choices: Sequence[str]) -> Question:
        """With the user's own prompt, column of answers or choices.

        Raises:
            InputError: it is a classifier that would be asked. DataError: broken templates or choices.
        """
        given = {"--prompt": prompt, "--answer": answer, "--choices": choices or None}
        named = [name for name, value in given.items() if value is not None]
        if not named:
            return self
        if not self.task.language:
            raise InputError(f"{named[0]} belongs to language models, and a classifier was given.", fix="leave it out")
        if answer is not None and choices:
            raise InputError("Both --answer and --choices were given.", fix="leave one of them out")
        record = task_record_of(self.task)
        labels = checked_choices(choices) if choices else () if answer is not None else self.labels
        if labels:
            space = parse_template(prompt).space if prompt is not None else " "
            record |= {"evidence": CHOICES, "choices": tuple(space + choice for choice in labels)}
        elif answer is not None:
            record |= {"evidence": ANSWERS, "choices": ()}
        elif record["evidence"] == DOCUMENTS:
            raise InputError("--prompt was given, but neither --answer nor --choices.", fix="say what is right")
        data = {**self.data, **({"prompt": prompt} if prompt is not None else {}), "answer": answer or ""}
        return replace(self, task=task_from(record), labels=labels, data=data)

    def rows(
        self,
        source: str | Path,
        *,
        text: str | None = None,
        label: str | None = None,
        group: str | None = None,
        unit: str | None = None,
        split_column: str | None = None,
        drop_empty: bool = False,
    ) -> tuple[Rows, tuple[str, ...]]:
        """Every row of new data as language models are asked it, with what is right; and what was noticed.

        Args:
            text, label, group, unit, split_column: columns; found by themselves where they are None.

        Raises:
            DataError, UnknownName: see ``data.language.read_rows``. InputError: nobody says which prompt to ask.
        """
        self._know_prompt()
        answer = (self.data.get("answer") or None) if self.evidence == ANSWERS else None
        if self.evidence == ANSWERS and answer is None:
            raise InputError("Nobody says which column has the right answers.", fix="give --answer COLUMN")
        return read_rows(
            source,
            prompt=None if self.evidence == DOCUMENTS else self.data.get("prompt"),
            answer=answer,
            choices=self.labels,
            text=text,
            label=label,
            group=group,
            unit=unit,
            split_column=split_column,
            drop_empty=drop_empty,
        )

    def read(self, source: str | Path, text: str | None = None) -> list[Row]:
        """Rows of data in which nothing needs to be right, for :meth:`shown`.

        Raises:
            DataError, UnknownName: the data cannot be used. InputError: nobody says which prompt to ask.
        """
        self._know_prompt()
        if not self.task.language:
            table = read_table(source)
            return [cell_text(cell) for cell in table.column(text_column(table, text))]
        rows = read_inputs(source, prompt=self.data.get("prompt"), text=text, documents=self.evidence == DOCUMENTS)
        if self.template is not None:
            return list(rows)
        return [cell_text(cell) for row in rows for cell in row.values()]

    def shown(self, row: Row) -> str:
        """What a model is asked of a row, without the examples before it: a text alone fills the prompt's one gap.

        Raises:
            InputError: the prompt has other gaps than the row has values.
        """
        template = self.template
        names = dict.fromkeys(template.fields) if template else {}
        if isinstance(row, str):
            if len(names) > 1:
                raise InputError("The prompt shows several columns, and a text was given.", fix=_example(names))
            return template.render(dict.fromkeys(names, row)) if template else row
        missing = [name for name in names if name not in row]
        if template is None or missing:
            seen = f"The prompt shows {', '.join(missing)}" if missing else "There is no prompt for columns"
            raise InputError(f"{seen}, and {', '.join(row) or 'nothing'} was given.", fix=_example(names))
        return template.render(row)

    def _know_prompt(self) -> None:
        if self.evidence in (ANSWERS, CHOICES) and not self.data:
            raise InputError(
                "The model does not say which prompt it was made for.",
                fix='give it: --prompt "{text}", or longer, just as it was when the model was made',
            )


def question_of(artifact: Artifact) -> Question:
    """The question that a model was made for; documents for a language model that does not say.

    Raises:
        ModelError: its record describes none that is known here.
    """
    record, data = artifact.meta.get("asked"), artifact.meta.get("data")
    tasks = tasks_of(artifact)
    if not tasks:
        raise ModelError(f"{artifact.path} does not say what it was made for, and nor does its format.")
    try:
        task = task_from(record or {"use": tasks[0]})
    except InputError as error:
        raise ModelError(f"{artifact.path} was made for a task that is not known here ({error.seen}).") from error
    labels = artifact.meta.get("labels") or [str(choice).strip() for choice in getattr(task, "choices", ())]
    known = {k: v for k, v in data.items() if isinstance(v, str)} if isinstance(data, dict) else {}
    chosen = getattr(task, "evidence", CHOICES) == CHOICES
    return Question(task, tuple(labels) if chosen else (), known, bool(record))


def question_for(
    models: Mapping[str, Artifact], prompt: str | None = None, answer: str | None = None, choices: Sequence[str] = ()
) -> Question:
    """One question for several models: what the last one that says it was made for, with the user's own changes.

    Args:
        models: by what the user calls them.

    Raises:
        InputError: classifiers beside language models, or language models that were made for different questions.
    """
    each = {name: question_of(artifact) for name, artifact in models.items()}
    kinds = {name: "a language model" if one.task.language else "a classifier" for name, one in each.items()}
    if len(set(kinds.values())) > 1:
        raise InputError(
            f"Two kinds of models were given: {'; '.join(f'{name} is {kind}' for name, kind in kinds.items())}.",
            allowed="models of one kind",
        )
    told = {name: one for name, one in each.items() if one.told} or each
    asked = {name: (one.evidence, one.labels) for name, one in told.items() if one.task.language}
    if len(set(asked.values())) > 1 and not (answer or choices):
        said = [f"{name} for {' or '.join(labels) or kind}" for name, (kind, labels) in asked.items()]
        raise InputError(
            f"The models were made for different questions: {'; '.join(said)}.",
            allowed="one question for all",
            fix="give models that were made for the same, or say what to ask: --choices A,B or --answer COLUMN",
        )
    return list(told.values())[-1].changed(prompt, answer, choices)


def _example(names: Mapping[str, object]) -> str:
    if len(names) < 2:
        return "give texts"
    return f"give a mapping for each row: {{{', '.join(f'{name!r}: ...' for name in names)}}}"
