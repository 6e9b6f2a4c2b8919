"""The curve is written while it grows; what a killed training wrote behind its last checkpoint is dropped."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from lighten.core.errors import RunFolderError
from lighten.fitting import scalars as scalars_module
from lighten.fitting.scalars import FILE, Scalars, read_curve
from lighten.nets.training.schedule import Point, Score, State


def run(folder: Path, first: int, last: int, points: list[Point]) -> Scalars:
    """Updates of ten rows from ``first`` to ``last``."""
    scalars = Scalars(folder, 1000, 100, 0.5)
    for step in range(first, last + 1):
        known = [point for point in points if point.updates < step]
        state = State(updates=step, rows=10 * step, end=1000, seconds=step / 4, points=known)
        scalars.heard(state, 1.0 / step, 0.1)
    return scalars


def test_every_stretch_is_a_point_and_every_evaluation_once(tmp_path: Path) -> None:
    points = [Point(0.0, 0, 0, Score(0.5, 2.0)), Point(0.3, 3, 30, Score(0.7, 1.0))]
    run(tmp_path, 1, 5, points)
    found = read_curve(tmp_path / FILE)
    assert [(p.step, p.loss) for p in found if p.loss is not None] == [(n, 1 / n) for n in range(1, 6)]
    assert [(p.step, p.score, p.tune_loss) for p in found if p.score is not None] == [(0, 0.5, 2.0), (3, 0.7, 1.0)]
    assert found[-1].rows_per_second == 40.0 and found[-1].learning_rate == 0.05 and found[-1].epoch == 0.5


def test_a_resumed_training_goes_on_where_its_checkpoint_was(tmp_path: Path) -> None:
    points = [Point(0.0, 0, 0, Score(0.5, 2.0)), Point(0.3, 3, 30, Score(0.7, 1.0))]
    run(tmp_path, 1, 5, points)
    with (tmp_path / FILE).open("a") as stream:
        stream.write('{"step": 6, "ro')  # cut off by the kill
    scalars = run(tmp_path, 3, 6, points)
    scalars.finished([*points, Point(1.0, 6, 60, Score(0.8, 0.5))], 6)
    found = read_curve(tmp_path / FILE)
    assert [p.step for p in found if p.loss is not None] == [1, 2, 3, 4, 5, 6]
    assert [p.step for p in found if p.score is not None] == [0, 3, 6]
    assert [p.seconds for p in found] == sorted(p.seconds for p in found)


@pytest.mark.parametrize("at", ["first", "later", "events"])
def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def full(path: Path, *_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    if at == "later":
        scalars = run(tmp_path, 1, 2, [])
    monkeypatch.setattr(Path, "write_text" if at == "first" else "open" if at == "later" else "mkdir", full)
    with pytest.raises(RunFolderError, match=r"The disk of .* is full"):
        if at == "later":
            scalars.finished([Point(0.3, 3, 30, Score(0.7, 1.0))], 3)
        else:
            run(tmp_path, 1, 2, [])


def test_a_point_that_a_kill_cut_is_that_of_one_sitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is from the third update, of which a point stands for two; the kill came after the sixth."""
    now = 0.0
    monkeypatch.setattr(scalars_module, "time", SimpleNamespace(monotonic=lambda: now))

    def heard(folder: Path, first: int, last: int, told: dict[str, Any]) -> tuple[Scalars, dict[str, Any]]:
        nonlocal now
        scalars, state = Scalars(folder, 8000, 100, 0.5), State(end=8000, told=told)
        for step in range(first, last + 1):
            now += 1.0
            state.updates, state.rows, state.seconds = step, 10 * step, step / 4
            scalars.heard(state, 1.0 / step, 0.1)
        return scalars, json.loads(json.dumps(state.told))

    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
    heard(folders[0], 1, 8, {})
    _, told = heard(folders[1], 1, 3, {})
    heard(folders[1], 4, 6, told)
    now += 100.0
    scalars, _ = heard(folders[1], 4, 8, told)
    seen = [[(p.step, p.loss, p.rows_per_second) for p in read_curve(folder / FILE)] for folder in folders]
    assert seen[0] == seen[1] and [step for step, *_ in seen[0]] == [1, 3, 5, 7]
    assert seen[0][2][1] == pytest.approx((1 / 4 + 1 / 5) / 2)
    assert scalars.spent[0] == pytest.approx(5.0 + 5.0)  # the fifth update's point was paid for; the sixth nobody saw


def test_what_is_not_in_the_curve_is_paid_for_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scalars = Scalars(tmp_path, 8000, 100, 0.5)
    scalars.heard(State(updates=5, rows=50, end=8000, told={
        "loss": 1.0, "many": 1, "rows": 40, "seconds": 1.0, "spent": [70.0, 90.0]
    }), 1.0, 0.1)  # fmt: skip
    assert scalars.spent[0] >= 70.0 and scalars.spent[1] >= 90.0
