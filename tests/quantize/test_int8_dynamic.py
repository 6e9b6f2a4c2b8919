"""Dynamic int8: matrices are int8 in the file, the file is smaller, answers are near."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lighten.testing.engine_contract import texts
from lighten.testing.tiny_artifacts import tiny_artifact, tiny_needs

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'lighten[ort]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")

from lighten.nets.runtimes.onnx_model import answers, open_onnx  # noqa: E402
from lighten.quantize.int8_dynamic import Int8Dynamic  # noqa: E402


def test_matrices_are_int8_with_a_scale_for_each_output() -> None:
    model = open_onnx(tiny_artifact("onnx"))
    before = model.proto.SerializeToString()
    made = Int8Dynamic().run(model, tiny_needs()).proto
    assert model.proto.SerializeToString() == before, "the float model must stay as it was"
    onnx.checker.check_model(made)
    weights = {t.name: t for t in made.graph.initializer}
    products = [n for n in made.graph.node if n.op_type == "MatMulInteger"]
    assert len(products) == 2 * 6 + 2, "six in each layer, two in the head"
    for node in products:
        weight = weights[node.input[1]]
        assert weight.data_type == onnx.TensorProto.INT8
        scale = weights[weight.name.removesuffix("_quantized") + "_scale"]
        assert scale.dims == [weight.dims[1]]
    kinds = Counter(t.data_type for t in made.graph.initializer if len(t.dims) == 2)
    assert onnx.TensorProto.FLOAT not in kinds
    assert made.ByteSize() < 0.5 * len(before)


@pytest.mark.parametrize(("narrow", "highest"), [("off", 127), ("on", 64)])
def test_one_weight_by_hand(narrow: str, highest: int) -> None:
    model = open_onnx(tiny_artifact("onnx"))
    made = Int8Dynamic(narrow=narrow).run(model, tiny_needs()).proto
    floats = {t.name: onnx.numpy_helper.to_array(t) for t in model.proto.graph.initializer}
    ints = {t.name: onnx.numpy_helper.to_array(t) for t in made.graph.initializer}
    name = next(n.input[1] for n in model.proto.graph.node if n.op_type == "MatMul")
    scale = np.abs(floats[name]).max(axis=0) / highest
    assert np.allclose(ints[f"{name}_scale"], scale, rtol=1e-5)
    assert np.abs(ints[f"{name}_quantized"] - np.round(floats[name] / scale)).max() <= 1


@pytest.mark.parametrize(
    ("step", "bound"), [(Int8Dynamic(), 0.1), (Int8Dynamic(per_channel=False, embeddings=False), 0.2)]
)
def test_answers_are_near(step: Int8Dynamic, bound: float) -> None:
    model = open_onnx(tiny_artifact("onnx"))
    asked = model.reader.batch(model.reader(texts()))
    apart = np.abs(answers(step.run(model, tiny_needs()).proto, asked, 1) - answers(model.proto, asked, 1)).max()
    assert 0 < apart < bound


def test_embeddings_can_stay_in_float() -> None:
    model = open_onnx(tiny_artifact("onnx"))
    small, large = (Int8Dynamic(embeddings=e).run(model, tiny_needs()).proto.ByteSize() for e in (True, False))
    assert small < large
