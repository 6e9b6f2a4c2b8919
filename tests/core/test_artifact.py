"""An artifact opens only when every byte is what was sealed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import PICKLED, RECORD, Artifact, content_id, is_whole
from lighten.core.errors import LightenError, ModelError, UnsafeFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "sub").mkdir(parents=True)
    (made / "weights.safetensors").write_bytes(b"\x00\x01" * 500)
    (made / "config.json").write_text("{}")
    (made / "sub" / "extra.txt").write_text("hällo")
    return made


def sealed(folder: Path, **more: Any) -> Artifact:
    return Artifact.seal(folder, format="hf", **more)


def test_what_was_sealed_opens_the_same(folder: Path) -> None:
    made = sealed(
        folder,
        parent="p" * 64,
        step={"use": "prune.layers", "keep": 0.5},
        seed=3,
        versions={"torch": "2.5"},
        meta={"labels": ["né", "ja"], "max_tokens": 512},
    )
    assert Artifact.open(folder) == made
    assert Artifact.open(str(folder)) == made
    assert set(made.files) == {"weights.safetensors", "config.json", "sub/extra.txt"}
    assert made.size == 1000 + 2 + len("hällo".encode())
    assert made.step == {"use": "prune.layers", "keep": 0.5}


def test_whether_it_is_whole_is_a_question_and_no_error(folder: Path, tmp_path: Path) -> None:
    sealed(folder)
    assert is_whole(folder)
    (folder / "config.json").write_bytes(b"\0\0")
    assert not is_whole(folder)
    assert not is_whole(tmp_path / "nowhere")


def test_the_id_is_of_the_content_and_not_of_the_history(folder: Path, tmp_path: Path) -> None:
    first = sealed(folder, parent="a", seed=1, meta={"x": 1})
    assert sealed(folder, parent="b", seed=2).id == first.id
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    assert Artifact.open(moved).id == first.id
    (moved / "config.json").write_text("{ }")
    assert sealed(moved).id != first.id
    assert Artifact.seal(moved, format="onnx").id != sealed(moved).id
    (moved / "config.json").rename(moved / "config2.json")
    assert sealed(moved).id not in (first.id,)


def test_no_name_can_play_two_files() -> None:
    assert content_id({"a": "1", "b": "2"}, "hf") != content_id({"a 1\nb": "2"}, "hf")


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda f: (f / "config.json").write_text("[]"), "differs"),
        (lambda f: (f / "weights.safetensors").write_bytes(b"\x00\x01" * 499 + b"\x00\x02"), "differs"),
        (lambda f: (f / "config.json").unlink(), "lacks the file config.json"),
        (lambda f: (f / "new.json").write_text("{}"), "does not list"),
        (lambda f: (f / ".hidden").write_text("x"), "does not list"),
        (lambda f: (f / "sub" / "lighten.json").write_text("{}"), "does not list"),
        (lambda f: (f / "config.json").rename(f / "Config.json"), "lacks"),
    ],
)
def test_a_changed_folder_is_refused(folder: Path, harm: Any, word: str) -> None:
    sealed(folder)
    harm(folder)
    with pytest.raises(UnsafeFile, match=word) as caught:
        Artifact.open(folder)
    assert "do not run this copy" in str(caught.value)


def test_a_changed_record_is_refused(folder: Path) -> None:
    sealed(folder)
    path = folder / RECORD
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "id": "0" * 64}))
    with pytest.raises(UnsafeFile, match="does not follow from its files"):
        Artifact.open(folder)
    path.write_text(json.dumps({**record, "format": "onnx"}))
    with pytest.raises(UnsafeFile):
        Artifact.open(folder)
    path.write_text(json.dumps({**record, "files": {**record["files"], "../../etc/passwd": "0" * 64}}))
    with pytest.raises(UnsafeFile, match="lacks"):
        Artifact.open(folder)


def test_the_model_card_may_be_written_later(folder: Path) -> None:
    sealed(folder)
    (folder / "README.md").write_text("# card")
    assert Artifact.open(folder).format == "hf"


@pytest.mark.parametrize("kind", ["file", "folder", "record", "hard", "dangling", "fifo"])
def test_links_and_special_files_are_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    sealed(folder)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    if kind == "file":
        (folder / "config.json").unlink()
        (folder / "config.json").symlink_to(outside / "secret")
    elif kind == "folder":
        (folder / "linked").symlink_to(outside)
    elif kind == "record":
        (folder / RECORD).rename(outside / "record")
        (folder / RECORD).symlink_to(outside / "record")
    elif kind == "hard":
        os.link(folder / "config.json", outside / "other")
    elif kind == "dangling":
        (folder / "gone").symlink_to(tmp_path / "nowhere")
    else:
        os.mkfifo(folder / "pipe")
    with pytest.raises(UnsafeFile, match=r"link|plain file"):
        Artifact.open(folder)
    with pytest.raises(UnsafeFile):
        sealed(folder)


@pytest.mark.parametrize("suffix", sorted(PICKLED))
def test_pickles_are_refused(folder: Path, suffix: str) -> None:
    (folder / f"pytorch_model{suffix}").write_bytes(b"\x80\x04.")
    with pytest.raises(UnsafeFile, match="pickled") as caught:
        sealed(folder)
    assert "safetensors" in caught.value.allowed
    (folder / f"pytorch_model{suffix}").rename(folder / f"model{suffix.upper()}")
    with pytest.raises(UnsafeFile, match="pickled"):
        sealed(folder)


def test_weights_of_openvino_stand_beside_their_graph(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x00" * 8)
    (tmp_path / "other.xml").write_text('<?xml version="1.0"?>\n<net name="m" version="11"></net>')
    with pytest.raises(UnsafeFile, match="pickled"):
        Artifact.seal(tmp_path, format="openvino")
    (tmp_path / "model.xml").write_text("<nothing/>")
    with pytest.raises(UnsafeFile, match="pickled"):
        Artifact.seal(tmp_path, format="openvino")
    (tmp_path / "model.xml").write_text('<?xml version="1.0"?>\n<net name="m" version="11"></net>')
    assert Artifact.open(Artifact.seal(tmp_path, format="openvino").path).format == "openvino"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 2, "id": "a", "format": "hf", "files": {}}',
        '{"version": 1, "id": "", "format": "hf", "files": {}}',
        '{"version": 1, "id": "a", "format": 3, "files": {}}',
        '{"version": 1, "id": "a", "format": "hf", "files": []}',
        '{"version": 1, "id": "a", "format": "hf", "files": {}, "meta": []}',
        '{"version": 1, "id": "a", "format": "hf", "files": {}, "step": "x"}',
        '{"version": 1, "id": "a", "format": "hf", "files": {}, "seed": "x"}',
    ],
)
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ModelError):
        Artifact.open(tmp_path, verify=False)
    (tmp_path / RECORD).write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError):
        Artifact.open(tmp_path)


def test_a_folder_without_record_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no lighten\.json") as caught:
        Artifact.open(tmp_path)
    assert "winner" in caught.value.fix
    with pytest.raises(LightenError):
        Artifact.open(tmp_path / "nowhere")
