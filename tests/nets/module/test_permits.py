"""Permits: no code is run because a file names it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact, sha256
from lighten.core.errors import ModelError, UnsafeFile
from lighten.formats.module import Module
from lighten.models.bring import bring, find
from lighten.nets.module.permits import allow, locate, permitted, refuse_unnamed
from lighten.nets.module.record import FILE, Record, read_record
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_modules import allowing, tiny_code, tiny_module

LABELS = ("bad", "good")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was named yet."""
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def made(tmp_path: Path, home: Path) -> Path:
    """A folder with a network whose code was named here."""
    tiny_code(tmp_path / "code")
    return tiny_module(tmp_path / "code", "texts", tmp_path / "made", toy_rows(60).inputs, LABELS).path


def test_what_was_named_here_opens_without_another_word(made: Path, tmp_path: Path) -> None:
    assert permitted(read_record(made), "it") == tmp_path / "code"
    shutil.copytree(made, tmp_path / "copied")
    (tmp_path / "copied" / "lighten.json").unlink()
    assert find(str(tmp_path / "copied")).format == "module"


def test_what_somebody_sends_runs_nothing(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "evil.py").write_text(f"open({str(tmp_path / 'harm')!r}, 'w')\ndef make(): pass\n", encoding="utf-8")
    digest = sha256(sent / "evil.py")
    Record("evil:make", {"evil.py": digest}).save(sent)
    monkeypatch.chdir(sent)  # not even from within its own folder
    with pytest.raises(UnsafeFile, match=r"names Python code to run \(evil:make\), which was never named") as error:
        bring(str(sent), tmp_path / "brought")
    assert "--code" in error.value.fix
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("factory", ["os:system", "shutil:rmtree", "subprocess:run"])
def test_what_is_installed_is_code_that_nobody_named_either(tmp_path: Path, home: Path, factory: str) -> None:
    file = locate(factory).file
    name = file.relative_to(locate(factory).root).as_posix()
    digest = sha256(file)
    Record(factory, {name: digest}, {}, "Small", ("a", "b"), True, "image").save(tmp_path)
    with pytest.raises(UnsafeFile, match="never named"):
        Module().open(Artifact(tmp_path, "", "module", {}), ("a", "b"))


def test_code_whose_folder_is_allowed_is_run_where_it_is_unchanged(made: Path, tmp_path: Path, home: Path) -> None:
    shutil.rmtree(home)  # another machine
    shutil.move(tmp_path / "code", tmp_path / "elsewhere")
    with pytest.raises(UnsafeFile):
        permitted(read_record(made), "it")
    with allowing(tmp_path / "elsewhere"):
        assert permitted(read_record(made), "it") == tmp_path / "elsewhere"
        (tmp_path / "elsewhere" / "parts.py").write_text("Block = None\n", encoding="utf-8")
        with pytest.raises(UnsafeFile):
            permitted(read_record(made), "it")


def test_code_that_has_changed_is_said(made: Path, tmp_path: Path) -> None:
    with (tmp_path / "code" / "parts.py").open("a") as file:
        file.write("\n# another word\n")
    with pytest.raises(ModelError, match=r"parts\.py is no longer what it was") as error:
        permitted(read_record(made), "it")
    assert "mynets:texts" in error.value.fix


def test_a_recipe_names_no_code_for_the_user(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tiny_code(tmp_path / "code")
    monkeypatch.chdir(code)
    with pytest.raises(UnsafeFile, match=r"run\.toml names Python code to run \(mynets:texts"):
        refuse_unnamed("mynets:texts", "run.toml")
    with allowing(code):
        refuse_unnamed("mynets:texts", "run.toml")
    allow(Record("mynets:texts", {"mynets.py": sha256(code / "mynets.py")}), code)
    refuse_unnamed("mynets:texts", "run.toml")


def test_a_record_that_says_nothing_of_its_code_is_refused(tmp_path: Path, home: Path) -> None:
    with pytest.raises(ModelError, match="says nothing of the file"):
        permitted(Record("mynets:texts", {}), "it")


@pytest.mark.parametrize(
    "changed", [{"factory": "mynets"}, {"left": []}, {"strange": 1}, {"version": 2}, {"arguments": {"command": "x"}}]
)
def test_a_record_that_is_none_is_refused(made: Path, changed: dict[str, object]) -> None:
    path = made / FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(ModelError):
        read_record(made)


def test_a_module_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="There is no module nowhere_at_all") as error:
        find("nowhere_at_all:make")
    assert "--code" in error.value.fix
