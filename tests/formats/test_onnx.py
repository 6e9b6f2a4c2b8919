"""An ONNX graph is opened and saved bit for bit."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.onnx import Onnx
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(Onnx())
    assert check_round_trip(Onnx(), tiny_artifact("onnx"), tmp_path / "again").format == "onnx"


def test_a_graph_is_for_any_task_that_chooses_a_class() -> None:
    assert {"text_classification", "image_classification"} <= set(Onnx.tasks)
