"""What two models answer to the same rows, none of which either learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.engine import Engine
from lighten.core.progress import Progress
from lighten.core.rows import Rows
from lighten.data.learned import learned_in, unseen
from lighten.data.parts import encode
from lighten.isolate.machine import allowed_cores
from lighten.search.openings import opened_before
from lighten.sessions.process import SessionProcess, telling
from lighten.store.ledger import earlier_openings, record_opening
from lighten.verbs.classes import check_guess, shared_classes
from lighten.verbs.load import unread
from lighten.verbs.question import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Heard:
    """What both models answer to the rows that are compared.

    Attributes:
        before, after: [n, columns], of the original and of the candidate. labels: names of classes or choices.
    """

    rows: Rows
    before: NDArray[Any]
    after: NDArray[Any]
    labels: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Pairing:
    """What two models are asked.

    Attributes:
        sides: the original and the candidate, each with its engine. named: by what the user calls them.
        told: which class of the original each label is, as the user says.
        leave_out: go on even when most rows are such as a model learned from.
    """

    data: str
    sides: Sequence[tuple[Artifact, Engine]]
    named: Mapping[str, Artifact]
    question: Question
    told: Sequence[str]
    leave_out: bool
    threads: int
    progress: Progress | None

    def heard(self, options: DataOptions) -> Heard:
        """What both answer to every row that neither learned from."""
        return self._classes(options) if self.question.task.settles_classes else self._rows(options)

    def _rows(self, options: DataOptions) -> Heard:
        new = self.question.read_new(self.data, options)
        rows, notes = self._unlearned(new.rows)
        before, after = (self.question.task.judged(self._answers(side, rows), rows) for side in self.sides)
        return Heard(rows, before, after, self.question.labels, (*new.notes, *notes))

    def _classes(self, options: DataOptions) -> Heard:
        """Of models with classes of their own, both by the original's."""
        names = list(self.named)
        shared = shared_classes([(names[0], self.sides[0][0]), (names[-1], self.sides[1][0])])
        new = self.question.read_new(self.data, options)
        rows, classes = encode(new, shared.names, self.told, shared.known, model=names[0])
        rows, notes = self._unlearned(rows)
        about = [*unread(self.named, rows.inputs), shared.note, classes.note]
        judged = self.question.task.judged
        before = judged(self._answers(self.sides[0], rows), rows)
        about.append(check_guess(classes, before, rows))
        after = judged(self._answers(self.sides[1], rows)[:, list(shared.places)], rows)
        return Heard(rows, before, after, classes.names, (*new.notes, *notes, *(said for said in about if said)))

    def _unlearned(self, rows: Rows) -> tuple[Rows, tuple[str, ...]]:
        learned = {name: learned_in(artifact.path) for name, artifact in self.named.items()}
        left, about = unseen(rows, learned, self.data, leave_out=self.leave_out)
        return left, (*about, *opening(left, [artifact.id for artifact in self.named.values()], self.data))

    def _answers(self, side: tuple[Artifact, Engine], rows: Rows) -> NDArray[Any]:
        """A model's answers to all rows, in a process of its own: [n, columns].

        Raises:
            CandidateFailed: it does not run.
        """
        artifact, engine = side
        threads, task = self.threads or allowed_cores(), self.question.task
        with SessionProcess(artifact, engine, threads=threads, task=task) as session:
            told = self.progress or (lambda done, total, message: None)
            return session.answers(rows.inputs, telling(told, len(rows), "answering"))


def opening(rows: Rows, models: Sequence[str], data: str) -> tuple[str, ...]:
    """Notes on earlier openings of the rows, which this comparison now opens too; the same one again counts once.

    Args:
        models: ids of the artifacts.
    """
    name = hashlib.sha256(" ".join([*models, *rows.ids]).encode()).hexdigest()[:32]
    found = earlier_openings(rows.ids, name)
    problem = found.problem or record_opening(name, rows.ids, run="compare", data=data)
    if problem:
        return (problem,)
    return (opened_before(found.rows, len(rows), found.runs),) if found.runs else ()
