"""The story that a user lives with networks of their own: code that makes one, data, a cheaper winner."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.store.summaries import summary_from
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_modules import tiny_code
from lighten.testing.tiny_pictures import LABELS, tiny_pictures

PICTURES, TEXTS = 900, 1200


def command(*words: str | Path, cwd: Path, home: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, on a machine of its own where ``home`` is given; it ends with ``code``."""
    variables = {**os.environ, **({"LIGHTEN_HOME": str(home)} if home is not None else {})}
    done = subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=cwd,
        env=variables,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a network for pictures, beside its code and data."""
    folder = tiny_code(tmp_path_factory.mktemp("pictures"))
    rows = tiny_pictures(folder / "all", PICTURES)
    for item, target in zip(rows.inputs, rows.targets, strict=True):
        place = folder / "data" / LABELS[target]
        place.mkdir(parents=True, exist_ok=True)
        shutil.move(item.path, place)  # type: ignore[union-attr]
    done = command(
        "optimize", "mynets:pictures", "--data", "data", "--keep", "accuracy>=-5pt", "--minimize", "p50",
        "--candidates", "3", "--engines", "ort", "--out", "run", "--json", cwd=folder,
    )  # fmt: skip
    (folder / "stdout.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_a_network_for_pictures_is_trained_exported_and_proved(pictures: Path) -> None:
    summary = summary_from(json.loads((pictures / "stdout.json").read_text(encoding="utf-8")))
    assert summary.task == "image_classification"
    assert summary.state in ("winner", "nothing_met"), summary.state  # whether it is faster is for the clock to say
    failed = [candidate.reason for candidate in summary.candidates if candidate.state not in ("ok", "refused")]
    assert not failed
    assert any("ort" in str(candidate.engine) for candidate in summary.candidates)


def test_the_original_answers_on_this_machine_and_runs_no_code_on_another(pictures: Path, tmp_path: Path) -> None:
    original = next(
        path.parent
        for path in sorted((pictures / "run" / "store").glob("*/lighten.json"))
        if (made := Artifact.open(path.parent)).format == "module" and made.meta["labels"]
    )
    copied = tmp_path / "copied"
    shutil.copytree(original, copied)
    shown = next((pictures / "data" / LABELS[0]).glob("*.png"))
    assert LABELS[0] in command("predict", copied, shown, cwd=tmp_path).stdout
    other = tmp_path / "another machine"
    refused = command("predict", copied, shown, cwd=tmp_path, home=other, code=2)
    assert "names Python code to run (mynets:pictures)" in refused.stderr and "--code" in refused.stderr
    allowed = command("--code", pictures, "predict", copied, shown, cwd=tmp_path, home=other)
    assert LABELS[0] in allowed.stdout


def test_a_network_for_texts_is_found_by_its_data(tmp_path: Path) -> None:
    folder = tiny_code(tmp_path / "texts")
    rows = toy_rows(TEXTS)
    with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(
            (text, ("bad", "good")[target]) for text, target in zip(rows.inputs, rows.targets, strict=True)
        )
    step = '[[step]]\nuse = "train.scratch"\nlearning_rate = 0.01\n'
    recipe = f'model = "mynets:masked"\n[data]\nsource = "reviews.csv"\n{step}'
    (folder / "recipe.toml").write_text(recipe + '[engine]\nuse = "ort"\n', encoding="utf-8")
    refused = command("apply", "recipe.toml", "--out", "made", cwd=folder, home=tmp_path / "home", code=2)
    assert "you have not named yourself" in refused.stderr
    command("--code", ".", "apply", "recipe.toml", "--out", "made", cwd=folder, home=tmp_path / "home")
    (folder / "mynets.py").unlink()
    (folder / "new.csv").write_text("text\nthe plot was superb\nthe plot was awful\n", encoding="utf-8")
    done = command("predict", "made", "new.csv", "--json", cwd=folder, home=tmp_path / "home")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["good", "bad"]
