"""A student learns what its teacher answers, even without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.step import Needs
from lighten.core.task import Rows
from lighten.distill.logits import LogitDistillation
from lighten.nets.forward import logits
from lighten.nets.network import Network, open_network
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK, TRAIN, TUNE = TextClassification(), toy_rows(320), toy_rows(80, seed=1)


class Answers:
    """A teacher that is sure of the right answers, by 2 logits."""

    def logits(self, rows: Rows) -> Any:
        return np.eye(2, dtype=np.float32)[list(rows.targets)] * 4 - 2


@pytest.fixture
def student(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))


def test_learns_the_teachers_logits_not_the_labels(student: Network) -> None:
    lies = Rows(TRAIN.inputs, TRAIN.targets[1:] + TRAIN.targets[:1])

    class Honest(Answers):
        def logits(self, rows: Rows) -> Any:
            return super().logits(TRAIN)

    needs = Needs(TASK, train=lies, tune=TUNE, teacher=Honest())
    LogitDistillation(epochs=12, learning_rate=2e-4, alpha=0.0).run(student, needs)
    unseen = toy_rows(200, seed=2)
    outputs = logits(student, unseen.inputs, 1)
    assert TASK.right(outputs, unseen).mean() > 0.95
    assert np.abs(outputs - Answers().logits(unseen)).mean() < 0.5


def test_labels_are_mixed_in(student: Network) -> None:
    class Clueless:
        def logits(self, rows: Rows) -> Any:
            return np.zeros((len(rows), 2), np.float32)

    needs = Needs(TASK, train=TRAIN, tune=TUNE, teacher=Clueless())
    LogitDistillation(epochs=12, learning_rate=2e-4, alpha=1.0).run(student, needs)
    unseen = toy_rows(200, seed=2)
    assert TASK.right(logits(student, unseen.inputs, 1), unseen).mean() > 0.95


def test_refuses_a_teacher_of_other_classes(student: Network) -> None:
    class Three:
        def logits(self, rows: Rows) -> Any:
            return np.zeros((len(rows), 3), np.float32)

    with pytest.raises(StepFailed, match=r"answers \[320, 3\]"):
        LogitDistillation().run(student, Needs(TASK, train=TRAIN, tune=TUNE, teacher=Three()))
    with pytest.raises(StepFailed, match="needs a teacher"):
        LogitDistillation().run(student, Needs(TASK, train=TRAIN, tune=TUNE))


def test_is_in_the_catalog() -> None:
    assert catalog.load_step("distill.logits") is LogitDistillation
    assert LogitDistillation.needs == {"train", "tune", "teacher"}
