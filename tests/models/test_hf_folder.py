"""What is checked of a folder of the hub, and what of it is copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError, UnsafeFile
from lighten.models.hf_folder import (
    adapter_at,
    check_folder,
    copy_files,
    hub_files,
    kind_at,
    tensor_names,
    wanted_files,
)
from lighten.models.recognize import location_at
from lighten.testing.tiny import tiny_network_folder


def test_only_what_belongs_to_the_model_is_copied(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "model")
    (folder / "notes.txt").write_text("mine")
    (folder / "optimizer.pt").write_bytes(b"\x80\x02")
    names = check_folder(folder)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(names)
    assert not {"notes.txt", "optimizer.pt"} & {*names, *wanted_files(folder)}
    (tmp_path / "copy").mkdir()
    copy_files(folder, tmp_path / "copy", names)
    assert (tmp_path / "copy" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_code_and_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "model")
    (folder / "vocab.txt").symlink_to(tmp_path / "elsewhere.txt")
    (tmp_path / "elsewhere.txt").write_text("x")
    with pytest.raises(UnsafeFile, match="is a link to"):
        check_folder(folder)
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").write_text('{"auto_map": {}}')
    with pytest.raises(UnsafeFile, match="Python code of its own"):
        check_folder(folder)


def test_a_folder_without_a_config_is_nothing_to_it(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    assert kind_at(location_at(tmp_path)) is None and adapter_at(location_at(tmp_path), "SEQ_CLS") is None
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no config\.json, or an empty one"):
        kind_at(location_at(tmp_path))


def test_of_a_repository_every_part_of_the_weights_is_fetched() -> None:
    found = hub_files(["model-00001-of-00002.safetensors", "README.md", "pytorch_model.bin", "config.json"])
    assert "model-00001-of-00002.safetensors" in found and "config.json" in found
    assert not {"README.md", "pytorch_model.bin"} & set(found)


def test_names_of_weights_are_read_only_where_a_config_says_nothing_and_never_through_a_link(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "model")
    assert tensor_names(location_at(folder), {"architectures": ["BertModel"]}) == ()
    assert "classifier.weight" in tensor_names(location_at(folder), {})
    (folder / "model.safetensors").write_bytes(b"broken")
    assert tensor_names(location_at(folder), {}) == ()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnsafeFile, match="is a link to"):
        tensor_names(location_at(folder), {})
