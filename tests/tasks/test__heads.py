"""Several tasks of one model: a row is learned from, judged and answered among the classes of its own task."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lighten
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError
from lighten.core.rows import Parts, Rows
from lighten.core.task import task_record, task_settings
from lighten.meters.accuracy import Accuracy
from lighten.search.classes import settle_classes
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK = TextClassification(heads=(0, 0, 1, 1, 1))
LABELS = ("a: no", "a: yes", "b: x", "b: y", "b: z")
OUTPUTS = np.array([[1.0, 2.0, 9.0, 0.0, 0.0], [9.0, 0.0, 1.0, 2.0, 3.0]])
ROWS = Rows(("first", "second"), (1, 4))


def test_other_tasks_do_not_count_in_loss_score_or_answer() -> None:
    assert TASK.right(OUTPUTS, ROWS).tolist() == [True, True]
    assert TextClassification().right(OUTPUTS, ROWS).tolist() == [False, False]
    assert TASK.judged(OUTPUTS, ROWS).argmax(axis=1).tolist() == [1, 4]
    assert Accuracy().measure(TASK.judged(OUTPUTS, ROWS), ROWS, None)["accuracy"].value == 1.0
    even = torch.zeros(2, 5)
    assert float(TASK.loss(even, torch.tensor([1, 4]))) == pytest.approx((math.log(2) + math.log(3)) / 2)
    assert float(TASK.evenly(even, torch.tensor([1, 4]))) == pytest.approx((math.log(2) + math.log(3)) / 2)
    moved = even.clone().requires_grad_()
    TASK.loss(moved, torch.tensor([1, 4])).backward()
    assert moved.grad is not None and moved.grad[0, 2:].abs().sum() == 0 == moved.grad[1, :2].abs().sum()


def test_smoothing_without_several_tasks_is_what_it_was() -> None:
    logits = torch.randn(4, 3, generator=torch.manual_seed(0))
    plain = TextClassification().evenly(logits, torch.zeros(4, dtype=torch.int64))
    assert float(plain) == pytest.approx(float(-logits.log_softmax(-1).mean()))


def test_the_constant_answer_is_one_of_each_task() -> None:
    learned = Rows(tuple("abcdef"), (0, 1, 1, 2, 2, 3))
    found = TASK.constant(learned, ROWS, LABELS)
    assert found is not None and found[0] == "a: yes, b: x"
    assert found[1].argmax(axis=1).tolist() == [1, 2]


class Says:
    def run(self, inputs: Any) -> Any:
        return OUTPUTS[: len(inputs)]


def test_a_prediction_says_the_class_of_each_task() -> None:
    first, second = TASK.predict(Says(), ("x", "y"), LABELS)  # type: ignore[arg-type]
    assert (first.label, second.label) == ("a: yes, b: x", "a: no, b: z")
    assert sum(first.scores[name] for name in LABELS[:2]) == pytest.approx(1.0)
    assert sum(first.scores[name] for name in LABELS[2:]) == pytest.approx(1.0)


def test_a_record_brings_the_task_back() -> None:
    for cls in (TextClassification, ImageClassification):
        one = cls(heads=(0, 0, 1))
        assert cls(**task_settings(cls, {"heads": [0, 0, 1]})) == one == cls(**task_record(one))


def test_outputs_in_another_order_are_refused() -> None:
    parts = Parts(ROWS, ROWS, ROWS, ROWS, LABELS)
    with pytest.raises(DataError, match="another order than the tasks"):
        settle_classes(parts, LABELS[::-1], (), lambda texts: OUTPUTS, TASK, model="m", seed=0)


def table(path: Path, columns: tuple[str, str], names: tuple[str, str], kind: int, rows: int = 240) -> None:
    """Texts with a good or a bad word; of kind 1 the label says whether the text is long."""
    toy = toy_rows(rows, kind)
    long = [len(text.split()) > 6 for text in toy.inputs]
    with path.open("w", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(columns)
        targets = long if kind else toy.targets
        out.writerows((text, names[int(t)]) for text, t in zip(toy.inputs, targets, strict=True))


def test_one_model_learns_two_tasks_from_a_file_that_names_them(tmp_path: Path, in_this_process: None) -> None:
    table(tmp_path / "moods.csv", ("text", "label"), ("bad", "good"), 0)
    table(tmp_path / "sizes.csv", ("words", "size"), ("short", "long"), 1)
    described = tmp_path / "tasks.toml"
    described.write_text('[size]\ndata = "sizes.csv"\ntext = "words"\n[mood]\ndata = "moods.csv"\n')
    read = TextClassification().read(described, DataOptions(), seed=0)
    assert read.parts.labels[:2] == ("mood: bad", "mood: good") and read.task == TextClassification(heads=(0, 0, 1, 1))
    tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    found = lighten.train(tmp_path / "net", described, epochs=8, threads=1, precision="fp32", out=tmp_path / "run")
    assert {one.group for one in found.proof if one.group} == {"mood", "size"}
    assert found.proof[0].metric == "accuracy" and found.proof[0].value > 0.75
    model = lighten.load(tmp_path / "run" / "model")
    said = model.predict(["a great film"])[0]
    assert said.label.startswith("mood: good, size: ") and set(said.scores) == set(read.parts.labels)
    with pytest.raises(DataError, match="never trained on"):
        lighten.optimize(tmp_path / "run", tmp_path / "moods.csv", out=tmp_path / "no", candidates=1)
