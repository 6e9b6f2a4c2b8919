"""Static int8: calibrated on tune, int8 on both sides of every product, sensitive layers can stay in float."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import StepFailed
from lighten.engines.eager import Eager
from lighten.testing.engine_contract import texts
from lighten.testing.tiny_artifacts import META, tiny_artifact, tiny_needs

pytest.importorskip("openvino", reason="openvino is not installed: pip install 'lighten[ov]'")
pytest.importorskip("nncf", reason="nncf is not installed: pip install 'lighten[ov]'")

from lighten.engines.ov import Ov
from lighten.nets.runtimes.onnx_model import open_onnx
from lighten.nets.runtimes.ov_model import OvModel, save_ov
from lighten.quantize._sensitivity import error_of, sensitivity
from lighten.quantize.int8_static import Int8Static, calibration


def products(model: OvModel) -> dict[str, bool]:
    """Name of every product with constant weights, and whether its weights are int8."""
    found = {}
    for op in model.model.get_ops():
        if op.get_type_name() != "MatMul":
            continue
        node = op.input_value(1).get_node()
        kinds = []
        while node.get_input_size():
            node = node.input_value(0).get_node()
            kinds.append(node)
        if node.get_type_name() == "Constant" and len(node.shape) == 2:
            found[op.get_friendly_name()] = node.get_output_element_type(0).to_string() == "i8"
    return found


def test_products_are_int8_and_answers_are_near(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = Int8Static(rows=20).run(open_onnx(tiny_artifact("onnx")), tiny_needs())
    assert capfd.readouterr() == ("", ""), "quantizing must be silent"
    assert len(products(made)) >= 12
    assert all(products(made).values())
    (tmp_path / "made").mkdir()
    (tmp_path / "built").mkdir()
    save_ov(made, tmp_path / "made")
    artifact = Artifact.seal(tmp_path / "made", format="openvino-int8", meta=META)
    bytes_before = (tiny_artifact("onnx").path / "model.onnx").stat().st_size
    assert (tmp_path / "made" / "model.bin").stat().st_size < 0.5 * bytes_before
    Ov().build(artifact, tmp_path / "built")
    with Eager().open(tiny_artifact("hf"), threads=1) as eager, Ov().open(artifact, threads=1) as session:
        wanted, found = eager.run(texts()), session.run(texts())
    assert (found.argmax(1) == wanted.argmax(1)).mean() > 0.85


def test_the_most_sensitive_stay_in_float() -> None:
    model, needs = open_onnx(tiny_artifact("onnx")), tiny_needs()
    assert needs.tune is not None
    worst = sensitivity(model.proto, calibration(model, needs.tune.inputs[:20]), 1)[0][0]
    kept = products(Int8Static(rows=20, keep_float=1).run(model, needs))
    assert [name.removesuffix("/WithoutBiases") for name, int8 in kept.items() if not int8] == [worst]


def test_error_of_a_product_by_hand() -> None:
    x = np.array([[0.0, 255.0]], np.float32)
    w = np.array([[127.0], [1.0]], np.float32)
    assert error_of(x, w) == 0.0
    # 0.4 is rounded to 0 on a grid of whole numbers: 0 instead of 0.4 * 127
    assert error_of(np.array([[0.4, 0.0], [0.0, 255.0]], np.float32), w) == pytest.approx(
        50.8 / np.hypot(50.8, 255.0), rel=1e-3
    )


def test_a_layer_with_outliers_is_the_most_sensitive_one() -> None:
    import onnx

    model, needs = open_onnx(tiny_artifact("onnx")), tiny_needs()
    assert needs.tune is not None
    last = [n for n in model.proto.graph.node if n.op_type == "MatMul"][-1]
    gain = np.ones(128, np.float32)
    gain[0] = 1e4
    model.proto.graph.initializer.append(onnx.numpy_helper.from_array(gain, "gain"))
    node = onnx.helper.make_node("Mul", [last.input[0], "gain"], ["outliers"])
    last.input[0] = "outliers"
    place = list(model.proto.graph.node).index(last)
    model.proto.graph.node.insert(place, node)
    assert sensitivity(model.proto, calibration(model, needs.tune.inputs[:20]), 1)[0][0] == last.name


def test_without_tune_rows_it_says_so() -> None:
    needs = tiny_needs()
    assert needs.tune is not None
    for tune in (None, needs.tune.take([])):
        with pytest.raises(StepFailed, match="tune"):
            Int8Static().run(open_onnx(tiny_artifact("onnx")), replace(needs, tune=tune))
