"""Static int8 for ONNX Runtime: calibrated on tune, int8 on both sides of every convolution, answers stay near."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import StepFailed
from lighten.core.step import Needs
from lighten.export.onnx import Onnx
from lighten.nets.runtimes.onnx_model import OnnxModel, answers
from lighten.nets.vision.network import open_vision
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")

from lighten.quantize.int8_qdq import Int8Qdq


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qdq")


def exported(folder: Path, family: str) -> OnnxModel:
    return Onnx().run(open_vision(tiny_vision_folder(folder / family, family)), Needs(TextClassification()))


@pytest.mark.parametrize(("family", "ranges"), [("resnet", "minmax"), ("resnet", "percentile"), ("vit", "minmax")])
def test_products_are_int8_and_answers_are_near(
    folder: Path, family: str, ranges: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model, tune = exported(folder, family), tiny_pictures(folder / "pictures", 24)
    wanted = answers(model.proto, model.reader.batch(model.reader(tune.inputs)), 1)
    capfd.readouterr()
    made = Int8Qdq(rows=24, ranges=ranges).run(model, Needs(TextClassification(), tune=tune))
    assert capfd.readouterr() == ("", ""), "quantizing must be silent"
    initial = {tensor.name: tensor for tensor in made.proto.graph.initializer}
    produced = {name: node for node in made.proto.graph.node for name in node.output}
    products = [node for node in made.proto.graph.node if node.op_type in ("Conv", "Gemm")]
    assert products
    for node in products:
        sources = [produced.get(name) for name in node.input[:2]]
        assert all(one is not None and one.op_type == "DequantizeLinear" for one in sources), node.name
        scale = initial[produced[node.input[1]].input[1]]
        assert scale.dims and scale.dims[0] > 1, f"{node.name} has one scale for all of its channels"
    found = answers(made.proto, model.reader.batch(model.reader(tune.inputs)), 1)
    assert 0 < np.abs(found - wanted).max() < 0.4 * np.ptp(wanted, axis=0).max(), "a net this small is a rough copy"


def test_between_the_products_of_attention_nothing_is_rounded(folder: Path) -> None:
    tune = tiny_pictures(folder / "pictures", 6)
    made = Int8Qdq(rows=6).run(exported(folder, "vit"), Needs(TextClassification(), tune=tune)).proto
    fed = Counter(
        node.op_type
        for node in made.graph.node
        for source in made.graph.node
        if source.op_type == "DequantizeLinear" and set(source.output) & set(node.input)
    )
    assert set(fed) <= {"Conv", "Gemm", "MatMul", "Shape"}, fed


def test_without_rows_it_says_so(folder: Path) -> None:
    with pytest.raises(StepFailed, match="has no rows"):
        Int8Qdq().run(exported(folder, "resnet"), Needs(TextClassification()))


def test_texts_are_refused_and_pictures_are_not() -> None:
    assert "one range for all tokens" in Int8Qdq().check({"tokenizer": "WordPiece", "family": "bert"})
    assert Int8Qdq().check({"family": "resnet", "channels": 3}) == ""
