"""Conversions are found that keep every answer, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.recipe import record_of, task_record_of
from lighten.engines.eager import Eager
from lighten.engines.ov import Ov
from lighten.pipeline.convert import carry_out, convert, way_to
from lighten.tasks.text_classification import TextClassification
from lighten.testing.engine_contract import texts
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact


def names(format: str, *wanted: str) -> list[str] | None:
    way = way_to(tiny_artifact(format), wanted)
    return None if way is None else [catalog.name_of(one) for one in way]


@pytest.mark.parametrize(
    ("format", "wanted", "way"),
    [
        ("onnx", ("onnx", "onnx-int8"), []),
        ("hf", ("onnx",), ["export.onnx"]),
        ("hf", ("openvino", "openvino-int8"), ["export.onnx", "ov"]),
        ("onnx", ("openvino",), ["ov"]),
        ("onnx-int8", ("openvino", "openvino-int8"), None),
        ("openvino-int8", ("onnx", "onnx-int8"), None),
        ("hf", ("onnx-int8",), None),
        ("onnx", ("hf",), None),
        ("hf", ("gguf",), None),
    ],
)
def test_the_way_is_the_shortest_that_changes_no_number(
    format: str, wanted: tuple[str, ...], way: list[str] | None
) -> None:
    assert names(format, *wanted) == way


def test_what_a_way_makes_answers_the_same(tmp_path: Path) -> None:
    artifact = tiny_artifact("hf")
    way = way_to(artifact, ("openvino",))
    assert way is not None
    made = carry_out(
        str(artifact.path),
        [record_of(one) for one in way],
        task_record_of(TextClassification()),
        list(LABELS),
        str(tmp_path),
        1,
    )
    found = Artifact.open(Path(made))
    assert found.format == "openvino" and found.meta["engine"]["use"] == "ov"
    with Eager().open(artifact, threads=1) as eager, Ov().open(found, threads=1) as session:
        assert np.abs(eager.run(texts()) - session.run(texts())).max() < 1e-3


def test_it_is_done_in_a_process_of_its_own(tmp_path: Path) -> None:
    way = way_to(tiny_artifact("onnx"), ("openvino",))
    assert way is not None
    made = convert(tiny_artifact("onnx"), way, TextClassification(), LABELS, tmp_path / "made", threads=1)
    assert made.format == "openvino" and made.parent == tiny_artifact("onnx").id
