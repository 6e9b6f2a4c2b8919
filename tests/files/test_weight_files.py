"""Which files are a model's weights: what else lies beside them is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lighten.core.errors import ModelError
from lighten.files.weight_files import weight_files
from lighten.nets.facts import weights


def put(folder: Path, name: str) -> None:
    save_file({"a": torch.ones(2)}, folder / name)


def test_one_file_counts_whatever_lies_beside_it(tmp_path: Path) -> None:
    for name in ("model.safetensors", "consolidated.safetensors", "adapter_model.safetensors"):
        put(tmp_path, name)
    assert weight_files(tmp_path) == ["model.safetensors"]
    assert list(weights(tmp_path)) == ["a"]  # not "once more"


def test_parts_are_those_of_the_index(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no weights"):
        weight_files(tmp_path)
    for name in ("m-1.safetensors", "m-2.safetensors", "other.safetensors"):
        put(tmp_path, name)
    with pytest.raises(ModelError, match="3 weights files and no model"):
        weight_files(tmp_path)
    index = {"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert weight_files(tmp_path) == ["m-1.safetensors", "m-2.safetensors"]
    (tmp_path / "m-2.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks m-2\.safetensors"):
        weight_files(tmp_path)
