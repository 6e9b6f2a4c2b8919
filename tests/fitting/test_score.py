"""Scores on proof: with the bounds that prove floors, by group, and opened once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.rows import Parts, Rows
from lighten.fitting import score
from lighten.fitting.score import against_constant, open_once, scores
from lighten.search.listener import Quiet
from lighten.search.start import meters
from lighten.store.study import Study
from lighten.tasks.text_classification import TextClassification

TASK = TextClassification()
ROWS = Rows(
    tuple(f"row {n}" for n in range(100)), tuple(n % 2 for n in range(100)), tuple("ab"[n // 50] for n in range(100)),
    ids=tuple(f"{n:016x}" for n in range(100)),
)  # fmt: skip


def answers(wrong: set[int]) -> np.ndarray:
    right = np.array([[0.9, 0.1] if n % 2 == 0 else [0.1, 0.9] for n in range(100)])
    right[sorted(wrong)] = right[sorted(wrong), ::-1]
    return right


def test_every_quantity_has_bounds_and_the_main_one_stands_by_group_the_worst_first() -> None:
    quality, _ = meters(TextClassification())
    found = scores(quality, answers({1, 2, 3, 60}), ROWS, TASK, 0)
    main = found[0]
    assert (main.metric, main.value, main.n, main.group) == ("accuracy", 0.96, 100, "")
    assert main.lower is not None and main.upper is not None and 0.9 < main.lower < 0.96 < main.upper < 1.0
    loss = next(one for one in found if one.metric == "log_loss")
    assert loss.lower is not None and loss.upper is not None and loss.lower < loss.value < loss.upper
    assert [(one.group, one.value) for one in found if one.group] == [("a", 0.94), ("b", 0.98)]
    assert not {"flips", "answer_flips"} & {one.metric for one in found}  # there is nothing to compare with


def test_no_bound_of_a_share_is_more_than_all_and_none_of_a_loss_less_than_nothing() -> None:
    quality, _ = meters(TextClassification())
    sure = np.where(answers(set()) > 0.5, 30.0, -30.0)
    found = [one for one in scores(quality, sure, ROWS, TASK, 0) if one.lower is not None and one.upper is not None]
    assert {"accuracy", "macro_f1", "log_loss", "brier"} <= {one.metric for one in found}
    assert all(one.lower >= 0.0 and (one.unit != "fraction" or one.upper <= 1.0) for one in found)


def test_a_model_that_is_no_better_than_one_answer_is_called_so() -> None:
    quality, _ = meters(TASK)
    parts = Parts(ROWS, ROWS, ROWS, ROWS, ("no", "yes"))
    always = np.tile([0.9, 0.1], (100, 1))
    said = against_constant(TASK, quality, always, parts, 0)
    assert said is not None and (said.answer, said.original, said.share, said.n) == ("no", 0.5, 0.5, 100)
    assert said.state == "not_enough_data" and said.part == "proof"
    assert against_constant(TASK, quality, answers({1, 2}), parts, 0) is None


def test_what_is_answered_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        """Answers at once."""

        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __enter__(self) -> Session:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def answers(self, inputs: Sequence[object], heard: Callable[[int], None]) -> np.ndarray:
            heard(len(inputs))
            return answers(set())

    class Words(Quiet):
        def progress(self, done: float, total: float, message: str) -> None:
            said.append(message)

    said: list[str] = []
    monkeypatch.setattr(score, "SessionProcess", Session)
    nothing: Any = None
    score.answered(nothing, nothing, TextClassification(), ROWS, 2, 1, Words(), "train")
    assert said and all(message.startswith("answering train") for message in said)


def test_the_main_quantity_alone_is_the_one_of_all() -> None:
    quality, _ = meters(TextClassification())
    given = answers({1, 2, 3, 60})
    assert score.main_score(quality, given, ROWS, TASK, 0) == scores(quality, given, ROWS, TASK, 0)[0]


def test_the_proof_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    studies = [Study(tmp_path / f"{n}.db") for n in range(2)]
    assert open_once(studies[0], ROWS, "one", "d", Quiet()) == (0, 0)
    assert open_once(studies[0], ROWS, "one", "d", Quiet()) == (0, 0)
    assert open_once(studies[1], ROWS, "two", "d", Quiet()) == (100, 1)
    for study in studies:
        study.close()


def test_of_several_tasks_an_answer_is_judged_among_the_classes_of_its_own() -> None:
    task, rows = TextClassification(heads=(0, 0, 1, 1)), Rows(("x", "y") * 20, (0, 3) * 20, ("a", "b") * 20)
    given = np.array([[2.0, 1.0, 9.0, 0.0], [9.0, 0.0, 1.0, 2.0]] * 20)
    quality, _ = meters(task)
    assert score.main_score(quality, given, rows, task, 0).value == 1.0
    assert score.main_score(quality, given, rows, TASK, 0).value == 0.0
    parts = Parts(rows, rows, rows, rows, ("a: no", "a: yes", "b: no", "b: yes"))
    assert against_constant(task, quality, given, parts, 0) is not None, "as it always answers one class of each task"
    right = Rows(("x", "y", "z", "w") * 10, (0, 3, 1, 2) * 10, ("a", "b", "a", "b") * 10)
    better = np.array([[2, 1, 9, 0], [9, 0, 1, 2], [1, 2, 9, 0], [9, 0, 2, 1]] * 10, dtype=float)
    assert against_constant(task, quality, better, Parts(right, right, right, right, parts.labels), 0) is None
    assert {one.group: one.value for one in scores(quality, given, rows, task, 0) if one.group} == {"a": 1.0, "b": 1.0}
