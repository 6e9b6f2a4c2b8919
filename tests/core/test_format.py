"""What a format says when it says nothing else, and how a model is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.format import Format, Location, Recognized


class Clay(Format):
    """Made, and never brought."""

    tasks, home, noun = ("pottery",), "kiln", "a pot"

    def save(self, model: Any, folder: Path) -> Mapping[str, Any]:
        """Nothing to say."""
        return {}


FOUND = Recognized(Path("pot"), "clay", "Amphora", "a pot", ("pottery", "storage"))


def test_a_model_is_described_by_what_it_is_and_what_it_is_for() -> None:
    assert (FOUND.described, FOUND.task) == ("a pot (Amphora)", "pottery")
    with pytest.raises(ModelError, match="does not say what it was made for"):
        assert replace(FOUND, tasks=()).task


def test_a_place_is_a_file_a_folder_or_a_repository(tmp_path: Path) -> None:
    (tmp_path / "pot.clay").write_bytes(b"x")
    assert Location("pot.clay", ("pot.clay",), dict, tmp_path / "pot.clay").is_file
    assert not Location(str(tmp_path), ("pot.clay",), dict, tmp_path).is_file
    assert Location("org/pots", ("pot.clay",), dict).root == Path("org/pots")


def test_what_is_made_here_is_neither_recognised_brought_nor_opened(tmp_path: Path) -> None:
    clay = Clay()
    assert clay.recognize(Location("pots", ("pot.clay",), dict)) is None
    assert clay.memory({}) == {} and clay.traffic(tmp_path, {}) is None and not clay.borrow(FOUND, tmp_path)
    artifact = Artifact(tmp_path, "", "clay", {})
    assert clay.shorten(artifact, 8) is artifact
    with pytest.raises(ModelError, match="are made by lighten, not brought"):
        clay.bring(FOUND, tmp_path, "pot")
    with pytest.raises(ModelError, match="No step can open a model of format clay"):
        clay.open(artifact, ())
