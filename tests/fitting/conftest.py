"""A training to be asked for: a tiny network beside rows of two labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.fitting.options import FitOptions
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.fixture
def options(tmp_path: Path) -> FitOptions:
    tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    toy = toy_rows(200)
    rows = "".join(f"{text},{target}\n" for text, target in zip(toy.inputs, toy.targets, strict=True))
    (tmp_path / "data.csv").write_text("text,label\n" + rows, encoding="utf-8")
    return FitOptions(
        str(tmp_path / "net"), str(tmp_path / "data.csv"), tmp_path / "run", "text_classification", DataOptions()
    )
