"""What a report calls steps and engines comes from their plug-ins; baselines are known by their format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.result import Candidate
from lighten.core.summary import Link
from lighten.quantize.int8_dynamic import Int8Dynamic
from lighten.search.naming import baselines, titles


def test_every_step_and_engine_of_a_run_has_its_title_and_strange_ones_are_left_out() -> None:
    made = Candidate(1, "a", ({"use": "quantize.int8_dynamic"}, {"use": "quantize.of_another_machine"}), "elsewhere")
    found = titles([made, replace(made, key=2, engine="ort")], [Link("b", {"step": "export.onnx"}, "a", "onnx", 1.0)])
    assert found["quantize.int8_dynamic"] == Int8Dynamic.title
    assert found["ort"] == ("ONNX Runtime", "ONNX Runtime")
    assert found["export.onnx"] == ("written as an ONNX file", "写成 ONNX 文件")
    assert "quantize.of_another_machine" not in found
    assert "elsewhere" not in found


def test_baselines_are_known_by_the_format_of_what_was_built(tmp_path: Path) -> None:
    stored = {}
    for format in ("byte-lm", "onnx"):
        folder = tmp_path / format
        folder.mkdir()
        (folder / "weights").write_bytes(format.encode())
        one = Artifact.seal(folder, format=format)
        stored[one.id] = one
    ids = [*stored, "gone"]
    every = [Candidate(key, "x", (), "e", artifact=artifact) for key, artifact in enumerate(ids)]
    assert baselines(every, stored) == (0,)
