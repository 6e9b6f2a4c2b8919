"""clean frees what a run made on its way, and nothing that it found."""

from __future__ import annotations

import fcntl
import json
from dataclasses import replace
from pathlib import Path

import pytest

import lighten
from lighten.core.errors import RunFolderError
from lighten.store.artifacts import ArtifactStore
from lighten.store.folder import MANIFEST
from lighten.testing import summaries

SIZE = 1 << 17


def weights(number: int) -> bytes:
    return bytes([number]) * SIZE


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has ended: a model, an original that was fine-tuned, and a file under two names."""
    folder = tmp_path / "run"
    store = ArtifactStore(folder / "store")
    for key, number in (("model", 1), ("tuned", 2), ("pruned", 3), ("built", 3)):

        def write(place: Path, number: int = number) -> dict[str, str]:
            (place / "model.onnx").write_bytes(weights(number))
            return {"format": "onnx"}

        store.put(key, write)
    (folder / "teacher").mkdir()
    (folder / "teacher" / "a.safetensors").write_bytes(weights(4))
    (folder / "winner").mkdir()
    (folder / "winner" / "model.onnx").write_bytes(weights(3))
    for name in ("report.html", "results.jsonl", "run.toml", "study.db", MANIFEST):
        (folder / name).write_text("{}")
    ended(folder, "tuned")
    return folder


def ended(folder: Path, original: str, state: str = "winner") -> None:
    summary = summaries.winner()
    paths = {**summary.paths, "original": str(folder / "store" / original)}
    record = {**replace(summary, paths=paths).to_json(), "state": state}
    if state == "interrupted":
        record["winner"] = None
    (folder / "summary.json").write_text(json.dumps(record), encoding="utf-8")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} - {".lock"}


def test_a_dry_run_touches_nothing_and_tells_what_would_be_free(run: Path) -> None:
    before = everything(run)
    told = lighten.clean(run, dry_run=True)
    assert everything(run) == before
    assert (
        3 * SIZE < told.bytes < 3.1 * SIZE
    )  # the model, what was made of it under its two names, the teacher's answers
    assert set(told.removed) == {"store/model", "store/pruned", "store/built", "teacher/a.safetensors"}


def test_what_the_run_found_stays(run: Path) -> None:
    told = lighten.clean(run)
    left = everything(run)
    for name in ("winner/model.onnx", "report.html", "results.jsonl", "run.toml", "summary.json", "study.db", MANIFEST):
        assert name in left
    assert "store/tuned/model.onnx" in left and "store/tuned" in told.kept
    assert not {"store/model", "store/pruned", "store/built", "teacher/a.safetensors"} & left
    again = lighten.clean(run)
    assert again.bytes == 0 and again.removed == ()


def test_the_users_own_model_is_not_kept_twice(run: Path) -> None:
    ended(run, "model")
    lighten.clean(run)
    assert [path.name for path in (run / "store").iterdir()] == []


@pytest.mark.parametrize("state", ["interrupted", None])
def test_a_run_that_has_not_ended_is_cleaned_only_when_forced(run: Path, state: str | None) -> None:
    if state is None:
        (run / "summary.json").unlink()
    else:
        ended(run, "tuned", state)
    with pytest.raises(RunFolderError, match="has not ended") as caught:
        lighten.clean(run)
    assert "lighten resume" in caught.value.fix and "--force" in caught.value.fix
    assert (run / "store" / "pruned").is_dir()
    lighten.clean(run, force=True)
    assert not (run / "store" / "pruned").exists()


def test_a_folder_that_is_no_run_is_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "store").mkdir(parents=True)
    (tmp_path / "mine" / "store" / "file").write_text("x")
    with pytest.raises(RunFolderError, match="There is no run"):
        lighten.clean(tmp_path / "mine")
    assert (tmp_path / "mine" / "store" / "file").is_file()


def test_a_run_that_another_process_works_in_is_left_alone(run: Path) -> None:
    with (run / ".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunFolderError, match="Another process"):
            lighten.clean(run)
    assert (run / "store" / "pruned").is_dir()
