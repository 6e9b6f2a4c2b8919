"""An OpenVINO graph is what an engine opens: no step takes it."""

from __future__ import annotations

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.formats.openvino import Openvino
from lighten.testing.format_contract import check_declaration
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_keeps_the_contract_of_formats() -> None:
    check_declaration(Openvino())
    model = tiny_artifact("onnx")
    with pytest.raises(ModelError, match="No step can open a model of format openvino"):
        Openvino().open(Artifact(model.path, "", "openvino", {}), ())
