"""The curve is written while it grows; what a killed training wrote behind its last checkpoint is dropped."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NoReturn

import pytest

from lighten.core.errors import RunFolderError
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
