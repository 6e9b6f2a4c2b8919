"""A training is taken up by its folder alone: what was asked comes back whole, and what cannot be read is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, RunFolderError
from lighten.fitting.manifest import asked_before
from lighten.fitting.options import FitOptions
from lighten.store.folder import MANIFEST, RunFolder


@pytest.fixture
def options(tmp_path: Path) -> FitOptions:
    of_data = DataOptions(text="body", labels=("a", "b"), drop_rare=3)
    return FitOptions("m", "d", tmp_path / "run", "text_classification", of_data, seconds=90.0, lr=3e-5, price=2.0)


def begun(options: FitOptions) -> None:
    RunFolder.open(options.out, options.manifest("print", 4), resume=options.resume).close()


def test_what_was_asked_comes_back_and_takes_the_folder_up(options: FitOptions) -> None:
    begun(options)
    again = asked_before(options.out)
    assert again == replace(options, resume=True, threads=4)  # as many cores as it had, whatever this machine has
    begun(again)


def test_what_an_older_manifest_lacks_is_as_it_was_by_default(options: FitOptions) -> None:
    begun(options)
    path = options.out / MANIFEST
    record = json.loads(path.read_text())
    del record["harden"], record["data_drop_rare"]
    path.write_text(json.dumps(record))
    assert asked_before(options.out).of_data.drop_rare == 0


def test_relative_names_are_looked_for_where_the_training_began(
    options: FitOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "more.csv").write_text("x")
    monkeypatch.chdir(tmp_path / "there")
    begun(replace(options, unlabelled="more.csv"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"there is no more\.csv here"):
        asked_before(options.out)


@pytest.mark.parametrize("text", ["", "[]", '{"verb": "train"}', '{"verb": "train", "limits": 3}', "{}"])
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(RunFolderError, match="There is no run"):
        asked_before(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(RunFolderError, match=r"damaged|cannot be read|another verb"):
        asked_before(tmp_path)
