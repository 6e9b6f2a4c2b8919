"""ONNX Runtime keeps the contract of engines, in float and int8, and refuses files that are not sound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError, ModelError
from lighten.engines.eager import Eager
from lighten.testing.engine_contract import check_engine, texts
from lighten.testing.tiny_artifacts import META, tiny_artifact

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")

from lighten.engines.ort import Ort


@pytest.mark.parametrize(
    ("engine", "format", "tolerance"),
    [
        (Ort(), "onnx", 1e-3),
        (Ort(streams=1, rows=5, tokens=60, spin=True), "onnx", 1e-3),
        (Ort(together=0), "onnx", 1e-3),
        (Ort(), "onnx-int8", 0.04),  # one range of activations for a whole batch
    ],
)
def test_contract(engine: Ort, format: str, tolerance: float, tmp_path: Path) -> None:
    built = check_engine(engine, tiny_artifact(format), tmp_path / "built", tolerance=tolerance)
    assert built.format == format


@pytest.mark.parametrize(("format", "tolerance"), [("onnx", 1e-4), ("onnx-int8", 0.1)])
def test_it_answers_as_eager_does(format: str, tolerance: float) -> None:
    with Eager().open(tiny_artifact("hf"), threads=1) as eager, Ort().open(tiny_artifact(format), threads=2) as session:
        wanted = eager.run(texts())
        found = session.run(texts())
        assert np.abs(found - wanted).max() < tolerance
        assert (found.argmax(1) == wanted.argmax(1)).mean() > 0.9


def test_several_threads_may_ask_one_session() -> None:
    with Ort().open(tiny_artifact("onnx"), threads=2) as session, ThreadPoolExecutor(4) as pool:
        wanted = session.run(texts())
        for found in pool.map(session.run, [texts()] * 8):
            assert np.abs(found - wanted).max() < 1e-4
        singles = list(pool.map(session.run, [[text] for text in texts()]))
        assert np.abs(np.concatenate(singles) - wanted).max() < 1e-4


def test_files_that_are_not_sound_are_refused(tmp_path: Path) -> None:
    for name, content in {"garbage": b"garbage", "empty": b""}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.onnx").write_bytes(content)
        with pytest.raises(ModelError):
            Ort().build(Artifact.seal(folder, format="onnx", meta=META), tmp_path)


def test_answers_that_are_not_finite_fail_the_build(tmp_path: Path) -> None:
    import onnx

    from lighten.nets.runtimes.onnx_model import open_onnx, save_onnx

    model = open_onnx(tiny_artifact("onnx"))
    weight = max(model.proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    broken = np.full(list(weight.dims), np.nan, np.float32)
    weight.CopyFrom(onnx.numpy_helper.from_array(broken, weight.name))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    save_onnx(model, tmp_path / "a")
    with pytest.raises(LightenError, match="not finite"):
        Ort().build(Artifact.seal(tmp_path / "a", format="onnx", meta=META), tmp_path / "b")
