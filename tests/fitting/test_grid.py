"""The grid: one training for each group, tested on every group. The whole job is in test_lessons.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError, StepFailed
from lighten.core.rows import Parts, Rows
from lighten.core.task import Data
from lighten.fitting import grid
from lighten.fitting.grid import FEWEST, FOLDER, MOST, check_grid, grid_of, groups_of, of_group
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training
from lighten.fitting.scalars import FILE
from lighten.search.listener import Quiet
from lighten.store.folder import RunFolder
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import toy_rows


def parts(rows: Rows) -> Parts:
    return Parts(rows, rows, rows, rows, labels=("bad", "good"))


def test_rows_of_a_group() -> None:
    rows = toy_rows(60, groups=True)
    assert groups_of(rows) == ["east", "west"]
    east = of_group(rows, "east")
    assert set(east.groups) == {"east"} and len(east) + len(of_group(rows, "west")) == 60
    check_grid(parts(rows))


def test_what_makes_no_grid_is_refused() -> None:
    rows = toy_rows(60, groups=True)
    with pytest.raises(InputError, match=r"has no column of groups(.|\n)*--group"):
        check_grid(parts(toy_rows(60)))
    many = replace(rows, groups=tuple(f"g{number % (MOST + 1)}" for number in range(60)))
    with pytest.raises(InputError, match=f"has {MOST + 1} groups"):
        check_grid(parts(many))
    few = replace(rows, groups=("few",) * (FEWEST - 1) + ("many",) * (61 - FEWEST))
    with pytest.raises(InputError, match=f"group few alone: it has {FEWEST - 1} rows to train"):
        check_grid(parts(few))
    one = replace(rows, targets=tuple(int(group == "west") for group in rows.groups))
    with pytest.raises(InputError, match="rows of one label only"):
        check_grid(parts(one))


def test_a_group_whose_training_comes_apart_costs_its_row_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = toy_rows(60, groups=True)
    data = Data(TextClassification(), parts(rows), {})
    options = FitOptions("m", "d", tmp_path / "run", "text_classification", DataOptions(), unlabelled="more", grid=True)
    failing = [True]

    def trained(training: Training, *_: object) -> Mapping[str, Any]:
        if failing and training.folder.name == "0":
            point = {"step": 1, "rows": 1, "epoch": 1, "learning_rate": 0, "seconds": 5.0, "cpu_seconds": 6.0}
            (training.folder / FILE).write_text(json.dumps(point) + "\n")
            raise StepFailed("It came apart.")
        return {"cost": {"seconds": 2.0, "cpu_seconds": 3.0}}

    monkeypatch.setattr(grid, "trained_in_process", trained)
    monkeypatch.setattr(grid, "Artifact", SimpleNamespace(open=lambda path: path))
    monkeypatch.setattr(grid, "reading", SimpleNamespace(PARTS="parts.json", engine_of=lambda made: None))
    monkeypatch.setattr(grid, "answers_on", lambda *_: np.eye(2)[list(rows.targets)])
    folder, notes = RunFolder.open(options.out, options.manifest("x", 1), resume=False), list[str]()
    try:
        found = grid_of(options, folder, None, data, 1, Quiet(), notes.append)  # type: ignore[arg-type]
        assert {(one.trained_on, one.score.group) for one in found.cells} == {("west", "east"), ("west", "west")}
        assert (found.seconds, found.cpu_seconds) == (7.0, 9.0)
        assert "and the one that was trained on all groups from --unlabelled, too" in notes[0]
        assert notes[1:] == ["The grid has nothing that was trained on east alone: It came apart."]
        assert not (options.out / FOLDER).exists()
        failing.clear()
        again = grid_of(options, folder, None, data, 1, Quiet(), notes.append)  # type: ignore[arg-type]
        assert len(again.cells) == 4 and again.seconds == 4.0
    finally:
        folder.close()
