"""The story that a user lives with pictures: a folder for each class and a tiny network without a head."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lighten.store.summaries import summary_from
from lighten.testing.tiny_pictures import LABELS, tiny_pictures, tiny_vision_folder

PICTURES = 900


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its model and data."""
    folder = tmp_path_factory.mktemp("pictures")
    tiny_vision_folder(folder / "model", "resnet", head=False)
    rows = tiny_pictures(folder / "all", PICTURES)
    for item, target in zip(rows.inputs, rows.targets, strict=True):
        place = folder / "data" / LABELS[target]
        place.mkdir(parents=True, exist_ok=True)
        shutil.move(item.path, place)  # type: ignore[union-attr]
    done = command(
        "optimize", folder / "model", "--data", folder / "data", "--keep", "accuracy>=-5pt", "--minimize", "size",
        "--candidates", "3", "--engines", "ort", "--out", folder / "run", "--json",
    )  # fmt: skip
    (folder / "stdout.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_optimize_finds_a_smaller_winner(told: Path) -> None:
    summary = summary_from(json.loads((told / "stdout.json").read_text(encoding="utf-8")))
    assert summary.state == "winner" and summary.winner is not None
    assert all(verdict["state"] == "holds" for verdict in summary.verdicts)
    assert summary.winner.ratio["size"] > 1
    assert (told / "run" / "report.html").stat().st_size > 0


def test_the_winner_predicts_files(told: Path) -> None:
    shown = [next((told / "data" / label).glob("*.png")) for label in LABELS]
    done = command("predict", told / "run" / "winner", *shown)
    for label in LABELS:
        assert label in done.stdout
