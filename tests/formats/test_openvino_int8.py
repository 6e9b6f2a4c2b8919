"""An OpenVINO graph in 8-bit integers is what an engine opens: no step takes it."""

from __future__ import annotations

import pytest

from lighten.core.errors import ModelError
from lighten.formats.openvino_int8 import OpenvinoInt8
from lighten.testing.format_contract import check_declaration
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats() -> None:
    check_declaration(OpenvinoInt8())
    model = tiny_artifact("openvino-int8")
    assert {"model.xml", "model.bin"} <= set(model.files)
    with pytest.raises(ModelError, match="No step can open a model of format openvino-int8"):
        OpenvinoInt8().open(model, ())
