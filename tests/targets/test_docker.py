"""A folder for docker build: the artifact as it is, every package pinned, and lighten itself as a wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.targets import docker
from lighten.targets._pins import closure, write_wheel
from lighten.targets.docker import Docker
from lighten.testing.target_contract import check_target, source_of
from lighten.testing.tiny_artifacts import tiny_artifact


def test_contract(tmp_path: Path) -> None:
    artifact = tiny_artifact("onnx")
    check_target(Docker(), source_of(artifact), tmp_path)
    assert Docker().asking(source_of(artifact)) == "", "only lighten opens it"
    assert Artifact.open(tmp_path / "model").id == artifact.id
    pins = (tmp_path / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.!]+", line) for line in pins)
    names = {line.partition("==")[0] for line in pins}
    assert {"numpy", "onnxruntime", "tokenizers", "typer"} <= names and not {"lighten", "torch", "openvino"} & names


def test_every_step_of_the_dockerfile_uses_what_is_there(tmp_path: Path) -> None:
    Docker().write(source_of(tiny_artifact("onnx")), tmp_path)
    text = (tmp_path / "Dockerfile").read_text()
    for name in re.findall(r"^COPY (\S+) ", text, re.M):
        assert (tmp_path / name).exists(), name
    assert text.splitlines()[-1].startswith("CMD [") and '"serve"' in text and "USER lighten" in text
    assert (tmp_path / ".dockerignore").read_text().splitlines()[0] == "keys.txt", "keys stay outside of the image"


def test_the_container_runs_as_who_made_the_keys() -> None:
    source = source_of(tiny_artifact("onnx"))
    lines = [line for line in Docker().ways(source)[0].code.replace("\\\n", "").splitlines() if "keys.txt" in line]
    assert len(lines) == 2 and all('--user "$(id -u)" -e HOME=/tmp' in line for line in lines)
    assert "docker itself was not run" in Docker().about(source)[0] and "并未运行 docker" in Docker().about(source)[1]


@pytest.mark.parametrize(
    ("pins", "first", "why"),
    [
        ({"numpy": "2.0", "torch": "2.13.0+cpu"}, "--extra-index-url https://download.pytorch.org/whl/cpu", ""),
        ({"numpy": "2.0", "torch": "2.13.0"}, "numpy==2.0", ""),
        ({"numpy": "2.0", "torch": "2.13.0+mine"}, "", "torch 2.13.0+mine is a build of its own"),
        ({"numpy": "2.0+mine"}, "", "numpy 2.0+mine is a build of its own"),
    ],
)
def test_a_build_of_its_own_is_asked_where_it_is_or_refused(
    pins: dict[str, str], first: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker, "closure", lambda extras: pins)
    source = source_of(tiny_artifact("onnx"))
    assert Docker().check(source).startswith(why) and bool(Docker().check(source)) == bool(why)
    if not why:
        Docker().write(source, tmp_path)
        lines = (tmp_path / "requirements.txt").read_text().splitlines()
        assert lines[0] == first and lines[-1] == f"torch=={pins['torch']}"


def test_the_wheel_is_lighten_as_it_runs_here_and_the_same_every_time(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first, second = write_wheel(tmp_path), write_wheel(tmp_path / "again")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as wheel:
        names = wheel.namelist()
        styles = {"lighten/reports/page.css", "lighten/serve/page/index.html", "lighten/look/page.css"}
        assert styles <= set(names) and not any("__pycache__" in name for name in names)
        assert any(name.endswith(".dist-info/RECORD") for name in names)
        wheel.extractall(tmp_path / "site")
    code = "import lighten, lighten.cli; print(lighten.__file__)"
    kept = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept)
    assert done.stdout.startswith(str(tmp_path / "site"))


def test_extras_bring_what_they_need_and_others_do_not() -> None:
    assert "onnxruntime" in closure(["ort"]) and "onnxruntime" not in closure([])
    assert "pillow" in closure(["vision"]) and "pillow" not in closure(["ort"])
