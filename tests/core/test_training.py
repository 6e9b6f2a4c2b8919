"""The result of a training comes back from JSON as it was; the folder of a training stands for its model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lighten.core.training import TrainingResult, model_of_run
from lighten.testing.trainings import result


def test_a_result_comes_back_as_it_was() -> None:
    made = result()
    assert TrainingResult.from_json(json.loads(json.dumps(made.to_json()))) == made
    with pytest.raises(KeyError):
        TrainingResult.from_json({})


def test_the_folder_of_a_training_is_its_model(tmp_path: Path) -> None:
    assert model_of_run(tmp_path) == tmp_path
    (tmp_path / "model").mkdir()
    (tmp_path / "result.json").write_text("{}")
    assert model_of_run(tmp_path) == tmp_path
    (tmp_path / "model" / "lighten.json").write_text("{}")
    assert model_of_run(tmp_path) == tmp_path / "model"
