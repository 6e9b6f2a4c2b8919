"""Each model is opened and saved by its format; what no format is called is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.pipeline.formats import open_model, save_model
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact


def test_a_network_is_saved_as_it_was_opened(tmp_path: Path) -> None:
    first = tiny_artifact("hf")
    model = open_model(first, LABELS)
    (tmp_path / "again").mkdir()
    meta = save_model(model, "hf", tmp_path / "again")
    assert meta == {"labels": list(LABELS)}
    again = Artifact.seal(tmp_path / "again", format="hf", meta=meta)
    assert again.files["model.safetensors"] == first.files["model.safetensors"]


def test_a_format_that_nothing_saves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Nothing here knows models of format clay"):
        save_model(None, "clay", tmp_path)
