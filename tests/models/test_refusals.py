"""What is no model is called by its name, and what lies beside it that is one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.format import Location
from lighten.models.refusals import holds_files_of_model, refusal_of_file, refusal_of_folder


def location(folder: Path) -> Location:
    """A folder as formats look at it."""
    names = sorted(one.name + ("/" if one.is_dir() else "") for one in folder.iterdir())
    return Location(str(folder), tuple(names), lambda name: {}, folder)


def test_data_in_the_place_of_a_model_is_sent_to_its_option(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label")
    assert "--data" in refusal_of_file(tmp_path / "rows.csv").fix
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(UnsafeFile, match="run code when opened"):
        refusal_of_file(tmp_path / "weights.bin")


def test_folders_inside_that_are_models_are_named_by_whoever_knows_them(tmp_path: Path) -> None:
    for name in ("one", "two", "notes"):
        (tmp_path / name).mkdir()
    with pytest.raises(ModelError, match="there are 2 in it: one, two") as refused:
        refusal_of_folder(location(tmp_path), lambda inside: inside.name != "notes")
    assert refused.value.fix == f"give {tmp_path / 'two'}"
    with pytest.raises(ModelError, match="has no weights"):
        refusal_of_folder(location(tmp_path), lambda inside: False)


def test_what_looks_like_a_model_is_no_folder_of_models(tmp_path: Path) -> None:
    assert not holds_files_of_model(tmp_path / "gone") and not holds_files_of_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert holds_files_of_model(tmp_path)
