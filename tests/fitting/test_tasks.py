"""The task of a training, by the model or by a config alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError
from lighten.fitting.tasks import task_of_model
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_language
from lighten.testing.tiny_pictures import tiny_vision_folder


def test_a_model_or_its_config_says_its_task(tmp_path: Path) -> None:
    made = {
        "text_classification": tiny_network_folder(tmp_path / "a", layers=2, labels=None),
        "image_classification": tiny_vision_folder(tmp_path / "b"),
        "text_generation": tiny_language("llama", tmp_path / "c"),
    }
    for task, folder in made.items():
        path = getattr(folder, "path", folder)
        assert task_of_model(str(path)) == task
        assert task_of_model(str(path / "config.json"), from_scratch=True) == task
        with pytest.raises(ModelError, match=r"a config without weights(.|\n)*--from-scratch"):
            task_of_model(str(path / "config.json"))
