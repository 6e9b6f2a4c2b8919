"""A folder in OpenVINO's format: opened by OpenVINO and optimum-intel, with the model's answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lighten.core.target import Source
from lighten.targets.openvino import Openvino
from lighten.testing.engine_contract import texts
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import tiny_artifact

ASKED = ["", "good", *texts(6)]


def test_contract(openvino_source: Source, tmp_path: Path) -> None:
    check_target(Openvino(), openvino_source, tmp_path, ASKED)
    assert (tmp_path / "openvino_model.xml").is_file() and (tmp_path / "openvino_model.bin").is_file()
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["BertForSequenceClassification"]


def test_int8_is_taken_as_it_lies(config: dict[str, Any], tmp_path: Path) -> None:
    artifact = tiny_artifact("openvino-int8")
    check_target(Openvino(), source_of(artifact, config=config), tmp_path, ASKED)
    assert (tmp_path / "openvino_model.bin").read_bytes() == (artifact.path / "model.bin").read_bytes()


def test_its_program_and_page_ask_openvino_for_the_precision_that_was_measured(
    openvino_source: Source, tmp_path: Path
) -> None:
    Openvino().write(openvino_source, tmp_path)
    assert "'INFERENCE_PRECISION_HINT': 'f32'" in (tmp_path / "run.py").read_text()
    assert any("'INFERENCE_PRECISION_HINT': 'f32'" in way.code for way in Openvino().ways(openvino_source))


def test_optimum_intel_gives_the_same_answers(openvino_source: Source, tmp_path: Path) -> None:
    intel = pytest.importorskip("optimum.intel", reason="optimum-intel is not installed: pip install optimum-intel")
    from transformers import AutoTokenizer, pipeline

    found = check_target(Openvino(), openvino_source, tmp_path, ASKED[1:])
    settings = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "128"}
    model = intel.OVModelForSequenceClassification.from_pretrained(tmp_path, ov_config=settings)
    ask = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(tmp_path))
    for text, answer in zip(ASKED[1:], found, strict=True):
        (other,) = ask(text, truncation=True)
        assert other["label"] == answer["label"]
        assert other["score"] == pytest.approx(answer["scores"][answer["label"]], abs=1e-3)
