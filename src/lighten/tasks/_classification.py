"""What tasks have in common that give each input exactly one class, whatever an input is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.data_options import DataOptions, NewRows
from lighten.core.prediction import Prediction
from lighten.core.progress import remark
from lighten.core.rows import Rows
from lighten.core.session import Session
from lighten.core.task import Data, Task, check_options
from lighten.tasks._heads import columns_of, evenly, joined, most_frequent_of_each, own_logits, own_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from lighten.data.cells import Cell, Table
    from lighten.data.columns import Columns


WHOLE = ("longest",)
"""What is said of data that holds for all of several tasks."""


@dataclass(frozen=True)
class Classification(Task):
    """Exactly one class per input; the answer is the class with the largest logit.

    Of several tasks at once (see ``data.several``) an input has one class of each; a row asks for that of one task.

    Attributes:
        heads: of each class the number of its task; empty where there is one task only.
    """

    heads: tuple[int, ...] = ()

    options: ClassVar[tuple[str, ...]] = ("labels", "merge_labels", "drop_rare")
    models: ClassVar[str] = "a classifier"
    settles_classes: ClassVar[bool] = True

    @property
    def metrics(self) -> tuple[str, ...]:
        """See :meth:`Task.metrics`."""
        return ("accuracy", "macro_f1", "worst_group", "log_loss", "brier", "calibration_error", "flips")

    @property
    def problem_type(self) -> str:
        """See :meth:`Task.problem_type`: none where there are several tasks, each with classes of its own."""
        return "" if self.heads else "single_label_classification"

    def read(self, source: str | Path, options: DataOptions, *, seed: int) -> Data:
        """See :meth:`Task.read`: one row per input, with its label."""
        from lighten.data.parts import split
        from lighten.data.several import heads_of, joined_parts, sections_in
        from lighten.data.table import read_table

        check_options(self, options, f"a task of {self.models}")
        if sections := sections_in(source, options, WHOLE):
            each = {
                one.name: replace(self, heads=()).read(one.source, one.options, seed=seed).parts for one in sections
            }
            return Data(replace(self, heads=heads_of(each)), joined_parts(each), {})
        table = read_table(source)
        columns = self._columns(table, options)
        parts = split(
            table,
            columns,
            seed=seed,
            drop_empty=options.drop_empty,
            merge_labels=options.merge_labels,
            drop_rare=options.drop_rare,
        )
        return Data(self, parts, columns.roles())

    def _columns(self, table: Table, options: DataOptions, *, judging: bool = False) -> Columns:
        """Which columns of a table are read, as the options say."""
        from lighten.data.columns import find_columns

        asked = options.text, options.label, options.group, options.unit, options.split_column
        return find_columns(table, *asked, kind=self.kind, judging=judging, known=options.known)

    def takes(self, source: str | Path) -> bool:
        """See :meth:`Task.takes`: files of its kind, or no files at all."""
        from lighten.data.items import kinds_in
        from lighten.data.several import sections_in
        from lighten.data.table import read_table

        sections = sections_in(source)
        found = kinds_in(read_table(sections[0].source if sections else source))
        return self.kind in found if found else not self.kind

    def read_new(self, source: str | Path, options: DataOptions, labels: Sequence[str]) -> NewRows:
        """See :meth:`Task.read_new`: the labels are the data's own; which class each is, is for others to say."""
        from lighten.data.parts import new_rows
        from lighten.data.several import joined_new, sections_in
        from lighten.data.table import read_table

        if sections := sections_in(source, options, WHOLE):
            return joined_new({one.name: self.read_new(one.source, one.options, labels) for one in sections})
        table = read_table(source)
        columns = self._columns(table, options, judging=True)
        return new_rows(table, columns, drop_empty=options.drop_empty)

    def read_inputs(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """See :meth:`Task.read_inputs`: the column of inputs."""
        from lighten.data.references import opened_items
        from lighten.data.several import sections_in

        if sections := sections_in(source, options, WHOLE):
            return [row for one in sections for row in self.read_inputs(one.source, one.options)]
        table, cells = self._asked(source, options)
        return opened_items(cells, self.kind, table.source) if self.kind else cells

    def unopened(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """See :meth:`Task.unopened`: names of files where inputs are files."""
        from lighten.data.references import unopened_items
        from lighten.data.several import sections_in

        if sections := sections_in(source, options, WHOLE):
            return [row for one in sections for row in self.unopened(one.source, one.options)]
        _, cells = self._asked(source, options)
        return unopened_items(cells, self.kind) if self.kind else cells

    def _asked(self, source: str | Path | Sequence[str], options: DataOptions) -> tuple[Table, Sequence[Cell]]:
        """The table, and the cells of its inputs: texts, and what refers to files, as it stands there."""
        from lighten.data.columns import text_column
        from lighten.data.prompts import cell_text
        from lighten.data.table import read_table

        table = read_table(source, labelled=False)
        name, notes = text_column(table, options.text, self.kind, known=options.known)
        for note in (*table.notes, *notes):
            remark(note)
        cells = table.column(name)
        return table, cells if self.kind else list(map(cell_text, cells))

    def item_of(self, row: Any, options: DataOptions) -> Any:
        """See :meth:`Task.item_of`: a text is the path of a file where inputs are files."""
        if self.kind and isinstance(row, str | PurePath):
            from lighten.data.references import item_at

            return item_at(row if isinstance(row, str) else str(row), self.kind)
        return super().item_of(row, options)

    def predict(self, session: Session, inputs: Sequence[Any], labels: Sequence[str]) -> list[Prediction]:
        """See :meth:`Task.predict`: the likeliest class, and the probability of each; of several tasks, of each one."""
        outputs = session.run(inputs)
        if not self.heads:
            return chosen(outputs, labels)
        every = columns_of(self.heads)
        return joined([chosen(outputs[:, columns], [labels[column] for column in columns]) for columns in every])

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy in nats, among the classes of the row's own task. logits: [batch, classes]; targets:
        [batch] int64."""
        from torch.nn.functional import cross_entropy

        logits = logits.float()
        return cross_entropy(own_logits(logits, targets, self.heads) if self.heads else logits, targets)

    def evenly(self, logits: Tensor, targets: Tensor) -> Tensor:
        """See :meth:`Task.evenly`: among the classes of the row's own task."""
        return evenly(logits.float(), targets, self.heads) if self.heads else super().evenly(logits, targets)

    def judged(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """See :meth:`Task.judged`: classes of other tasks than the row's are left out of its answer."""
        return own_outputs(outputs, rows.targets, self.heads) if self.heads else outputs

    @property
    def ordered(self) -> bool:
        """See :meth:`Task.ordered`: where there are several tasks."""
        return bool(self.heads)

    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Mean squared error of the logits (Ba and Caruana 2014). logits, teacher: [batch, classes]."""
        from torch.nn.functional import mse_loss

        return mse_loss(logits.float(), teacher.float())

    def divergence(self, logits: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
        """See :meth:`Task.divergence`: of several tasks, the mean of each one's, as a teacher answers all of them."""
        if not self.heads:
            return super().divergence(logits, teacher, temperature)
        every = columns_of(self.heads)
        parts = [super(Classification, self).divergence(logits[:, own], teacher[:, own], temperature) for own in every]
        return sum(parts[1:], parts[0]) / len(parts)

    def constant(self, learned: Rows, rows: Rows, labels: Sequence[str]) -> tuple[str, NDArray[Any]] | None:
        """See :meth:`Task.constant`: the class that most rows have; of several tasks, of each one."""
        if not learned.targets:
            return None
        if not self.heads:
            return most_frequent(learned, rows, labels)
        most = most_frequent_of_each(learned.targets, self.heads)
        outputs = np.zeros((len(rows), len(labels)))
        outputs[:, most] = 1.0
        return ", ".join(labels[column] for column in most), self.judged(outputs, rows)

    def right(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Whether the largest logit of the row's own task is the target's. outputs: [n, classes]. Returns [n] bool."""
        if len(outputs) != len(rows):
            raise ValueError(f"{len(outputs)} outputs for {len(rows)} rows")
        return largest_is_right(self.judged(outputs, rows), rows)


def chosen(outputs: NDArray[Any], labels: Sequence[str]) -> list[Prediction]:
    """The likeliest class of each row with the probability of every one. outputs: [n, classes] logits."""
    outputs = outputs.astype(np.float64)
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    return [Prediction(labels[int(row.argmax())], dict(zip(labels, map(float, row), strict=True))) for row in shares]


def most_frequent(learned: Rows, rows: Rows, labels: Sequence[str]) -> tuple[str, NDArray[Any]]:
    """The class that most of ``learned`` have, and it for every one of ``rows``: [n, classes]."""
    most = Counter(learned.targets).most_common(1)[0][0]
    return labels[most], np.tile(np.eye(len(labels))[most], (len(rows), 1))


def largest_is_right(outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """Whether the largest output is the target's. outputs: [n, classes]. Returns [n] bool."""
    found: NDArray[Any] = np.argmax(outputs, axis=1) == np.asarray(rows.targets, dtype=np.int64)
    return found
