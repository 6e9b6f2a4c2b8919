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


@pytest.fixture(scope="module")
def fresh(told: Path) -> Path:
    """A table of pictures that neither model was made with, each by one of two cameras."""
    rows = tiny_pictures(told / "new", 240, seed=9)
    lines = [f"{at}.png,{LABELS[target]},{'left' if at % 2 else 'right'}" for at, target in enumerate(rows.targets)]
    path = told / "new" / "new.csv"
    path.write_text("\n".join(["photo,label,camera", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def original(told: Path) -> str:
    """The trained original of the run."""
    return str(json.loads((told / "stdout.json").read_text(encoding="utf-8"))["paths"]["original"])


def test_other_pictures_are_compared_in_groups(told: Path, fresh: Path, original: str) -> None:
    done = command(
        "compare", original, told / "run" / "winner", "--data", fresh, "--group", "camera", "--margin", "20pt", "--json"
    )
    found = json.loads(done.stdout)
    assert [verdict["state"] for verdict in found["verdicts"]] == ["holds"]
    assert sorted(group["name"] for group in found["groups"]) == ["left", "right"]
    assert sum(group["n"] for group in found["groups"]) == 240


def test_the_winner_is_measured_beside_the_original(told: Path, fresh: Path, original: str) -> None:
    done = command("bench", original, told / "run" / "winner", "--data", fresh, "--seconds", "1", "--json")
    found = json.loads(done.stdout)
    assert not found["failed"] and len(found["results"]) == 2
    assert all(
        {"p50", "rows_per_second", "size"} <= {one["meter"] for one in each} for each in found["results"].values()
    )


def test_the_report_and_the_card_are_about_pictures(told: Path) -> None:
    command("report", told / "run")
    page = (told / "run" / "report.html").read_text(encoding="utf-8")
    card = (told / "run" / "winner" / "README.md").read_text(encoding="utf-8")
    assert "a text to classify" not in page + card
    assert "/winner photo.jpg" in card


def test_the_recipe_of_the_run_is_carried_out_again(told: Path) -> None:
    made = told / "again"
    command("apply", told / "run" / "run.toml", "--out", made)
    shown = next((told / "data" / LABELS[0]).glob("*.png"))
    assert command("predict", made, shown).stdout == command("predict", told / "run" / "winner", shown).stdout


def test_every_picture_of_a_folder_is_answered(told: Path) -> None:
    lines = command("predict", told / "run" / "winner", told / "data").stdout.splitlines()
    right = sum(Path(line.partition("\t")[0]).parent.name == line.partition("\t")[2] for line in lines)
    assert len(lines) == PICTURES and right > 0.8 * PICTURES


def test_the_winner_predicts_files(told: Path) -> None:
    shown = [next((told / "data" / label).glob("*.png")) for label in LABELS]
    done = command("predict", told / "run" / "winner", *shown)
    for label in LABELS:
        assert label in done.stdout
