"""A language model as an OpenVINO graph is what an engine opens: no step takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.formats.openvino_causal import OpenvinoCausal
from lighten.testing.format_contract import check_declaration


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(OpenvinoCausal())
    with pytest.raises(ModelError, match="No step can open a model of format openvino-causal"):
        OpenvinoCausal().open(Artifact(tmp_path, "", "openvino-causal", {}), ())
