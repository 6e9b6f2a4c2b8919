"""kill -9 at any moment, and taken up: the weights are those of a training that nobody interrupted, bit for bit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_training.py")
ENVIRONMENT = {**os.environ, "LIGHTEN_PRECISION": "fp32", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

MOMENTS = {
    "texts": ("update 2", "piece 9", "update 6", "update 13"),
    "pictures": ("piece 3", "update 6", "update 14"),
    "language": ("update 3", "piece 5", "update 10"),
}
"""What each dies after: within an epoch, at the end of one (six updates), between two pieces of an update."""


def run(kind: str, folder: Path, until: str = "", *more: str) -> list[str]:
    """Run the program, which dies by ``kill -9`` once it has printed ``until``; gives what it printed."""
    command = [sys.executable, str(PROGRAM), kind, str(folder), until, *more]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == (-signal.SIGKILL if until else 0), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", MOMENTS)
def test_killed_and_taken_up_it_ends_with_the_same_weights(tmp_path: Path, kind: str) -> None:
    whole = run(kind, tmp_path / "whole")
    for moment in MOMENTS[kind]:
        run(kind, tmp_path / "killed", moment)
    rest = run(kind, tmp_path / "killed")
    assert rest[-1] == whole[-1]
    updates = [line for line in rest if line.startswith("update")]
    assert 0 < len(updates) < len([line for line in whole if line.startswith("update")])


def test_a_plan_by_time_is_made_once(tmp_path: Path) -> None:
    run("texts", tmp_path / "one", "update 3", "0.8")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    run("texts", tmp_path / "other", "update 4", "0.8")
    ends = [run("texts", tmp_path / name, "", "0.8")[-1] for name in ("one", "other")]
    assert ends[0] == ends[1]
