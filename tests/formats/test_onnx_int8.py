"""An ONNX graph in 8-bit integers is opened and saved bit for bit."""

from __future__ import annotations

from pathlib import Path

from lighten.formats.onnx_int8 import OnnxInt8
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(OnnxInt8())
    again = check_round_trip(OnnxInt8(), tiny_artifact("onnx-int8"), tmp_path / "again")
    assert again.size < tiny_artifact("onnx").size
