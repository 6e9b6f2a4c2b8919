"""Pooling: what folders of sentence-transformers say, and what is refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import ModelError
from lighten.nets.encoders.pooling import MODULES, Pooling, pooling_in


def folder(path: Path, kinds: list[str], settings: dict[str, Any]) -> Path:
    path.mkdir()
    modules = [{"idx": n, "path": f"{n}_{one}" if n else "", "type": f"sentence_transformers.models.{one}"}
               for n, one in enumerate(kinds)]  # fmt: skip
    (path / MODULES).write_text(json.dumps(modules))
    (path / "1_Pooling").mkdir()
    (path / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    return path


@pytest.mark.parametrize("pooling", [Pooling(), Pooling("cls", False)])
def test_what_is_written_is_read_again(tmp_path: Path, pooling: Pooling) -> None:
    assert pooling_in(tmp_path) is None
    pooling.save(tmp_path, 32)
    assert pooling_in(tmp_path) == pooling
    assert json.loads((tmp_path / "1_Pooling" / "config.json").read_text())["word_embedding_dimension"] == 32


@pytest.mark.parametrize(
    ("kinds", "settings", "told"),
    [
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True}, "Transformer, Pooling, Dense"),
        (["Pooling"], {"pooling_mode_mean_tokens": True}, "the modules Pooling"),
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}, "pooling_mode_max_tokens"),
        (["Transformer", "Pooling"], {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, "max_tokens"),
        (["Transformer", "Pooling"], {}, "pools its tokens by nothing"),
    ],
)
def test_what_lighten_does_not_know_is_refused_by_its_name(
    tmp_path: Path, kinds: list[str], settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(ModelError, match=told):
        pooling_in(folder(tmp_path / "m", kinds, settings))


def test_newer_folders_name_the_mode(tmp_path: Path) -> None:
    found = pooling_in(folder(tmp_path / "m", ["Transformer", "Pooling", "Normalize"], {"pooling_mode": "cls"}))
    assert found == Pooling("cls", True)
