"""A Ray Serve application: its program has the model's answers, and the deployment around it says what it refuses."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from lighten.core.target import Source
from lighten.targets.ray import Ray
from lighten.testing.engine_contract import texts
from lighten.testing.require import client
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import tiny_artifact

ASKED = ["", "good", *texts(4)]


def test_contract(tmp_path: Path) -> None:
    check_target(Ray(), source_of(tiny_artifact("onnx-int8")), tmp_path, ASKED)
    tree = ast.parse((tmp_path / "app.py").read_text())
    assert "app" in {node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    assert "ray[serve]" in (tmp_path / "requirements.txt").read_text()
    assert "max_queued_requests" in (tmp_path / "app.py").read_text(), "a queue without a bound falls over"


def test_openvino(openvino_source: Source, tmp_path: Path) -> None:
    check_target(Ray(), openvino_source, tmp_path, ASKED[:3])


def test_pictures_come_as_base64(picture_source: Source, pictures: list[str], tmp_path: Path) -> None:
    check_target(Ray(), picture_source, tmp_path, pictures[:1])
    assert "self.answer(base64.b64decode(data))" in (tmp_path / "app.py").read_text()


def test_a_replica_answers_as_the_model_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve = client("ray.serve", "ray[serve]")
    found = check_target(Ray(), source_of(tiny_artifact("onnx")), tmp_path, ASKED)
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    app = importlib.import_module("app")
    handle: Any = serve.run(app.app, _local_testing_mode=True)
    assert json.loads(json.dumps(handle.answers.remote(ASKED).result())) == found
