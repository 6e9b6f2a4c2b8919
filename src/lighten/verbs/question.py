"""What a model is asked: the question that it was made for, how data is read for it, how a row becomes an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePath

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions, NewRows, columns_in
from lighten.core.errors import InputError, ModelError
from lighten.core.item import Item
from lighten.core.matching import tasks_of
from lighten.core.progress import remark
from lighten.core.recipe import task_from
from lighten.core.task import Task
from lighten.data.cells import Cell

Row = Item | PurePath | Mapping[str, Cell]
"""An item, the path of a file that is one, or the columns that a prompt shows."""


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

    @cached_property
    def options(self) -> DataOptions:
        """What is known of the prompt and of the columns."""
        said = DataOptions(prompt=self.data.get("prompt") or None, answer=self.data.get("answer") or None)
        return said.beside(self.columns)

    @property
    def columns(self) -> dict[str, str]:
        """Columns by role that the model was made with; empty where nobody says."""
        return columns_in(self.data)

    def changed(self, prompt: str | None, answer: str | None, choices: Sequence[str]) -> Question:
        """With the user's own prompt, column of answers or choices.

        Raises:
            InputError: the task takes none of them. DataError: broken templates or choices.
        """
        given = DataOptions(prompt=prompt, answer=answer, choices=tuple(choices))
        if given == DataOptions():
            return self
        task, labels = self.task.adapt(given, self.labels)
        data = {**self.data, **({"prompt": prompt} if prompt is not None else {}), "answer": answer or ""}
        return replace(self, task=task, labels=labels, data=data)

    def read_new(self, source: str | Path, options: DataOptions) -> NewRows:
        """Every row of new data with what is right.

        Args:
            options: columns; where they are not named, those that the model was made with, else found by themselves.

        Raises:
            DataError, UnknownName: the data cannot be used. InputError: nobody says which prompt to ask.
        """
        self._know_prompt()
        known = self.options
        asked = replace(options, prompt=known.prompt, answer=known.answer).beside(self.columns)
        return self.task.read_new(source, asked, self.labels)

    def read(self, source: str | Path | Sequence[str], text: str | None = None) -> list[Row]:
        """Rows of data in which nothing needs to be right, for :meth:`item_of`.

        Which column is read where none is named, and why, is heard inside ``core.progress.remarks_to``.

        Raises:
            DataError, UnknownName: the data cannot be used. InputError: nobody says which prompt to ask.
        """
        self._know_prompt()
        return list(self.task.read_inputs(source, replace(self.options, text=text)))

    def unopened(self, source: str | Path | Sequence[str], text: str | None = None) -> list[Row]:
        """The same rows, of which no file was opened yet.

        Raises:
            DataError, UnknownName: the data cannot be used. InputError: nobody says which prompt to ask.
        """
        self._know_prompt()
        return list(self.task.unopened(source, replace(self.options, text=text)))

    def item_of(self, row: Row) -> Item:
        """What a model is asked of a row, without the examples before it.

        Raises:
            InputError: it does not fit the prompt.
        """
        item: Item = self.task.item_of(row, self.options)
        return item

    def _know_prompt(self) -> None:
        if self.task.needs_prompt and not self.data:
            raise InputError(
                "The model does not say which prompt it was made for.",
                fix='give it: --prompt "{text}", or longer, just as it was when the model was made',
            )


def holds_nothing(row: Row) -> bool:
    """Whether there is nothing in a row that could be asked."""
    cells = row.values() if isinstance(row, Mapping) else (row,)
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def question_of(artifact: Artifact) -> Question:
    """The question that a model was made for; for one that does not say, what its format is for.

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
    known = {k: v for k, v in data.items() if isinstance(v, str)} if isinstance(data, dict) else {}
    return Question(task, task.labels_of(artifact.meta.get("labels") or ()), known, bool(record))


def question_for(
    models: Mapping[str, Artifact], prompt: str | None = None, answer: str | None = None, choices: Sequence[str] = ()
) -> Question:
    """One question for several models: what the last one that says it was made for, with the user's own changes.

    Args:
        models: by what the user calls them.

    Raises:
        InputError: models for different tasks, or such as were made for different questions.
    """
    each = {name: question_of(artifact) for name, artifact in models.items()}
    if len({catalog.name_of(one.task) for one in each.values()}) > 1:
        kinds = "; ".join(f"{name} is {one.task.models}" for name, one in each.items())
        raise InputError(f"Two kinds of models were given: {kinds}.", allowed="models of one kind")
    told = {name: one for name, one in each.items() if one.told} or each
    asked = {name: (tuple(one.task.facts.values()), one.labels) for name, one in told.items() if one.task.facts}
    if len(set(asked.values())) > 1 and not (answer or choices):
        said = [f"{name} for {' or '.join(labels or facts)}" for name, (facts, labels) in asked.items()]
        raise InputError(
            f"The models were made for different questions: {'; '.join(said)}.",
            allowed="one question for all",
            fix="give models that were made for the same, or say what to ask: --choices A,B or --answer COLUMN",
        )
    last = list(told.values())[-1]
    return replace(last, data={**_columns_of(told), **last.data}).changed(prompt, answer, choices)


def _columns_of(told: Mapping[str, Question]) -> dict[str, str]:
    """Columns by role of all models, of the last that says it; where they read other texts, that is said."""
    read = {name: one.columns["text"] for name, one in told.items() if "text" in one.columns}
    if len(set(read.values())) > 1:
        each = ", ".join(f"{name} with {column!r}" for name, column in read.items())
        remark(f"The models were made with different columns of texts: {each}. The last one is read (or give --text).")
    return {role: name for one in told.values() for role, name in one.columns.items()}
