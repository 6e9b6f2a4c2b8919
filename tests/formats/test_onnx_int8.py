"""An ONNX graph in 8-bit integers is opened and saved bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError
from lighten.formats.onnx_int8 import OnnxInt8
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_artifacts import tiny_artifact


def test_networks_that_scale_whole_batches_are_told_from_others(tmp_path: Path) -> None:
    scaled, fixed = tiny_artifact("onnx-int8"), tiny_artifact("onnx")
    assert not OnnxInt8().batch_invariant(scaled.path) and OnnxInt8().batch_invariant(fixed.path)
    with pytest.raises(ModelError, match="cannot be read"):
        OnnxInt8().batch_invariant(tmp_path)


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(OnnxInt8())
    again = check_round_trip(OnnxInt8(), tiny_artifact("onnx-int8"), tmp_path / "again")
    assert again.size < tiny_artifact("onnx").size
