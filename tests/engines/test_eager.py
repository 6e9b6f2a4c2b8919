"""torch eager keeps the contract of engines and answers as transformers does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.artifact import HF, ONNX, Artifact
from lighten.core.errors import LightenError
from lighten.engines.eager import Eager
from lighten.testing.engine_contract import check_engine, texts
from lighten.testing.tiny_artifacts import META, tiny_artifact


def test_contract(tmp_path: Path) -> None:
    check_engine(Eager(rows=7), tiny_artifact(HF), tmp_path / "built")


def test_it_answers_as_transformers_does() -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    path = tiny_artifact(HF).path
    net, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(path).eval(),
        AutoTokenizer.from_pretrained(path),
    )
    with torch.inference_mode():
        wanted = [net(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0].numpy() for text in texts()]
    with Eager().open(tiny_artifact(HF), threads=2) as session:
        assert np.abs(session.run(texts()) - np.array(wanted)).max() < 1e-4


def test_bfloat16_is_near_and_not_the_same() -> None:
    with (
        Eager().open(tiny_artifact(HF), threads=1) as full,
        Eager(dtype="bfloat16").open(tiny_artifact(HF), threads=1) as half,
    ):
        apart = np.abs(full.run(texts()) - half.run(texts())).max()
    assert 1e-4 < apart < 0.5


def test_threads_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    with Eager().open(tiny_artifact(HF), threads=before + 1) as session:
        session.run(["good"])
    assert torch.get_num_threads() == before


def test_a_folder_without_a_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(LightenError):
        Eager().build(Artifact.seal(tmp_path, format=HF, meta=META), tmp_path / "built")
    assert ONNX not in Eager.consumes
