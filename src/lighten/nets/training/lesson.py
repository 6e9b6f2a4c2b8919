"""Lesson: rows that are learned from a teacher's answers beside, or in place of, their labels."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lighten.core.errors import RunFolderError
from lighten.core.rows import Rows
from lighten.core.task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "lesson.npz"
"""Name of the file in the folder of a run."""
LABELS, TEMPERATURE = 0.5, 1.0
"""Weight of a label beside a teacher, and the temperature at which answers are compared: what harmed the least of
networks that begin at random (``benchmarks/generalization.py --what lessons``)."""

Loss = Callable[[Tensor, Sequence[int]], Tensor]
"""Logits [batch, classes] and the batch's row numbers to the mean loss."""


@dataclass(frozen=True)
class Lesson:
    """What a teacher says of the training rows.

    Attributes:
        answers: its logits, float32 [rows, classes].
        weights: of each row's label, float64 [rows]; the answer has the rest. 0 where a row has no label.
        temperature: of the divergence from its answers (``Task.divergence``); 0 for the distance of the logits.
    """

    answers: NDArray[np.float32]
    weights: NDArray[np.float64]
    temperature: float = TEMPERATURE

    def save(self, path: Path) -> None:
        """Write it into a file, whole or not at all."""
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as stream:
            np.savez(stream, answers=self.answers, weights=self.weights, temperature=self.temperature)
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Lesson:
        """What :meth:`save` wrote; nothing is unpickled.

        Raises:
            RunFolderError: the file is not there, or is broken.
        """
        try:
            with np.load(path, allow_pickle=False) as found:
                return cls(found["answers"], found["weights"], float(found["temperature"]))
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise RunFolderError(
                f"{path} holds nothing that a teacher has said ({error}).",
                fix="remove it and give the same command with --resume; the teacher is asked again",
            ) from error

    def of_rows(self, count: int) -> Lesson:
        """The lesson of so many rows: those behind its own are learned from their labels alone."""
        more = count - len(self.weights)
        answers = np.concatenate([self.answers, np.zeros((more, self.answers.shape[1]), np.float32)])
        return replace(self, answers=answers, weights=np.append(self.weights, np.ones(more)))


def taught_loss(rows: Rows, task: Task, lesson: Lesson, labels: Loss | None = None) -> Loss:
    """How far it is from the teacher's answers, mixed row by row with the loss of the labels.

    Args:
        labels: loss against what is right in the rows; None for the task's own.
    """
    targets, answers = torch.tensor(rows.targets), torch.from_numpy(np.ascontiguousarray(lesson.answers))

    def of_labels(outputs: Tensor, batch: Sequence[int]) -> Tensor:
        return labels(outputs, batch) if labels is not None else task.loss(outputs, targets[list(batch)])

    def of_answers(outputs: Tensor, wanted: Tensor) -> Tensor:
        if lesson.temperature:
            return task.divergence(outputs, wanted, lesson.temperature)
        return task.distance(outputs, wanted)

    def mixed(outputs: Tensor, batch: Sequence[int], weight: float) -> Tensor:
        if weight == 1.0:
            return of_labels(outputs, batch)
        apart = (1 - weight) * of_answers(outputs, answers[list(batch)])
        return apart + weight * of_labels(outputs, batch) if weight else apart

    def loss(outputs: Tensor, batch: Sequence[int]) -> Tensor:
        own = lesson.weights[list(batch)]
        found = []
        for weight in np.unique(own):
            places = np.flatnonzero(own == weight).tolist()
            some = outputs if len(places) == len(batch) else outputs[places]
            part = mixed(some, [batch[place] for place in places], float(weight))
            found.append(part if len(places) == len(batch) else part * (len(places) / len(batch)))
        return torch.stack(found).sum() if len(found) > 1 else found[0]

    return loss
