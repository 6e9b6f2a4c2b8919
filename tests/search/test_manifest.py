"""What a run was asked is kept, so that nobody repeats it; what may change may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.budget import Budget
from lighten.core.errors import DataError, RunFolderError
from lighten.core.rows import Parts, Rows
from lighten.search.manifest import asked_before, manifest_of
from lighten.search.options import Options
from lighten.search.start import Asked
from lighten.store.folder import MANIFEST, RunFolder
from lighten.tasks.text_classification import TextClassification

NONE = Rows((), ())


def asked(options: Options) -> Asked:
    parts = Parts(NONE, NONE, NONE, NONE, ("a", "b"))
    return Asked(options, TextClassification(), parts, Budget((), (), "cpu"), (), {}, {}, {"text": "review"})


def begun(options: Options) -> None:
    RunFolder.open(options.out, manifest_of(asked(options), 2), resume=options.resume).close()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    keep, under = ("accuracy>=-1pt",), ("size<=50%", "p50<=2ms")
    return Options(
        "/models/m", "/data/x.csv", tmp_path / "run", keep, under, "p50", label="mood", seconds=90.0, candidates=7,
        choices=("a, b", "c"), engines=("ort",), labels=("0=bad",),
        task="text_classification",
    )  # fmt: skip


def test_everything_that_was_asked_comes_back(options: Options) -> None:
    begun(options)
    assert asked_before(options.out) == replace(options, threads=2, resume=True)


def test_a_resumed_run_may_have_other_limits_and_they_are_kept(options: Options) -> None:
    begun(options)
    more = replace(asked_before(options.out), seconds=None, candidates=30, under=())
    begun(more)
    assert asked_before(options.out) == more


def test_what_may_not_change_is_refused_with_the_verb_that_knows_it(options: Options) -> None:
    begun(options)
    with pytest.raises(RunFolderError, match="seed was 0 and is now 1") as caught:
        begun(replace(options, seed=1, resume=True))
    assert f"lighten resume {options.out}" in caught.value.fix
    with pytest.raises(RunFolderError, match="holds a run already") as caught:
        begun(options)
    assert f"lighten resume {options.out}" in caught.value.fix


def test_a_name_that_is_relative_to_another_folder_is_said(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x.csv").write_text("x")
    monkeypatch.chdir(tmp_path / "there")
    begun(replace(options, data="x.csv"))
    assert asked_before(options.out).data == "x.csv"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="The run was begun in") as caught:
        asked_before(options.out)
    assert f"cd {tmp_path / 'there'}" in caught.value.fix


@pytest.mark.parametrize("text", ["", "[]", "{", '{"limits": 3}', '{"model": "m"}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(RunFolderError, match="There is no run"):
        asked_before(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(RunFolderError, match=r"damaged|cannot be read as what a run was asked"):
        asked_before(tmp_path)


def test_a_manifest_of_before_limits_were_kept_still_resumes(options: Options) -> None:
    begun(options)
    path = options.out / MANIFEST
    record = json.loads(path.read_text())
    del record["limits"], record["begun in"]
    path.write_text(json.dumps(record))
    assert asked_before(options.out).seconds == Options("m", "d", Path(), task="text_classification").seconds
    begun(asked_before(options.out))


def test_the_folder_of_another_verb_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"verb": "train"}))
    with pytest.raises(RunFolderError, match=r"lighten train(.|\n)*lighten resume"):
        asked_before(tmp_path)
