"""Operators are found in ONNX files without a parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError
from lighten.files.onnx_file import has_operator

onnx = pytest.importorskip("onnx", reason="pip install 'lighten[ort]'")


def test_operators_are_found_and_names_of_nodes_are_none(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    node = helper.make_node("Relu", ["x"], ["Sigmoid"], name="Sigmoid")
    axes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "Sigmoid")]
    onnx.save(helper.make_model(helper.make_graph([node], "Sigmoid", axes[:1], axes[1:])), tmp_path / "a.onnx")
    assert has_operator(tmp_path / "a.onnx", "Relu") and has_operator(tmp_path / "a.onnx", "Add", "Relu")
    assert not has_operator(tmp_path / "a.onnx", "Sigmoid")


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "missing"):
        with pytest.raises(ModelError, match=name):
            has_operator(tmp_path / name, "Relu")
