"""ONNX files are checked before native code sees them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import LightenError, ModelError, UnsafeFile
from lighten.readers.text import Encoder
from lighten.testing.tiny_artifacts import META, tiny_artifact

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'lighten[ort]'")

from lighten.nets.runtimes.onnx_model import FILE, WEIGHTS, answers, open_onnx, read_onnx, save_onnx  # noqa: E402


@pytest.fixture
def proto() -> onnx.ModelProto:
    return read_onnx(tiny_artifact("onnx").path)


def test_saved_and_opened_it_is_the_same(tmp_path: Path) -> None:
    model = open_onnx(tiny_artifact("onnx"))
    save_onnx(model, tmp_path)
    again = open_onnx(Artifact.seal(tmp_path, format="onnx", meta=META))
    assert again.proto == model.proto
    assert again.labels == ("negative", "positive")
    assert again.reader(["the film was good"]) == model.reader(["the film was good"])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "lighten.json",
        FILE,
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_weights_of_large_models_go_to_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighten.nets.runtimes.onnx_model.LARGEST", 1000)
    model = open_onnx(tiny_artifact("onnx"))
    asked = model.reader.batch([[2, 5, 3]])
    wanted = answers(model.proto, asked, 1)
    save_onnx(model, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_size > 10 * (tmp_path / FILE).stat().st_size
    assert np.array_equal(answers(model.proto, asked, 1), wanted), "saving must not change the model"
    assert np.array_equal(answers(read_onnx(tmp_path), asked, 1), wanted)


def external(proto: onnx.ModelProto, folder: Path, location: str, length: int | None = None) -> None:
    """Write ``proto`` with its first weight in ``location``."""
    tensor = next(t for t in proto.graph.initializer if len(t.raw_data) > 16)
    size = len(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, location, offset=0, length=length or size)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    (folder / FILE).write_bytes(proto.SerializeToString())


@pytest.mark.parametrize(
    "location", ["../secret.bin", "/etc/passwd", "a/../../secret", "C:\\secret", "..\\secret", "\\\\host\\share", ""]
)
def test_weights_outside_of_the_folder_are_refused(proto: onnx.ModelProto, tmp_path: Path, location: str) -> None:
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(10**6))
    external(proto, inside, location)
    with pytest.raises(LightenError) as caught:
        read_onnx(inside)
    assert type(caught.value) is UnsafeFile
    assert "outside" in str(caught.value)


@pytest.mark.parametrize("link", ["symlink", "hard link", "linked folder"])
def test_links_to_weights_are_refused(proto: onnx.ModelProto, tmp_path: Path, link: str) -> None:
    inside, outside = tmp_path / "model", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "w.data").write_bytes(bytes(10**6))
    if link == "symlink":
        (inside / "w.data").symlink_to(outside / "w.data")
    elif link == "hard link":
        os.link(outside / "w.data", inside / "w.data")
    else:
        (inside / "sub").symlink_to(outside, target_is_directory=True)
    external(proto, inside, "sub/w.data" if link == "linked folder" else "w.data")
    with pytest.raises(UnsafeFile, match="is a link"):
        read_onnx(inside)


def test_weights_that_are_missing_or_short_are_refused(proto: onnx.ModelProto, tmp_path: Path) -> None:
    external(proto, tmp_path, "w.data", length=4096)
    with pytest.raises(ModelError, match="missing"):
        read_onnx(tmp_path)
    (tmp_path / "w.data").write_bytes(b"1234")
    with pytest.raises(ModelError, match="too short"):
        read_onnx(tmp_path)


def test_weights_of_a_branch_are_looked_at_too(proto: onnx.ModelProto, tmp_path: Path) -> None:
    value = onnx.numpy_helper.from_array(np.zeros(8, np.float32), "inner")
    onnx.external_data_helper.set_external_data(value, "../secret.bin", offset=0, length=32)
    value.data_location = onnx.TensorProto.EXTERNAL
    value.ClearField("raw_data")
    out = onnx.helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, [8])
    branch = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["inner"], ["o"])], "b", [], [out], [value])
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "yes"))
    proto.graph.node.append(onnx.helper.make_node("If", ["yes"], ["x"], then_branch=branch, else_branch=branch))
    (tmp_path / FILE).write_bytes(proto.SerializeToString())
    with pytest.raises(UnsafeFile, match="outside"):
        read_onnx(tmp_path)


def test_operators_of_other_libraries_are_refused(proto: onnx.ModelProto, tmp_path: Path) -> None:
    proto.graph.node[0].domain = "evil.ops"
    (tmp_path / FILE).write_bytes(proto.SerializeToString())
    with pytest.raises(UnsafeFile, match=r"evil\.ops"):
        read_onnx(tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x07" * 500, None])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    whole = (tiny_artifact("onnx").path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelError):
        read_onnx(tmp_path)


def test_graphs_that_ask_for_what_no_reader_makes_are_refused(proto: onnx.ModelProto, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no"):
        read_onnx(tmp_path)
    for node in proto.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = "pixels" if name == "input_ids" else name
    proto.graph.input[0].name = "pixels"
    (tmp_path / FILE).write_bytes(proto.SerializeToString())
    Encoder.open(tiny_artifact("onnx").path).save(tmp_path)
    with pytest.raises(ModelError, match="asks for the inputs pixels"):
        open_onnx(Artifact(tmp_path, "", "onnx", {}))
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).symlink_to(tiny_artifact("onnx").path / FILE)
    with pytest.raises(UnsafeFile, match="symbolic link"):
        read_onnx(tmp_path)


def test_an_invalid_graph_is_refused(proto: onnx.ModelProto, tmp_path: Path) -> None:
    proto.graph.node[3].input[0] = "nobody makes this"
    (tmp_path / FILE).write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="not a valid"):
        read_onnx(tmp_path)
