"""A model is handed over whole or not at all: asked afterwards, refused where it would be another model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import lighten
from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, InputError, ModelError, RunFolderError, UnknownName
from lighten.core.rows import Parts, Rows
from lighten.core.target import Source
from lighten.store.decode import decode
from lighten.store.folder import save_parts
from lighten.store.summaries import save_summary
from lighten.targets.onnx import Onnx
from lighten.testing import summaries
from lighten.testing.plugin import installed, plugin_package
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_artifacts import LABELS, META, tiny_artifact
from lighten.verbs import agreement
from lighten.verbs.agreement import Witness
from lighten.verbs.export import name_for
from lighten.verbs.schema import kind_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose winner is int8 in ONNX, with its rows and its summary."""
    folder = tmp_path / "my reviews"
    shutil.copytree(tiny_artifact("onnx-int8").path, folder / "winner")
    Artifact.seal(folder / "winner", format="onnx-int8", meta={**META, "engine": {"use": "ort"}})
    save_parts(Parts(Rows((), ()), Rows((), ()), toy_rows(20), toy_rows(4, 1), LABELS, ()), folder / "parts.json")
    save_summary(summaries.winner(), folder / "summary.json")
    return folder


def test_a_winner_is_written_asked_and_described(run: Path, tmp_path: Path) -> None:
    found = lighten.export(run, "onnx", tmp_path / "out", rows=7)
    assert (found.target, found.format, found.way) == ("onnx", "onnx-int8", ())
    assert (found.rows, found.asked) == (7, "select") and found.apart is not None and found.apart < 1e-3
    assert found.name == "my_reviews"
    assert set(found.files) == {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "7 inputs (rows of the run) were asked" in page and "验证" in page and "negative, positive" in page
    assert "accuracy" in page, "what was proved is said"
    problems: list[str] = []
    decode(json.loads(json.dumps(found.to_json())), kind_of("export"), "export", problems)
    assert not problems


def test_a_float_network_is_exported_by_steps_that_keep_every_answer(tmp_path: Path) -> None:
    found = lighten.export(tiny_artifact("hf").path, "onnx", tmp_path / "out")
    assert found.way == ("export.onnx",) and found.asked == "examples" and found.rows == 4
    assert "There is no summary of a run" in (tmp_path / "out" / "README.md").read_text()
    both = lighten.export(tiny_artifact("hf").path, "openvino", tmp_path / "other")
    assert both.way == ("export.onnx", "ov") and both.apart is not None and both.apart < 1e-3


def test_what_would_be_another_model_is_refused_with_what_can_be_done(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        lighten.export(run, "openvino", tmp_path / "out")
    said = str(caught.value)
    assert "onnx-int8" in said and "another model" in said
    assert "docker" in caught.value.allowed and "openvino" not in caught.value.allowed
    assert "--engines ov" in caught.value.fix and "--to onnx OUT" in caught.value.fix
    with pytest.raises(ModelError) as caught:
        lighten.export(tiny_artifact("openvino-int8").path, "onnx", tmp_path / "out")
    assert "openvino" in caught.value.allowed and "--engines ort" in caught.value.fix
    with pytest.raises(ModelError) as caught:
        lighten.export(run, "gguf", tmp_path / "out")
    assert "--engines" not in caught.value.fix, "no engine makes a classifier one"


def test_what_a_conversion_would_not_change_is_no_way_out(tmp_path: Path) -> None:
    shutil.copytree(tiny_artifact("onnx").path, tmp_path / "model")
    meta = {**META, "task": "text_embedding", "labels": [], "engine": {"use": "ort"}}
    Artifact.seal(tmp_path / "model", format="onnx", meta=meta)
    for target in ("openvino", "triton", "ray"):
        with pytest.raises(ModelError, match="not one class of one list") as caught:
            lighten.export(tmp_path / "model", target, tmp_path / "out")
        assert not {"openvino", "triton", "ray"} & set(caught.value.allowed.replace(",", " ").split())
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*.part"))


def test_a_place_with_something_in_it_is_refused_and_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(RunFolderError, match="not empty"):
        lighten.export(run, "onnx", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
    (tmp_path / "out" / "mine").unlink()
    lighten.export(run, "onnx", tmp_path / "out", rows=1)
    assert (tmp_path / "out" / "model.onnx").is_file()


def test_other_answers_are_an_error_and_nothing_is_left(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(self: Onnx, source: Source, folder: Path) -> None:
        written(self, source, folder)
        config = json.loads((folder / "config.json").read_text())
        config["id2label"] = {"0": "positive", "1": "negative"}
        (folder / "config.json").write_text(json.dumps(config))

    written = Onnx.write
    monkeypatch.setattr(Onnx, "write", turned)
    with pytest.raises(BuildFailed, match="answers differently"):
        lighten.export(run, "onnx", tmp_path / "new" / "deep" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my reviews"], "nor are the folders above it"


@pytest.mark.parametrize("name", ["parts.json", "summary.json"])
def test_a_damaged_file_of_the_run_is_an_error_and_its_winner_can_be_exported_alone(
    name: str, run: Path, tmp_path: Path
) -> None:
    (run / name).write_text('{"labels": [')
    with pytest.raises(RunFolderError, match=name) as caught:
        lighten.export(run, "onnx", tmp_path / "out")
    assert f"cp -r {run / 'winner'}" in caught.value.fix and not (tmp_path / "out").exists()


def test_a_run_without_its_rows_is_asked_examples_which_is_said(run: Path, tmp_path: Path) -> None:
    (run / "parts.json").unlink()
    found = lighten.export(run, "onnx", tmp_path / "out")
    assert found.asked == "examples" and found.rows == 4 and found.changed == 0
    assert "4 inputs (built-in examples) were asked" in (tmp_path / "out" / "README.md").read_text()


def test_labels_that_are_as_likely_and_change_places_are_counted(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close(label: str, first: float) -> dict[str, object]:
        return {"label": label, "scores": {"negative": first, "positive": 1 - first}}

    monkeypatch.setattr(Witness, "_wanted", lambda self, items: [close("negative", 0.501) for _ in items])
    monkeypatch.setattr(
        agreement, "plain_answers", lambda *a, **k: [close("positive", 0.499), *[close("negative", 0.501)] * 2]
    )
    found = lighten.export(run, "onnx", tmp_path / "out", rows=3)
    assert found.changed == 1 and "1 of them got another label" in (tmp_path / "out" / "README.md").read_text()


def test_a_place_below_a_file_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunFolderError, match=r"file, which is a file") as caught:
        lighten.export(run, "onnx", tmp_path / "file" / "a" / "out")
    assert caught.value.fix == "give a folder below an existing one"


def test_what_was_copied_is_compared_by_its_hashes(run: Path, tmp_path: Path) -> None:
    found = lighten.export(run / "winner", "docker", tmp_path / "out")
    assert (found.rows, found.apart, found.asked) == (0, None, "")
    assert Artifact.open(tmp_path / "out" / "model").format == "onnx-int8"


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"to": "onx"}, UnknownName, "'onnx'"),
        ({"name": "a-b"}, InputError, "underscores"),
        ({"rows": 0}, InputError, "at least 1"),
        ({"model": "nowhere"}, ModelError, "nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    given: dict[str, str], error: type[InputError], words: str, tmp_path: Path
) -> None:
    asked = {"model": str(tiny_artifact("onnx").path), "to": "onnx", "out": str(tmp_path / "out"), **given}
    with pytest.raises(error) as caught:
        lighten.export(**asked)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


MINE = '''"""A folder of my own."""
from lighten.core.target import Target, Way

class Mine(Target):
    """One answer to everything."""

    title = ("mine", "我的")
    consumes = ("onnx",)

    def write(self, source, folder):
        first = source.labels[0]
        said = {"label": first, "scores": {label: float(label == first) for label in source.labels}}
        (folder / "run.py").write_text(f"def answer(value): return {said}")

    def about(self, source):
        return "Mine.", "我的。"

    def ways(self, source):
        return [Way(("Run it", "运行"), "python run.py")]
'''


def test_a_package_brings_a_target_which_is_asked_as_every_other(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    plugin_package(tmp_path / "packages", "targets", "mine", MINE)
    with installed(tmp_path / "packages"):
        assert "mine" in catalog.names("targets")
        with pytest.raises(BuildFailed, match="answers differently"):
            lighten.export(tiny_artifact("hf").path, "mine", tmp_path / "out")
    with pytest.raises(UnknownName):
        lighten.export(tiny_artifact("hf").path, "mine", tmp_path / "out")


@pytest.mark.parametrize(
    ("path", "name"),
    [("runs/reviews/winner", "reviews"), ("runs/a b/model", "a_b"), ("/x/2024/winner", "winner"), ("/映/画", "model")],
)
def test_servers_call_a_model_after_its_run(path: str, name: str) -> None:
    assert name_for(Path(path), path) == name
