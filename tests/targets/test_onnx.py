"""A folder in ONNX: opened by loaders of the field, asked by its own program, with the model's answers."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.target import Source, Way
from lighten.readers.text import Encoder
from lighten.targets.onnx import Onnx
from lighten.tasks.text_classification import TextClassification
from lighten.testing.engine_contract import texts
from lighten.testing.require import client
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact

ASKED = ["", "good", " ".join(texts(12)), *texts(6), "naïve 🦊 ZEBRA"]


@pytest.mark.parametrize(("format", "name"), [("onnx", "model.onnx"), ("onnx-int8", "model_quantized.onnx")])
def test_contract(format: str, name: str, config: dict[str, Any], tmp_path: Path) -> None:
    found = check_target(Onnx(), source_of(tiny_artifact(format), config=config), tmp_path, ASKED)
    assert {one["label"] for one in found} <= set(LABELS)
    assert (tmp_path / "model.onnx").read_bytes() == (tiny_artifact(format).path / "model.onnx").read_bytes()
    assert (tmp_path / "onnx" / name).read_bytes() == (tmp_path / "model.onnx").read_bytes()
    said = json.loads((tmp_path / "config.json").read_text())
    assert said["id2label"] == {"0": "negative", "1": "positive"} and said["label2id"]["positive"] == 1
    assert said["architectures"] == ["BertForSequenceClassification"] and said["model_type"] == "bert"
    assert said["problem_type"] == "single_label_classification"
    assert said["transformers.js_config"]["dtype"] == ("q8" if "int8" in format else "fp32")


def test_a_model_that_says_nothing_of_its_network_is_opened_as_one_for_such_inputs(tmp_path: Path) -> None:
    check_target(Onnx(), source_of(tiny_artifact("onnx")), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    assert said["model_type"] == "bert" and said["vocab_size"] > 0 and "lighten_shapes" not in said


def test_keys_that_run_code_or_describe_cut_layers_are_left_out(config: dict[str, Any], tmp_path: Path) -> None:
    strange = {"auto_map": {"AutoModel": "x.Y"}, "lighten_shapes": {"ff": [1]}, "_name_or_path": "/home/somebody"}
    check_target(Onnx(), source_of(tiny_artifact("onnx"), config={**config, **strange}), tmp_path)
    assert not set(strange) & set(json.loads((tmp_path / "config.json").read_text()))


def test_transformers_reads_config_and_tokenizer_as_the_model_does(config: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer

    check_target(Onnx(), source_of(tiny_artifact("onnx"), config=config), tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).id2label == dict(enumerate(LABELS))
    tokenizer, own = AutoTokenizer.from_pretrained(tmp_path), Encoder.open(tiny_artifact("onnx").path)
    assert tokenizer(ASKED, truncation=True)["input_ids"] == own(ASKED)
    assert set(tokenizer("good")) == {"input_ids", "attention_mask"}


def test_pictures(picture_source: Source, pictures: list[str], tmp_path: Path) -> None:
    found = check_target(Onnx(), picture_source, tmp_path, pictures)
    assert len({round(max(one["scores"].values()), 6) for one in found}) > 1, "pictures are told apart"
    said = json.loads((tmp_path / "config.json").read_text())
    assert said["architectures"] == ["ViTForImageClassification"] and said["num_channels"] == 3
    assert (tmp_path / "preprocessor_config.json").is_file()


def test_an_output_of_another_name_gets_the_one_that_loaders_look_for(tmp_path: Path) -> None:
    import onnx

    from lighten.core.artifact import Artifact
    from lighten.nets.runtimes.onnx_model import open_onnx, save_onnx
    from lighten.testing.tiny_artifacts import META

    model = open_onnx(tiny_artifact("onnx"))
    for node in model.proto.graph.node:
        node.output[:] = ["answer" if name == "logits" else name for name in node.output]
    model.proto.graph.output[0].name = "answer"
    (tmp_path / "other").mkdir()
    save_onnx(model, tmp_path / "other")
    artifact = Artifact.seal(tmp_path / "other", format="onnx", meta=META)
    check_target(Onnx(), source_of(artifact), tmp_path / "out", ASKED[:3])
    assert onnx.load(tmp_path / "out" / "model.onnx").graph.output[0].name == "logits"


def test_answers_of_several_tasks_and_models_without_names_of_classes_are_refused() -> None:
    source = source_of(tiny_artifact("onnx"))
    assert "one class of one list" in Onnx().check(replace(source, task=TextClassification(heads=(0, 1))))
    assert "what its classes are called" in Onnx().check(replace(source, labels=()))


def said(way: Way) -> dict[str, Any]:
    """How the program of a way asks: the names and values in its call."""
    calls = [node for node in ast.walk(ast.parse(way.code)) if isinstance(node, ast.Call)]
    (call,) = (one for one in calls if isinstance(one.func, ast.Name) and one.func.id == "answer")
    return {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}


def test_texts_above_the_limit_are_cut_by_the_call_that_is_printed(config: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    source = source_of(tiny_artifact("onnx"), config=config)
    text = " ".join(["good film"] * Encoder.open(source.artifact.path).max_tokens)
    (found,) = check_target(Onnx(), source, tmp_path, [text])
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tiny_artifact("hf").path)
    ask = pipeline("text-classification", model=model, tokenizer=tokenizer)
    (other,) = ask(text, **said(Onnx().ways(source)[1]))
    assert other["score"] == pytest.approx(max(found["scores"].values()), abs=1e-3)


def test_texts_that_loaders_would_not_fill_are_read_by_the_program_alone(
    filled: Callable[[Source], Source],
) -> None:
    (way,) = Onnx().ways(filled(source_of(tiny_artifact("onnx"))))
    assert "run.py" in way.code
    assert len(Onnx().ways(source_of(tiny_artifact("onnx")))) == 4


def test_optimum_gives_the_same_answers(config: dict[str, Any], tmp_path: Path) -> None:
    ort = client("optimum.onnxruntime", "optimum[onnxruntime]")
    from transformers import AutoTokenizer, pipeline

    found = check_target(Onnx(), source_of(tiny_artifact("onnx-int8"), config=config), tmp_path, ASKED[1:])
    model = ort.ORTModelForSequenceClassification.from_pretrained(tmp_path, file_name="model.onnx")
    ask = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(tmp_path))
    printed = said(Onnx().ways(source_of(tiny_artifact("onnx-int8"), config=config))[1])
    for text, answer in zip(ASKED[1:], found, strict=True):
        (other,) = ask(text, **printed)
        assert other["label"] == answer["label"]
        assert other["score"] == pytest.approx(answer["scores"][answer["label"]], abs=1e-3)


def test_sentence_transformers_gives_the_same_answers(config: dict[str, Any], tmp_path: Path) -> None:
    sentences = client("sentence_transformers", "sentence-transformers")
    client("optimum.onnxruntime", "optimum[onnxruntime]")
    found = check_target(Onnx(), source_of(tiny_artifact("onnx"), config=config), tmp_path, ASKED[1:])
    model = sentences.CrossEncoder(str(tmp_path), backend="onnx", model_kwargs={"file_name": "model.onnx"})
    for text, answer in zip(ASKED[1:], found, strict=True):
        scores = model.predict(text, apply_softmax=True)
        assert list(answer["scores"].values()) == pytest.approx(list(map(float, scores)), abs=1e-3)
