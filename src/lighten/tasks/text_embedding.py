"""Text embedding: a vector of each text, near those of texts that mean the same, as search and grouping want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.data_options import DataOptions, NewRows
from lighten.core.errors import InputError
from lighten.core.item import parted
from lighten.core.prediction import Prediction
from lighten.core.progress import remark
from lighten.core.rows import Rows
from lighten.core.session import Session
from lighten.core.task import Data, Task, check_options
from lighten.tasks._retrieval import OWN, PairedSession, documents_of, nearness, of_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SCALE = 20.0
"""What cosines are multiplied with before one of them is chosen, as in sentence-transformers."""
FAR = -1e4
"""Logit of a text beside itself."""


@dataclass(frozen=True)
class TextEmbedding(Task):
    """A vector of each text. Rows are pairs: a query and its document, a sentence and its translation.

    A row is right when its document is the nearest to its query, by cosine, among the documents of a pool of up to 100
    rows; a document that is as near makes it wrong. Original and candidate have the same pools.
    """

    options: ClassVar[tuple[str, ...]] = ("answer", "longest")
    models: ClassVar[str] = "an encoder that makes vectors"
    embeds: ClassVar[bool] = True
    together: ClassVar[int] = 2

    @property
    def metrics(self) -> tuple[str, ...]:
        """See :meth:`Task.metrics`."""
        return ("accuracy", "worst_group", "flips")

    def read(self, source: str | Path, options: DataOptions, *, seed: int) -> Data:
        """See :meth:`Task.read`: one row per pair."""
        from lighten.data.text_pairs import read_pairs

        check_options(self, options, f"a task of {self.models}")
        _refuse_label(options)
        parts, columns = read_pairs(source, options, OWN, seed=seed)
        return Data(self, parts, columns)

    def read_new(self, source: str | Path, options: DataOptions, labels: Sequence[str]) -> NewRows:
        """See :meth:`Task.read_new`."""
        from lighten.data.text_pairs import new_pairs

        _refuse_label(options)
        return new_pairs(source, options, OWN)

    def read_inputs(self, source: str | Path | Sequence[str], options: DataOptions) -> Sequence[Any]:
        """See :meth:`Task.read_inputs`: the column of texts."""
        from lighten.data.columns import text_column
        from lighten.data.prompts import cell_text
        from lighten.data.table import read_table

        table = read_table(source, labelled=False)
        name, notes = text_column(table, options.text, known=options.known, paired=True)
        for note in (*table.notes, *notes):
            remark(note)
        return list(map(cell_text, table.column(name)))

    def columns(self, labels: int) -> int | None:
        """See :meth:`Task.columns`: the model decides how long its vectors are."""
        return None

    def singles(self, rows: Rows) -> Rows:
        """See :meth:`Task.singles`: query and document one after another; targets are the numbers of pairs."""

        def twice(column: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(value for value in column for _ in range(2))

        if not any(isinstance(item, tuple) for item in rows.inputs):
            return rows
        every = twice(tuple(range(len(rows))))
        return Rows(tuple(parted(rows.inputs)), every, twice(rows.groups), twice(rows.units), twice(rows.ids))

    def wrap(self, session: Session) -> Session:
        """See :meth:`Task.wrap`: it takes pairs, too."""
        return PairedSession(session)

    def judged(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """See :meth:`Task.judged`: cosines with the documents of each row's pool."""
        return nearness(*of_pairs(outputs, rows))

    def named(self, labels: Sequence[str], rows: Rows) -> Sequence[Sequence[str]] | None:
        """See :meth:`Task.named`: documents."""
        return documents_of(rows.inputs)

    def predict(self, session: Session, inputs: Sequence[Any], labels: Sequence[str]) -> list[Prediction]:
        """See :meth:`Task.predict`: the vector of each text, and how many tokens it was made of."""
        vectors, sizes = session.run(inputs), session.sizes(inputs)
        return [Prediction(vector=vector, size=size) for vector, size in zip(vectors, sizes, strict=True)]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross entropy in nats of choosing a text's partner among all others of the batch by scaled cosine (van
        den Oord et al. 2018). logits: [batch, size] vectors; targets: [batch] int64, one number for each pair. Texts
        without their partner are only chosen from."""
        from torch.nn.functional import cross_entropy

        cosines, itself = _cosines(logits)
        partner = (targets[:, None] == targets) & ~itself
        rows = partner.any(1)
        if not bool(rows.any()):
            return cosines.sum() * 0.0
        return cross_entropy(cosines[rows], partner[rows].int().argmax(1))

    def evenly(self, logits: Tensor, targets: Tensor) -> Tensor:
        """See :meth:`Task.evenly`: against every other text of the batch alike."""
        cosines, itself = _cosines(logits)
        return -cosines.log_softmax(-1).masked_fill(itself, 0.0).sum(-1).mean() / max(len(logits) - 1, 1)

    def distance(self, logits: Tensor, teacher: Tensor) -> Tensor:
        """Mean squared distance of the vectors, each 1 long: 2 - 2 cosine. logits, teacher: [batch, size]."""
        from torch.nn.functional import normalize

        apart = normalize(logits.float(), dim=-1) - normalize(teacher.float(), dim=-1)
        return apart.square().sum(-1).mean()

    def divergence(self, logits: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
        """The distance: vectors are no distributions. logits, teacher: [batch, size]."""
        return self.distance(logits, teacher)

    def right(self, outputs: NDArray[Any], rows: Rows) -> NDArray[Any]:
        """Whether each row's own document is the nearest one. outputs: [n, 2 size] of pairs, or [n, size] of singles,
        of which a text is right where its pair is. Returns [n] bool."""
        vectors, pairs = of_pairs(outputs, rows)
        found = nearness(vectors, pairs).argmax(1) == OWN
        return np.repeat(found, len(rows) // max(len(pairs), 1))


def _cosines(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled cosines of every two vectors of a batch, [batch, batch], with ``FAR`` for each beside itself; and where
    that is, [batch, batch] bool."""
    import torch
    from torch.nn.functional import normalize

    units = normalize(vectors.float(), dim=-1)
    itself = torch.eye(len(units), dtype=torch.bool)
    return (SCALE * units @ units.T).masked_fill(itself, FAR), itself


def _refuse_label(options: DataOptions) -> None:
    if options.label is not None:
        raise InputError(
            f"--label {options.label} was given, and pairs of texts have no labels.",
            allowed="--text for queries, --answer for the documents that belong to them",
            fix=f"--answer {options.label}, if that column holds the documents",
        )
