"""A stranger: a package in a folder brings readings of three sensors over time, which lighten has never heard of, with
its own reader, format, network, prune step, task and meter, and lives the whole story without one changed line.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.testing.plugin import installed, packaged

SOURCE = Path(__file__).parent / "stranger" / "tremor"
ENTRIES = {
    "readers": {"trace": "tremor.reader"},
    "formats": {"trace_net": "tremor.format"},
    "prune": {"thin": "tremor.thin"},
    "tasks": {"tremor": "tremor.task"},
    "meters": {"overlooked": "tremor.meter"},
}
CAUSES = {"wind": 0.35, "quake": 0.9, "lorry": 1.8}
"""What shakes the ground, and how fast."""
ROWS, LATER = 1200, 300


def command(*words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def trace(path: Path, cause: str, chance: random.Random) -> Path:
    """A file of 70 to 120 moments: a wave in three directions, and noise as loud."""
    speed, begin = CAUSES[cause] * chance.uniform(0.9, 1.1), chance.uniform(0, 6)
    lines = []
    for moment in range(chance.randint(70, 120)):
        wave = [math.sin(speed * moment + begin + turn) + chance.gauss(0, 0.7) for turn in (0, 1, 2)]
        lines.append(",".join(f"{value:.4f}" for value in wave))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def traces(folder: Path, rows: int, seed: int) -> Path:
    """A folder for each cause."""
    chance = random.Random(seed)
    for cause in CAUSES:
        (folder / cause).mkdir(parents=True)
    for number in range(rows):
        cause = chance.choices(list(CAUSES), (5, 2, 5))[0]
        trace(folder / cause / f"{number:04}.trace", cause, chance)
    return folder


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package is installed; a model, and data of its kind, lie beside it."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "site").mkdir()
    shutil.copytree(SOURCE, folder / "site" / "tremor", ignore=shutil.ignore_patterns("__pycache__"))
    packaged(folder / "site", "tremor", ENTRIES)
    with installed(folder / "site"):
        traces(folder / "earlier", LATER, 2)
        traces(folder / "data", ROWS, 0)
        traces(folder / "later", LATER, 1)
        made = (
            "from pathlib import Path; from tremor.network import *; from tremor.format import TraceNet\n"
            "Path('model').mkdir()\n"
            "TraceNet().save(learned(Path('earlier'), TraceReader(96, 1.5)), Path('model'))"
        )
        subprocess.run([sys.executable, "-c", made], cwd=folder, check=True, timeout=120)
        yield folder


@pytest.fixture(scope="module")
def run(there: Path) -> Path:
    """A finished run."""
    done = command(
        "optimize", there / "model", "--data", there / "data", "--keep", "accuracy>=-3pt", "--minimize", "size",
        "--candidates", "5", "--engines", "eager,ort", "--out", there / "run", "--json",
    )  # fmt: skip
    (there / "stdout.json").write_text(done.stdout, encoding="utf-8")
    return there / "run"


def test_optimize_finds_a_winner_by_its_own_prune_step_a_recovery_and_a_quantizer(run: Path) -> None:
    told = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert told["state"] == "winner"
    steps = {step["use"] for candidate in told["candidates"] for step in candidate["recipe"]}
    assert "prune.thin" in steps
    assert any(name.startswith(("distill.", "train.")) for name in steps)
    assert any(name.startswith("quantize.") for name in steps)
    assert {candidate["engine"] for candidate in told["candidates"]} >= {"eager", "ort"}
    failed = [candidate["reason"] for candidate in told["candidates"] if candidate["state"] == "failed"]
    assert not failed, failed
    assert told["winner"]["ratio"]["size"] > 1
    measured = {name for candidate in told["candidates"] for name in candidate["results"]}
    assert {"accuracy", "overlooked", "p50", "size"} <= measured


def test_the_winner_answers_files_of_its_kind(run: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    files = [trace(tmp_path / f"{number}-{cause}.trace", cause, chance) for number in range(3) for cause in CAUSES]
    rows = [json.loads(line) for line in command("predict", run / "winner", *files, "--json").stdout.splitlines()]
    assert [set(row["scores"]) for row in rows] == [set(CAUSES)] * len(files)
    assert sum(row["label"] in file.stem for row, file in zip(rows, files, strict=True)) >= len(files) - 1
    (tmp_path / "broken.trace").write_text("1,2\n", encoding="utf-8")
    done = command("predict", run / "winner", tmp_path / "broken.trace", expect=2)
    assert "broken.trace is no trace" in done.stderr and "Traceback" not in done.stderr


def test_it_is_proved_again_and_timed_on_traces_of_later(run: Path, there: Path) -> None:
    original = json.loads((run / "summary.json").read_text(encoding="utf-8"))["paths"]["original"]
    done = command("compare", original, run, "--data", there / "later", "--margin", "10pt", "--json")
    record = json.loads(done.stdout)
    assert (record["verdicts"][0]["state"], record["n"]) == ("holds", LATER)
    done = command("bench", original, run, "--data", there / "later", "--seconds", "1", "--json")
    results = json.loads(done.stdout)["results"]
    assert set(results) == {original, str(run)}
    assert {"p50", "rows_per_second", "size"} <= {one["meter"] for one in results[str(run)]}


def test_the_recipe_makes_the_winner_again_and_the_report_says_what_was_done(run: Path, there: Path) -> None:
    command("report", run, "--out", there / "page.html")
    page = (there / "page.html").read_text(encoding="utf-8")
    for words in ("quake", "overlooked", "accuracy"):
        assert words in page, words
    command("apply", run / "run.toml", "--out", there / "again")
    first, again = (json.loads((folder / "lighten.json").read_text()) for folder in (run / "winner", there / "again"))
    assert first["id"] == again["id"]
