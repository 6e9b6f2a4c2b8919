"""A model is asked under attack once, in a process of its own: a real one, because what reaches it is the point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.data_options import DataOptions
from lighten.core.rows import Parts
from lighten.core.task import Data
from lighten.fitting import attacking, reading
from lighten.fitting.attacking import MOST, attacked_answers, some_of
from lighten.fitting.options import FitOptions
from lighten.isolate.process import call
from lighten.models.bring import bring
from lighten.store.folder import RunFolder, save_parts
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows


def test_it_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bring(str(tiny_network_folder(tmp_path / "net", layers=2)), tmp_path / "made")
    rows = toy_rows(7)
    data = Data(TextClassification(), Parts(rows, rows, rows, rows, labels=("negative", "positive")), {})
    options = FitOptions("m", "d", tmp_path / "run", "text_classification", DataOptions(), harden=0.1)
    folder = RunFolder.open(options.out, options.manifest("x", 1), resume=False)
    asked = []

    def counted(function: str, **arguments: Any) -> Any:
        asked.append(function)
        return call(function, **arguments)

    monkeypatch.setattr(attacking, "call", counted)
    try:
        save_parts(data.parts, folder.path / reading.PARTS)
        first, again = (attacked_answers(options, folder, 5, made, data, 1) for _ in range(2))
    finally:
        folder.close()
    np.testing.assert_array_equal(first, again)
    assert first.shape == (7, 2) and len(asked) == 1


def test_of_many_rows_some_are_asked() -> None:
    assert len(some_of(toy_rows(20))) == 20 and len(some_of(toy_rows(MOST + 50))) == MOST
