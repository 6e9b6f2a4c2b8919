"""engine add, list, remove: for an engine that lighten has never heard of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

import lighten
from lighten.cli import app
from lighten.core import catalog
from lighten.core.errors import InputError, UnknownName
from lighten.measure.probe import probe_engine
from lighten.testing.puppet import NAME, puppet
from lighten.verbs.engine import HALF_MADE, MADE, MISSING, OUT_OF_DATE, UNUSED, EnvironmentState, add, listed, remove


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    """The plug-in is there, its environment is not; gives the home of environments."""
    with puppet(tmp_path / "one", home=tmp_path / "home"):
        yield tmp_path / "home"


def standing(name: str = NAME) -> EnvironmentState:
    (found,) = [one for one in listed() if one.engine == name]
    return found


def run(*words: str) -> str:
    done = CliRunner().invoke(get_command(app), ["engine", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_from_missing_to_made_to_out_of_date_to_removed(plugin: Path, tmp_path: Path) -> None:
    assert standing().state == MISSING
    health = probe_engine(NAME)
    assert (health.works, health.fix) == (False, "lighten engine add puppet")

    told: list[str] = []
    made = add(NAME, progress=told.append)
    assert any("Installing" in line for line in told)
    now = standing()
    assert (now.state, now.versions, now.folders) == (MADE, {"puppetstrings": "1.0"}, (made.path,))
    assert now.bytes > 1000
    health = probe_engine(NAME)
    assert (health.works, health.version) == (True, "puppetstrings 1.0")

    with puppet(tmp_path / "two", "2.0", home=plugin):
        assert standing().state == OUT_OF_DATE
        health = probe_engine(NAME)
        assert not health.works and "out of date" in health.reason and health.fix == "lighten engine add puppet"
        add(NAME)
        assert standing().state == MADE
        assert probe_engine(NAME).version == "puppetstrings 2.0"
        assert not made.path.exists()  # the old one went
        assert remove(NAME) > 1000
        assert standing().state == MISSING
        with pytest.raises(InputError, match="no environment"):
            remove(NAME)


def test_the_command_line_says_the_same(plugin: Path) -> None:
    assert json.loads(run("list", "--json"))[-1]["state"] == MISSING
    assert "lighten engine add puppet" in run("list")
    assert "1 packages" in run("add", "puppet")
    assert "puppetstrings" not in run("list").partition("puppet ")[0]
    assert "made" in run("list")
    assert "MB removed" in run("remove", "puppet")


def test_what_no_engine_asks_for_is_listed_and_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    with puppet(tmp_path / "one", home=tmp_path / "home"):
        add(NAME)
    (tmp_path / "home" / "environments" / "0123456789abcdef").mkdir()
    assert standing().state == UNUSED
    assert [one.state for one in listed() if not one.engine] == [HALF_MADE]
    assert remove(NAME) > 1000
    assert all(one.engine != NAME for one in listed())


def test_other_names_are_refused(plugin: Path) -> None:
    with pytest.raises(UnknownName, match="puppet") as caught:
        add("pupet")
    assert "did you mean 'puppet'" in str(caught.value)
    with pytest.raises(InputError, match="runs in lighten's"):
        add("numpy")


def test_every_engine_with_an_environment_pins_what_it_has_installed() -> None:
    declared = {name: catalog.load("engines", name).environment for name in catalog.names("engines")}
    assert declared["ov_genai"]
    assert all("==" in one for requirements in declared.values() for one in requirements)
    steps = [catalog.load_step(entry.name) for entry in catalog.steps()]
    assert {step.environment for step in steps} <= {(), *declared.values()}  # there is a command that makes it


def test_it_is_a_verb_in_python_too() -> None:
    assert lighten.engine.listed is listed
