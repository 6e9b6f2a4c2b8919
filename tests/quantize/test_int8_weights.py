"""Weight-only int8 for OpenVINO: matrices are int8 in the file, and the engine computes with int8 on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.engines.eager import Eager
from lighten.testing.engine_contract import texts
from lighten.testing.tiny_artifacts import META, tiny_artifact, tiny_needs

pytest.importorskip("openvino", reason="openvino is not installed: pip install 'lighten[ov]'")
pytest.importorskip("nncf", reason="nncf is not installed: pip install 'lighten[ov]'")

from lighten.engines.ov import Ov
from lighten.nets.runtimes.onnx_model import open_onnx
from lighten.nets.runtimes.ov_model import save_ov
from lighten.quantize.int8_weights import Int8Weights


@pytest.mark.parametrize(("symmetric", "kind"), [(True, "i8"), (False, "u8")])
def test_matrices_are_int8(symmetric: bool, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = open_onnx(tiny_artifact("onnx"))
    made = Int8Weights(symmetric=symmetric).run(model, tiny_needs())
    assert capfd.readouterr() == ("", ""), "quantizing must be silent"
    kinds = [
        op.get_output_element_type(0).to_string()
        for op in made.model.get_ops()
        if op.get_type_name() == "Constant" and len(op.shape) == 2 and min(op.shape) >= 2
    ]
    assert kinds.count(kind) >= 14
    assert "f32" not in kinds
    save_ov(made, tmp_path)
    assert (tmp_path / "model.bin").stat().st_size < 0.4 * (tiny_artifact("onnx").path / "model.onnx").stat().st_size


def test_groups_of_activations_have_scales_of_their_own(tmp_path: Path) -> None:
    """Float activations leave the error of the weights; int8 ones add theirs, and it is small."""
    Ov().build(tiny_artifact("openvino-int8"), tmp_path)
    built = Artifact.seal(tmp_path, format="openvino-int8", meta=META)
    with Eager().open(tiny_artifact("hf"), threads=1) as eager:
        wanted = eager.run(texts())
    apart = {}
    for group in (0, 32):
        with Ov(group=group).open(built, threads=1) as session:
            apart[group] = float(np.sqrt(np.mean((session.run(texts()) - wanted) ** 2)))
    assert 0 < apart[0] < 0.02
    assert apart[32] < 0.02
