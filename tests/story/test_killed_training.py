"""kill -9 at any moment, and taken up: the weights are those of a training that nobody interrupted, bit for bit."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_training.py")
ENVIRONMENT = {**os.environ, "LIGHTEN_PRECISION": "fp32", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

MOMENTS = {
    "texts": (r"update 2$", r"piece 25$", r"update 6$", r"update 13$"),
    "pictures": (r"piece 3$", r"update 6$", r"update 14$"),
    "language": (r"update 3$", r"piece 20$", r"update 14$"),
}
"""What each is killed after: within an epoch, at the end of one (six updates), between two pieces of an update."""


def run(kind: str, folder: Path, until: str | None = None, *more: str) -> list[str]:
    """Run the program, or kill it -9 once it has printed what ``until`` finds; gives what it printed."""
    command = [sys.executable, str(PROGRAM), kind, str(folder), *more]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as child:
        assert child.stdout is not None and child.stderr is not None
        for line in child.stdout:
            lines.append(line.strip())
            if until is not None and re.search(until, line.strip()):
                child.send_signal(signal.SIGKILL)
                break
        errors = child.stderr.read()
    assert child.returncode == (-signal.SIGKILL if until is not None else 0), errors
    return lines


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
    run("texts", tmp_path / "one", r"update 3$", "0.8")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    run("texts", tmp_path / "other", r"update 4$", "0.8")
    ends = [run("texts", tmp_path / name, None, "0.8")[-1] for name in ("one", "other")]
    assert ends[0] == ends[1]
