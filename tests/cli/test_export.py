"""lighten export: what was written, in words and as JSON; refusals with exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lighten.cli import export
from lighten.core.errors import RunFolderError
from lighten.testing.tiny_artifacts import tiny_artifact

app = typer.Typer()
app.command()(export.command)


def test_words_and_json(tmp_path: Path) -> None:
    model = str(tiny_artifact("onnx").path)
    done = CliRunner().invoke(app, [model, str(tmp_path / "a"), "--to", "onnx", "--rows", "2"], catch_exceptions=False)
    assert "onnx to onnx: " in done.stdout and "2 inputs (built-in examples) were asked" in done.stdout
    assert done.stdout.splitlines()[-1] == str(tmp_path / "a")
    done = CliRunner().invoke(
        app, [model, str(tmp_path / "b"), "--to", "triton", "--name", "moods", "--json"], catch_exceptions=False
    )
    found = json.loads(done.stdout)
    assert (found["target"], found["name"], found["path"]) == ("triton", "moods", str(tmp_path / "b"))
    assert "models/moods/config.pbtxt" in found["files"]
    with pytest.raises(RunFolderError):
        CliRunner().invoke(app, [model, str(tmp_path / "a"), "--to", "onnx"], catch_exceptions=False)


def test_a_refusal_is_exit_code_2_and_no_traceback(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lighten", "export", str(tmp_path), "--to", "onnx", str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr and done.stdout == ""
