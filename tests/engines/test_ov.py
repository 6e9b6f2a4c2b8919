"""OpenVINO keeps the contract of engines, in float and int8, and refuses files that are not sound."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError, ModelError, UnsafeFile
from lighten.engines.eager import Eager
from lighten.testing.engine_contract import check_engine, texts
from lighten.testing.tiny_artifacts import META, tiny_artifact

pytest.importorskip("openvino", reason="openvino is not installed: pip install 'lighten[ov]'")

from lighten.engines.ov import Ov


@pytest.mark.parametrize(
    ("engine", "format", "tolerance"),
    [
        (Ov(), "onnx", 1e-3),
        (Ov(streams=1, rows=5, tokens=60, bucket=1), "onnx", 1e-3),
        (Ov(group=32), "openvino-int8", 0.02),
    ],
)
def test_contract(engine: Ov, format: str, tolerance: float, tmp_path: Path) -> None:
    built = check_engine(engine, tiny_artifact(format), tmp_path / "built", tolerance=tolerance)
    assert built.format == ("openvino" if format == "onnx" else format)
    if format == "onnx":
        check_engine(engine, built, tmp_path / "again")


@pytest.mark.parametrize(("format", "tolerance"), [("onnx", 1e-4), ("openvino-int8", 0.1)])
def test_it_answers_as_eager_does(format: str, tolerance: float, tmp_path: Path) -> None:
    Ov().build(tiny_artifact(format), tmp_path)
    built = Artifact.seal(tmp_path, format="openvino", meta=META)
    with Eager().open(tiny_artifact("hf"), threads=1) as eager, Ov().open(built, threads=2) as session:
        wanted = eager.run(texts())
        found = session.run(texts())
        assert np.abs(found - wanted).max() < tolerance
        assert (found.argmax(1) == wanted.argmax(1)).mean() > 0.9


def test_padding_stays_within_the_positions_of_the_model(tmp_path: Path) -> None:
    Ov().build(tiny_artifact("onnx"), tmp_path)
    built = Artifact.seal(tmp_path, format="openvino", meta=META)
    long = [" ".join(texts())] * 3
    with Ov(bucket=48).open(built, threads=1) as wide, Ov().open(built, threads=1) as session:
        assert np.abs(wide.run(long) - session.run(long)).max() < 1e-3
        assert np.abs(wide.run(long[:1]) - session.run(long[:1])).max() < 1e-3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an IR that may be damaged."""
    source = tiny_artifact("openvino-int8").path
    shutil.copytree(source, tmp_path / "copy", ignore=shutil.ignore_patterns("lighten.json"))
    return tmp_path / "copy"


def damage(folder: Path, old: str, new: str) -> Artifact:
    path = folder / "model.xml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return Artifact.seal(folder, format="openvino-int8", meta=META)


def test_operators_of_other_libraries_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="evil"):
        Ov().build(damage(folder, 'version="opset1"', 'version="evil"'), tmp_path)


def test_entities_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="entities"):
        Ov().build(damage(folder, "<net", '<!DOCTYPE net [<!ENTITY a "b">]><net'), tmp_path)


def test_constants_outside_of_the_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="outside"):
        Ov().build(damage(folder, 'offset="0"', 'offset="999999999"'), tmp_path)


def test_garbage_is_refused(folder: Path, tmp_path: Path) -> None:
    artifact = Artifact.seal(folder, format="openvino-int8", meta=META)
    (folder / "model.xml").write_text("garbage")
    with pytest.raises(ModelError, match="not XML"):
        Ov().build(artifact, tmp_path)
    (folder / "model.xml").write_text('<net name="a" version="11"></net>')
    with pytest.raises(LightenError):
        Ov().build(artifact, tmp_path)
    (folder / "model.bin").unlink()
    with pytest.raises(ModelError, match="missing"):
        Ov().build(artifact, tmp_path)
