"""Data sets of the hub: asked briefly, else read as they were fetched before."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core.errors import DataError, MissingExtra
from lighten.data.folders import read_hub


class NotThereError(Exception):
    """The hub has no such data set."""


class Hub:
    """Stands for the hub's library. told: what it was asked for; error: what it raises."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told, self.error = folder, list[Any](), None
        known = {"GatedRepoError": KeyError, "RepositoryNotFoundError": NotThereError, "HFValidationError": KeyError}
        self.errors = SimpleNamespace(**known)

    error: Exception | None

    def HfApi(self) -> Any:
        return SimpleNamespace(dataset_info=self._answer)

    def _answer(self, name: str, **more: Any) -> str:
        self.told.append((name, more))
        if self.error is not None:
            raise self.error
        return str(self.folder)

    def snapshot_download(self, name: str, **more: Any) -> str:
        return self._answer(name, **more)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = Hub(tmp_path / "home" / "hub" / "datasets--org--films" / "snapshots" / "abc")
    monkeypatch.setitem(sys.modules, "huggingface_hub", made)  # type: ignore[arg-type]
    return made


def fill(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text("text,label\na fine film,good\na dull film,bad\n")


def test_a_data_set_is_fetched_with_a_limit_on_every_answer(hub: Hub) -> None:
    fill(hub.folder)
    table = read_hub("org/films")
    assert len(table) == 2 and table.source == "org/films"
    (_, asked), (_, fetched) = hub.told
    assert asked["timeout"] == fetched["etag_timeout"] == 10.0
    assert fetched["repo_type"] == "dataset" and "*.csv" in fetched["allow_patterns"]


def test_what_was_fetched_before_is_read_where_the_hub_cannot_be_reached(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.error = TimeoutError("too slow")
    with pytest.raises(DataError, match=r"cannot be reached \(TimeoutError: too slow\)"):
        read_hub("org/films")
    fill(hub.folder)
    assert any("read from the cache" in note for note in read_hub("org/films").notes)
    hub.told.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    table = read_hub("org/films")
    assert len(table) == 2 and not hub.told
    assert any("from the cache" in note and "HF_HUB_OFFLINE" in note for note in table.notes)
    with pytest.raises(DataError, match="leave the network alone") as caught:
        read_hub("org/filmz")
    assert "did you mean 'org/films'?" in caught.value.fix
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    table = read_hub("org/films")
    assert len(table) == 2, "its library is not needed for what is there"
    assert any("from the cache" in note and "huggingface_hub is not installed" in note for note in table.notes)
    with pytest.raises(MissingExtra):
        read_hub("org/others")


def test_what_was_fetched_in_part_is_not_read_as_the_whole(hub: Hub) -> None:
    hub.error = TimeoutError("too slow")
    fill(hub.folder)
    rows = (hub.folder / "train.csv").read_text()
    (hub.folder / "big").mkdir()
    (hub.folder / "train.csv").rename(hub.folder / "big" / "train-00000-of-00003.csv")
    for number in (1, 2):
        with pytest.raises(
            DataError, match=rf"in part only: it lacks (big/)?train-0000{number}-of-00003\.csv"
        ) as caught:
            read_hub("org/films/big" if number == 1 else "org/films")
        assert caught.value.fix == "hf download --repo-type dataset org/films"
        (hub.folder / "big" / f"train-0000{number}-of-00003.csv").write_text(rows)
    assert len(read_hub("org/films")) == 6
    with pytest.raises(DataError, match=r"lacks the folder 'small'; and the hub does not give it now \(.*too slow"):
        read_hub("org/films/small")
    hub.error = OSError(28, "No space left on device")
    with pytest.raises(DataError, match="no space left to fetch org/films"):
        read_hub("org/films")


def test_a_data_set_that_is_not_there_is_named(hub: Hub) -> None:
    hub.error = NotThereError()
    with pytest.raises(DataError, match="There is no data set org/films on the hub"):
        read_hub("org/films")
