"""Each format is opened and saved by its own functions; what none can open is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import BYTE_LM, HF, Artifact
from lighten.core.errors import ModelError
from lighten.nets.baselines.counts import fit_ngram
from lighten.pipeline.formats import open_model, save_model
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact


def test_a_network_is_saved_as_it_was_opened(tmp_path: Path) -> None:
    first = tiny_artifact(HF)
    model = open_model(first, LABELS)
    (tmp_path / "again").mkdir()
    meta = save_model(model, HF, tmp_path / "again")
    assert meta["labels"] == list(LABELS)
    assert meta["max_tokens"] == model.encoder.max_tokens
    again = Artifact.seal(tmp_path / "again", format=HF, meta=meta)
    assert again.files["model.safetensors"] == first.files["model.safetensors"]


def test_a_baseline_is_saved_and_never_opened_for_a_step(tmp_path: Path) -> None:
    (tmp_path / "counts").mkdir()
    assert save_model(fit_ngram(["so it goes"] * 3, 3), BYTE_LM, tmp_path / "counts") == {"labels": []}
    made = Artifact.seal(tmp_path / "counts", format=BYTE_LM)
    with pytest.raises(ModelError, match="No step can open a model of format byte-lm"):
        open_model(made, ())


def test_a_format_that_nothing_saves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No function saves a model of format clay"):
        save_model(None, "clay", tmp_path)
