"""Architectures with random weights, from a config alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lighten.core.errors import ModelError
from lighten.models.recognize import recognize
from lighten.models.scratch import config_at, format_of_config, write_random
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_language
from lighten.testing.tiny_pictures import tiny_vision_folder


def bare(source: Path, folder: Path, *names: str) -> Path:
    """The config of a model, and some files beside it."""
    folder.mkdir()
    for name in ("config.json", *names):
        shutil.copyfile(source / name, folder / name)
    return folder / "config.json"


def test_each_kind_is_written_as_what_it_is(tmp_path: Path) -> None:
    tokenizer = ("tokenizer.json", "tokenizer_config.json")
    made = {
        "hf": bare(tiny_network_folder(tmp_path / "a", layers=2), tmp_path / "x", *tokenizer),
        "hf-causal": bare(tiny_language("llama", tmp_path / "b"), tmp_path / "y", *tokenizer),
        "hf-image": bare(tiny_vision_folder(tmp_path / "c"), tmp_path / "z"),
    }
    for format, config in made.items():
        assert format_of_config(config).replace("_", "-") == format
        found = recognize(Path(write_random(str(config), str(tmp_path / "made" / format), 3, False)["path"]))
        assert found.format.replace("_", "-") == format
        same = write_random(str(config), str(tmp_path / "again" / format), 3, False)["path"]
        states = [load_file(Path(path) / "model.safetensors") for path in (found.path, same)]
        assert all((states[0][name] == states[1][name]).all() for name in states[0])


def test_what_cannot_be_built_is_refused(tmp_path: Path) -> None:
    source = tiny_network_folder(tmp_path / "a", layers=2)
    config = bare(source, tmp_path / "x")
    with pytest.raises(ModelError, match=r"no tokenizer beside(.|\n)*copy the tokenizer"):
        write_random(str(config), str(tmp_path / "made"), 0, False)
    config.write_text(json.dumps({**json.loads(config.read_text()), "auto_map": {}}))
    with pytest.raises(ModelError, match="Python code"):
        write_random(str(config), str(tmp_path / "other"), 0, False)
    assert config_at(tmp_path / "x") == config and config_at(config) == config and config_at(tmp_path) is None
