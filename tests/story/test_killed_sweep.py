"""kill -9 in a search, and in the training after it: taken up, it ends with the same trials and the same weights."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lighten
from lighten.core.errors import InputError, RunFolderError
from lighten.testing.tiny import tiny_network_folder, toy_rows

ENVIRONMENT = {**os.environ, "LIGHTEN_PRECISION": "fp32", "LIGHTEN_CHECKPOINT_SECONDS": "0"}
ASKED: dict[str, Any] = {"search": 3, "epochs": 2, "weight_decay": 0.01, "threads": 1, "precision": "fp32"}


def command(place: Path, out: str, *more: str) -> list[str]:
    """The command line of a small search."""
    given = [word for name, value in ASKED.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    model, data = str(place / "net"), str(place / "data.csv")
    return [sys.executable, "-m", "lighten", "train", model, "--data", data, *given, "--out", str(place / out), *more]


def killed_at(words: str, place: Path, out: str, *more: str) -> None:
    """Run, and kill the program once it has written ``words``."""
    with subprocess.Popen(command(place, out, *more), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if words in line:
                child.send_signal(signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL


def ended(place: Path, out: str, *more: str) -> dict[str, Any]:
    """Run to the end; the result."""
    done = subprocess.run(
        command(place, out, "--json", *more), capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def digest(run: Path) -> str:
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


def trials(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "seconds": 0.0} for one in found["sweep"]["trials"]]


@pytest.mark.slow
def test_a_search_is_killed_twice_and_ends_as_one_that_was_not(tmp_path: Path) -> None:
    tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    toy = toy_rows(200)
    rows = "".join(f"{text},{('bad', 'good')[target]}\n" for text, target in zip(toy.inputs, toy.targets, strict=True))
    (tmp_path / "data.csv").write_text("text,label\n" + rows, encoding="utf-8")
    whole = ended(tmp_path, "whole")
    killed_at("trial 1/3:", tmp_path, "killed")
    assert not (tmp_path / "killed" / "result.json").exists()
    with pytest.raises(RunFolderError, match="search was 3 and is now 4"):
        lighten.train(
            tmp_path / "net", tmp_path / "data.csv", **{**ASKED, "search": 4}, out=tmp_path / "killed", resume=True
        )
    killed_at("] Training", tmp_path, "killed", "--resume")  # the search is over, what comes after it has begun
    found = ended(tmp_path, "killed", "--resume")
    assert trials(found) == trials(whole) and len(found["sweep"]["trials"]) == 3
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")
    sweep = found["sweep"]
    assert found["best"] is None and sweep["given"] == {"epochs": 2.0, "weight_decay": 0.01}
    assert sweep["learned"] == found["rows"]["train"] + found["rows"]["tune"]
    best = sweep["trials"][sweep["winner"] - 1]
    assert found["settings"]["learning_rate"] == pytest.approx(best["settings"]["learning_rate"])
    page = (tmp_path / "killed" / "report.html").read_text(encoding="utf-8")
    assert "Search for settings" in page and "超参数搜索" in page
    assert "## Search" in (tmp_path / "killed" / "model" / "README.md").read_text(encoding="utf-8")


def test_a_search_of_nothing_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    every = {"lr": 1e-4, "batch_rows": 8, "epochs": 1, "weight_decay": 0.0, "dropout": 0.0, "label_smoothing": 0.0}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"search": 0}, "--search is 0"),
        ({"search": 5, **every}, "--search has nothing left to search"),
    ]
    for asked, words in refused:
        with pytest.raises(InputError, match=words):
            lighten.train("net", "data.csv", task="text-classification", out=tmp_path / "run", **asked)
        assert not (tmp_path / "run").exists()
