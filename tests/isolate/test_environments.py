"""Environments of their own: whole or not at all, apart from lighten's, and found again."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.errors import InputError, MissingEnvironment
from lighten.isolate import environments
from lighten.isolate.environments import EnvironmentSpec, find, half_made, list_made, make, remove, spec_of
from lighten.isolate.process import call
from lighten.testing.puppet import NAME, puppet, puppet_wheel


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The plug-in's module; its environment is made."""
    with puppet(tmp_path_factory.mktemp("puppet")) as name:
        make(NAME, spec().requirements)
        yield name


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No environment was made; gives their folder."""
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "nothing" / "environments"


def spec() -> EnvironmentSpec:
    return spec_of(catalog.load("engines", NAME)())


def test_a_child_runs_there_and_sees_what_is_installed_there_and_nothing_of_ours(module: str) -> None:
    found = find(spec().requirements)
    assert found is not None
    seen = call(f"{module}:seen", venv=spec())
    assert seen["prefix"] == str(found.path) != sys.prefix
    assert seen["version"] == "puppetstrings 1.0"
    assert seen["there"] == ["lighten"]


def test_it_is_made_once_and_knows_what_it_holds(module: str) -> None:
    told: list[str] = []
    again = make(NAME, spec().requirements, progress=told.append)
    assert told == []  # nothing was done
    assert again == find(spec().requirements)
    assert (again.name, dict(again.versions)) == (NAME, {"puppetstrings": "1.0"})
    assert (
        again.bytes
        == sum(p.lstat().st_size for p in again.path.rglob("*") if p.is_symlink() or p.is_file())
        - (again.path / environments.RECORD).stat().st_size
    )
    assert list_made() == (again,)


def test_the_same_list_is_the_same_environment_and_another_list_another_one() -> None:
    digest = environments.digest_of
    assert digest(("a==1", "b==2")) == digest(("b==2", "a==1"))
    assert len({digest(()), digest(("a==1",)), digest(("a==2",))}) == 3


def test_no_requirements_are_our_own_environment() -> None:
    assert not spec_of(catalog.load("engines", "numpy")())
    assert EnvironmentSpec().interpreter() == sys.executable


def test_one_that_was_not_made_is_refused_with_the_command_that_makes_it(nothing: Path) -> None:
    there = EnvironmentSpec("ov_thing", ("a==1",))
    with pytest.raises(MissingEnvironment) as caught:
        call("os:getpid", venv=there)
    assert "not been made" in caught.value.seen
    assert caught.value.fix == "lighten engine add ov-thing"


def test_what_is_half_made_is_not_used_and_made_anew(nothing: Path, tmp_path: Path) -> None:
    asked = (str(puppet_wheel(tmp_path)),)
    folder = environments.folder_of(asked)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    assert find(asked) is None and list_made() == ()
    assert half_made() == (folder,)
    found = make("x", asked)
    assert found.path == folder and half_made() == ()


def test_one_whose_python_is_gone_is_not_used(nothing: Path) -> None:
    asked = ("puppetstrings==1.0",)
    folder = environments.folder_of(asked)
    (folder / "bin").mkdir(parents=True)
    (folder / environments.RECORD).write_text(
        '{"name": "x", "requirements": ["puppetstrings==1.0"], "versions": {}, "python": "3", "bytes": 1, "seconds": 1}'
    )
    assert find(asked) is None
    (folder / "bin" / "python").symlink_to(sys.executable)
    assert find(asked) is not None
    (folder / environments.RECORD).write_text("{")
    assert find(asked) is None


def test_what_cannot_be_installed_leaves_nothing_that_is_used(nothing: Path) -> None:
    asked = ("lighten-has-no-such-package==1.0",)
    with pytest.raises(InputError, match="could not be made") as caught:
        make("thing", asked)
    assert "pip config list" in caught.value.fix
    assert find(asked) is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="No environment can be made") as caught:
        make("thing", ("a==1",))
    assert "LIGHTEN_HOME" in caught.value.fix


def test_what_a_python_that_does_not_run_says_is_told(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoils(python: Path, *_: object) -> None:
        python.unlink()
        python.write_text("#!/bin/sh\necho it lacks a library >&2\nexit 127\n")
        python.chmod(0o755)

    monkeypatch.setattr(environments, "install", spoils)
    with pytest.raises(InputError, match="does not run: it lacks a library") as caught:
        make("thing", ("a==1",))
    assert "python -m venv" in caught.value.fix
    assert find(("a==1",)) is None


def test_one_that_is_being_made_is_neither_removed_nor_called_half_made(nothing: Path) -> None:
    folder = environments.folder_of(("a==1",))
    folder.mkdir(parents=True)
    with environments._lock_of(folder).open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert half_made() == ()
        with pytest.raises(InputError, match="Another process"):
            remove(folder)
    assert half_made() == (folder,)
    remove(folder)
    assert not folder.exists()
