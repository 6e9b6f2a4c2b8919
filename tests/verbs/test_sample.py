"""A sample is copied with its terms, and never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import RunFolderError, UnknownName
from lighten.data.sample_files import GEMMA_FILE
from lighten.verbs.sample import sample


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which three samples were fetched."""
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    files = {
        "gemma": (GEMMA_FILE, "GEMMA_TERMS.html", "NOTICE.md", "NOTES.txt"),
        "reviews": ("reviews.csv", "movie.csv", "movie-documents.jsonl", "LICENSE", "NOTES.txt"),
        "minilm": ("config.json", "LICENSE", "NOTES.txt"),
    }
    for name, names in files.items():
        folder = tmp_path / "home" / "samples" / name
        folder.mkdir(parents=True)
        for file in names:
            (folder / file).write_text(f"{name} {file}")
    return tmp_path / "home" / "samples"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_a_folder_it_stays_in_the_cache(home: Path) -> None:
    assert sample("gemma") == home / "gemma" / GEMMA_FILE
    assert sample("minilm") == home / "minilm"


def test_a_model_file_comes_with_its_terms(home: Path, tmp_path: Path) -> None:
    made = sample("gemma", tmp_path / "out")
    assert made == tmp_path / "out" / GEMMA_FILE and made.read_text() == f"gemma {GEMMA_FILE}"
    assert names(tmp_path / "out") == sorted([GEMMA_FILE, "GEMMA_TERMS.html", "NOTICE.md", "NOTES.txt"])


def test_of_several_files_only_the_one_that_was_asked_is_copied(home: Path, tmp_path: Path) -> None:
    assert sample("reviews/movie", tmp_path / "out").name == "movie.csv"
    assert names(tmp_path / "out") == ["LICENSE", "NOTES.txt", "movie.csv"]
    assert sample("minilm", tmp_path / "folder") == tmp_path / "folder"
    assert names(tmp_path / "folder") == ["LICENSE", "NOTES.txt", "config.json"]


def test_nothing_is_written_over(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    for target in (tmp_path, tmp_path / "mine"):
        with pytest.raises(RunFolderError, match="exists already"):
            sample("gemma", target)
    with pytest.raises(UnknownName, match="reviews/movie"):
        sample("reviews/movies")
