"""What a teacher says is mixed with the labels, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.errors import RunFolderError
from lighten.core.rows import Rows
from lighten.nets.training.lesson import Lesson, taught_loss
from lighten.tasks.text_classification import TextClassification

TASK = TextClassification()
ROWS = Rows(("a", "b", "c"), (0, 1, 1))
ANSWERS = np.array([[1.0, -1.0], [0.5, -0.5], [-2.0, 2.0]], np.float32)
OUTPUTS = torch.tensor([[0.2, 0.1], [0.0, 1.0], [3.0, -3.0]])


@pytest.mark.parametrize("temperature", [0.0, 1.0, 4.0])
def test_each_row_has_its_own_mixture(temperature: float) -> None:
    loss = taught_loss(ROWS, TASK, Lesson(ANSWERS, np.array([0.1, 1.0, 0.0]), temperature))
    batch = [2, 0, 1]
    outputs = OUTPUTS[batch]

    def apart(own: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return TASK.divergence(own, wanted, temperature) if temperature else TASK.distance(own, wanted)

    each = [
        apart(OUTPUTS[2:], torch.tensor(ANSWERS[2:])),
        0.9 * apart(OUTPUTS[:1], torch.tensor(ANSWERS[:1])) + 0.1 * TASK.loss(OUTPUTS[:1], torch.tensor([0])),
        TASK.loss(OUTPUTS[1:2], torch.tensor([1])),
    ]
    assert loss(outputs, batch).item() == pytest.approx(torch.stack(each).mean().item())


def test_labels_may_be_learned_in_another_way(tmp_path: Path) -> None:
    Lesson(ANSWERS, np.ones(3), 3.0).save(tmp_path / "lesson.npz")
    lesson = Lesson.read(tmp_path / "lesson.npz")
    np.testing.assert_array_equal(lesson.answers, ANSWERS)
    assert lesson.temperature == 3.0
    assert [path.name for path in tmp_path.iterdir()] == ["lesson.npz"]
    loss = taught_loss(ROWS, TASK, lesson, lambda outputs, batch: outputs.sum() * 0 + 7.0)
    assert loss(OUTPUTS, [0, 1, 2]).item() == 7.0


def test_rows_behind_a_lesson_are_learned_from_their_labels() -> None:
    lesson = Lesson(np.ones((2, 3), np.float32), np.array([0.1, 0.0]), 3.0).of_rows(4)
    assert lesson.answers.shape == (4, 3) and lesson.answers.dtype == np.float32 and lesson.temperature == 3.0
    assert lesson.weights.tolist() == [0.1, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("damaged", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_lesson_is_refused(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "lesson.npz").write_bytes(damaged)
    with pytest.raises(RunFolderError, match=r"lesson.npz holds nothing that a teacher has said(.|\n)*--resume"):
        Lesson.read(tmp_path / "lesson.npz")
    with pytest.raises(RunFolderError):
        Lesson.read(tmp_path / "none.npz")
