"""A Triton repository: three models whose files fit together, with the model's answers, also of many rows at once."""

from __future__ import annotations

import runpy
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.target import Source
from lighten.targets.triton import Triton
from lighten.testing.engine_contract import texts
from lighten.testing.require import client
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import tiny_artifact

ASKED = ["", "good", *texts(5)]


class Tensor:
    """Stands for Triton's own."""

    def __init__(self, name: str, array: Any) -> None:
        self.named, self.array = name, array

    def as_numpy(self) -> Any:
        return self.array


class Response:
    """Stands for Triton's own."""

    def __init__(self, tensors: list[Tensor] | None = None, error: Exception | None = None) -> None:
        self.tensors, self.error = {one.named: one.array for one in tensors or []}, error


@pytest.fixture
def utils(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Triton's Python backend gives a model."""
    stub: Any = types.ModuleType("triton_python_backend_utils")
    stub.Tensor, stub.InferenceResponse, stub.TritonError = Tensor, Response, RuntimeError
    stub.get_input_tensor_by_name = lambda request, name: request[name]
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", stub)


def test_contract(tmp_path: Path) -> None:
    check_target(Triton(), source_of(tiny_artifact("onnx-int8"), name="reviews"), tmp_path, ASKED)
    root = tmp_path / "models"
    assert {path.name for path in root.iterdir()} == {"reviews", "reviews_reader", "reviews_network"}
    for name in ("reviews", "reviews_network"):
        assert (root / name / "labels.txt").read_text() == "negative\npositive\n"
        assert 'label_filename: "labels.txt"' in (root / name / "config.pbtxt").read_text()
    assert all((path / "1").is_dir() and (path / "config.pbtxt").is_file() for path in root.iterdir())


def test_rows_are_computed_together_only_where_no_answer_depends_on_the_others(tmp_path: Path) -> None:
    for format, most, words in (("onnx", 32, False), ("onnx-int8", 1, True)):
        source = source_of(tiny_artifact(format))
        (tmp_path / format).mkdir()
        Triton().write(source, tmp_path / format)
        said = [path.read_text() for path in (tmp_path / format / "models").glob("*/config.pbtxt")]
        assert len(said) == 3 and all(f"max_batch_size: {most}\n" in text for text in said)
        assert sum("dynamic_batching" in text for text in said) == (most > 1)
        english, chinese = Triton().about(source)
        assert "Triton itself was not run" in english and "并未运行 Triton" in chinese
        assert ("one row at a time" in english) == ("每次只接收一行" in chinese) == words


def test_pictures(picture_source: Source, pictures: list[str], tmp_path: Path) -> None:
    check_target(Triton(), picture_source, tmp_path, pictures)
    assert "dims: [ 3, 32, 32 ]" in (tmp_path / "models" / "tiny_reader" / "config.pbtxt").read_text()


@pytest.mark.usefixtures("utils")
def test_rows_of_one_request_are_padded_and_bad_bytes_are_an_error_of_that_request(tmp_path: Path) -> None:
    Triton().write(source_of(tiny_artifact("onnx")), tmp_path)
    model = runpy.run_path(str(tmp_path / "models" / "tiny_reader" / "1" / "model.py"))["TritonPythonModel"]()
    both = {"INPUT": Tensor("INPUT", np.array([[b"good"], [b"a very good film indeed"]], object))}
    broken = {"INPUT": Tensor("INPUT", np.array([[b"\xff\xfe"]], object))}
    found, other = model.execute([both, broken])
    ids, mask = found.tensors["input_ids"], found.tensors["attention_mask"]
    assert ids.shape == mask.shape and ids.dtype == np.int64
    assert mask.sum(axis=1).tolist()[0] < ids.shape[1] == mask.sum(axis=1).tolist()[1]
    assert (ids[0][mask[0] == 0] == 0).all(), "the padding token"
    assert found.error is None and "UnicodeDecodeError" in str(other.error)


def test_labels_with_line_breaks_are_refused() -> None:
    assert "line break" in Triton().check(replace(source_of(tiny_artifact("onnx")), labels=("a\nb", "c")))


def test_the_configurations_are_what_triton_reads(tmp_path: Path) -> None:
    grpc = client("tritonclient.grpc", "tritonclient[grpc]")
    from google.protobuf import text_format

    for format, most in (("onnx", 32), ("onnx-int8", 1)):
        (tmp_path / format).mkdir()
        Triton().write(source_of(tiny_artifact(format)), tmp_path / format)
        for path in (tmp_path / format / "models").iterdir():
            config = text_format.Parse((path / "config.pbtxt").read_text(), grpc.model_config_pb2.ModelConfig())
            assert config.name == path.name and config.max_batch_size == most
