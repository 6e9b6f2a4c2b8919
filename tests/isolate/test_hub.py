"""The hub is asked briefly and quietly; what it does not give is told in words, with the nearest names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core.errors import DataError, MissingExtra
from lighten.isolate.hub import DATA_SETS, MODELS, Refusal, asked, cached, cached_names


class Errors:
    """Errors of the hub's library."""

    class GatedRepoError(Exception): ...

    class RepositoryNotFoundError(Exception): ...

    class HFValidationError(Exception): ...


@pytest.fixture(autouse=True)
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, a network that may be asked, and a library that only has errors."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(errors=Errors))  # type: ignore[arg-type]


def failing(error: Exception) -> Callable[[Any], Any]:
    def do(hub: Any) -> Any:
        print("a progress bar")
        raise error

    return do


@pytest.mark.parametrize(
    ("error", "seen", "fix", "missing"),
    [
        (Errors.GatedRepoError(), "gated", "accept its terms", False),
        (Errors.RepositoryNotFoundError(), "There is no data set org/films on the hub", "for a private data set", True),
        (Errors.HFValidationError(), "no id that the hub could have", "check the name", True),
        (OSError(28, "full"), "no space left", "HF_HOME", False),
        (TimeoutError("slow\nmore"), "cannot be reached (TimeoutError: slow)", "or give a folder", False),
    ],
)
def test_what_goes_wrong_is_told(
    error: Exception, seen: str, fix: str, missing: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refusal) as caught:
        asked("org/films", DATA_SETS, failing(error))
    assert seen in caught.value.seen and fix in caught.value.fix and caught.value.missing == missing
    assert capsys.readouterr().out == ""


def test_the_nearest_names_are_of_its_kind(tmp_path: Path) -> None:
    for name in ("datasets--org--films", "models--org--film"):
        (tmp_path / "home" / "hub" / name / "snapshots" / "abc").mkdir(parents=True)
    assert (cached_names(DATA_SETS), cached_names()) == (["org/films"], ["org/film"])
    assert cached("org/films", DATA_SETS) == tmp_path / "home" / "hub" / "datasets--org--films" / "snapshots" / "abc"
    for kind, near in ((DATA_SETS, "org/films"), (MODELS, "org/film")):
        with pytest.raises(Refusal) as caught:
            asked("org/filmz", kind, failing(Errors.RepositoryNotFoundError()))
        assert caught.value.fix == f"did you mean {near!r}?"


def test_errors_of_ours_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="mine"):
        asked("org/films", DATA_SETS, failing(DataError("mine")))
    assert asked("org/films", DATA_SETS, lambda hub: 3) == 3
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match="The data set org/films"):
        asked("org/films", DATA_SETS, lambda hub: 3)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Refusal, match="says to leave the network alone") as caught:
        asked("org/films", DATA_SETS, lambda hub: 3)
    assert caught.value.fix.endswith("hf download --repo-type dataset org/films")
