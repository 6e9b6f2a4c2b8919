"""Models of the hub: the cache first, and every failure an error to read. Nothing here reaches a network."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lighten.core.errors import MissingExtra, ModelError
from lighten.isolate.hub import cache_folder, cached, cached_names
from lighten.models.bring import bring, find
from lighten.models.hub import fetch, look
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home" / "hub").mkdir(parents=True)
    return tmp_path / "home" / "hub"


def keep(cache: Path, name: str, source: Path, revision: str = "abc123") -> Path:
    """A model in the cache as the hub's library lays it out: links from snapshots to blobs."""
    folder = cache / f"models--{name.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    for made in (snapshot, folder / "blobs", folder / "refs"):
        made.mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(revision)
    for number, path in enumerate(sorted(source.iterdir())):
        blob = folder / "blobs" / f"{revision}-{number}"
        blob.write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(Path("../../blobs") / blob.name)
    return snapshot


def test_what_is_in_the_cache_is_opened_without_a_network_and_without_the_library(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = keep(cache, "org/tiny-bert", tiny_network_folder(tmp_path / "made"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert cache_folder() == cache and cached("org/tiny-bert") == snapshot and cached_names() == ["org/tiny-bert"]
    assert find("org/tiny-bert").path == snapshot and look("org/tiny-bert").task == "text_classification"
    assert bring("org/tiny-bert", tmp_path / "out").meta["labels"] == ["negative", "positive"]
    assert find(str(snapshot.parents[1])).path == snapshot  # the folder of the cache, named by its path


def test_a_file_of_a_repository_is_named_by_its_path(cache: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    file = tiny_gguf("qwen2", tmp_path / "tiny").path / "model.gguf"
    for name in ("tiny-q8_0.gguf", "tiny-q4_0.gguf"):
        (made / name).write_bytes(file.read_bytes())
    keep(cache, "org/tiny-GGUF", made)
    assert find("org/tiny-GGUF/tiny-q8_0.gguf").task == "text_generation"
    with pytest.raises(ModelError, match="holds 2 GGUF models"):
        find("org/tiny-GGUF")


def test_the_nearest_names_are_offered(cache: Path, tmp_path: Path) -> None:
    keep(cache, "org/tiny-bert", tiny_network_folder(tmp_path / "made"))
    with pytest.raises(ModelError, match="not in the cache") as caught:
        find("org/tiny-brt")
    assert "'org/tiny-bert'" in caught.value.fix
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE") as caught:
        find("nobody/knows-it")
    assert "hf download nobody/knows-it" in caught.value.fix


def test_what_is_cached_in_part_says_what_is_missing(cache: Path, tmp_path: Path) -> None:
    snapshot = keep(cache, "org/tiny-bert", tiny_network_folder(tmp_path / "made"))
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        find("org/tiny-bert")


def test_the_library_is_an_extra(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match="looked up on the hub"):
        fetch("org/name")


def test_a_hub_that_cannot_be_reached_is_an_error_to_read(cache: Path, tmp_path: Path) -> None:
    """From the command line, as a user sees it: no traceback, nothing written, and not a minute of trying."""
    if find_spec("huggingface_hub") is None:
        pytest.skip("huggingface_hub is not installed")
    keep(cache, "org/tiny-bert", tiny_network_folder(tmp_path / "made"))
    (tmp_path / "data.csv").write_text("text,label\ngood,a\nbad,b\n")
    environment = {
        **os.environ,
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_OFFLINE": "0",
        "TRANSFORMERS_OFFLINE": "0",
    }
    for words in (
        ["optimize", "org/tiny-brt", "--data", "data.csv", "--out", "out"],
        ["bench", "org/tiny-brt", "--data", "data.csv"],
        ["chat", "org/tiny-brt"],
    ):
        command = [sys.executable, "-m", "lighten", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, check=False)
        assert done.returncode == 2, done.stderr
        assert "the hub cannot be reached" in done.stderr and "'org/tiny-bert'" in done.stderr
        assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) < 6
    assert not (tmp_path / "out").exists()
