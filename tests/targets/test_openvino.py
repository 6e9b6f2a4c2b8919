"""A folder in OpenVINO's format: opened by OpenVINO and optimum-intel, with the model's answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.rows import Parts, Rows
from lighten.core.target import Source
from lighten.engines.ov_genai import OvGenai
from lighten.isolate.environments import find
from lighten.isolate.plain import plain_answers
from lighten.pipeline.workshop import Workshop
from lighten.sessions.process import SessionProcess
from lighten.store.folder import save_parts
from lighten.targets.openvino import Openvino
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.engine_contract import texts
from lighten.testing.require import client, require
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import tiny_artifact
from lighten.testing.tiny_language import tiny_language, tiny_texts
from lighten.verbs.agreement import difference

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
    code = Openvino().ways(openvino_source)[1].code
    assert "'INFERENCE_PRECISION_HINT': 'f32'" in code
    assert "dynamic_shapes=False" in code, "with free axes OpenVINO answered 23 of 64 pictures otherwise in int8"


def test_a_language_model_goes_on_as_it_does_in_its_engine(tmp_path: Path) -> None:
    require(find(OvGenai.environment), "the environment of ov_genai (lighten engine add ov-genai)")
    artifact = Artifact.seal(tiny_language("qwen3", tmp_path / "hf"), format="hf-causal", meta={"labels": []})
    rows = Rows(("a",), (0,))
    save_parts(Parts(rows, rows, rows, rows, ()), tmp_path / "parts.json")
    workshop = Workshop(tmp_path / "store", tmp_path / "parts.json", TextGeneration(), seed=0, threads=1)
    try:
        built = workshop.build(artifact, OvGenai(cache="f32", group=0))
    finally:
        workshop.close()
    engine = {"use": "ov_genai", "cache": "f32", "group": 0}
    source = replace(source_of(built), engine=engine)
    check_target(Openvino(), source, tmp_path / "out")
    assert Openvino().writes(source) and "OVModelForCausalLM" in Openvino().ways(source)[1].code
    prompts = list(tiny_texts(3))
    found = plain_answers(tmp_path / "out", Openvino().asking(source), prompts, threads=1, deadline=120.0)
    with SessionProcess(built, OvGenai(cache="f32", group=0), threads=1) as session:
        for prompt, one, wanted in zip(prompts, found, session.replies(prompts, 24), strict=True):
            difference(prompt, {"answer": wanted}, one)


def test_the_page_speaks_of_the_ways_that_it_has(openvino_source: Source, filled: Callable[[Source], Source]) -> None:
    writer = replace(openvino_source, artifact=replace(openvino_source.artifact, format="openvino-causal"))
    alone = filled(openvino_source)
    for source, both in ((openvino_source, True), (alone, False), (writer, False)):
        for text in Openvino().about(source):
            assert ("dynamic_shapes=False" in text) == both and "run.py" in text
    assert len(Openvino().ways(openvino_source)) == 2
    (way,) = Openvino().ways(alone)
    assert "run.py" in way.code


def test_optimum_intel_gives_the_same_answers(openvino_source: Source, tmp_path: Path) -> None:
    intel = client("optimum.intel", "optimum-intel")
    from transformers import AutoTokenizer, pipeline

    found = check_target(Openvino(), openvino_source, tmp_path, ASKED[1:])
    settings = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "128"}
    model = intel.OVModelForSequenceClassification.from_pretrained(tmp_path, dynamic_shapes=False, ov_config=settings)
    ask = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(tmp_path))
    for text, answer in zip(ASKED[1:], found, strict=True):
        (other,) = ask(text, truncation=True)
        assert other["label"] == answer["label"]
        assert other["score"] == pytest.approx(answer["scores"][answer["label"]], abs=1e-3)
