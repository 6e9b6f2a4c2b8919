"""Trials are whole or not there, and a resumed study asks what an uninterrupted one would."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from lighten.core.errors import MissingExtra, RunFolderError
from lighten.search.trials import Trials
from lighten.store.study import Study
from lighten.testing.require import require

try:
    import optuna
except ModuleNotFoundError:
    optuna = None
CHOICES = {"prune.layers": ["off", "half", "third"], "variant": ["float @ ort", "int8 @ ort", "int8 @ ov"]}
Told = tuple[int, dict[str, str]]


@pytest.fixture(autouse=True)
def _optuna() -> None:
    require(optuna is not None, "Optuna (pip install 'lighten[search]')")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The run's own file, as ``Study`` makes it."""
    Study(tmp_path / "study.db").close()
    return tmp_path / "study.db"


def answer(trials: Trials, number: int, point: dict[str, str]) -> None:
    """Measure an invented candidate: smaller is cheaper and worse; ``third`` in int8 misses the floor."""
    small, variant = CHOICES["prune.layers"].index(point["prune.layers"]), CHOICES["variant"].index(point["variant"])
    if (small, variant) == (0, 2):
        trials.tell(number, None, None, [])
        return
    loss = 0.01 * small + 0.004 * variant
    trials.tell(number, 1 / (1 + small + variant), loss, [loss - 0.02, -1.0])


def go(trials: Trials, count: int) -> list[Told]:
    asked = []
    for _ in range(count):
        number, point = trials.ask()
        answer(trials, number, point)
        asked.append((number, point))
    return asked


def test_a_trial_is_at_the_point_that_was_given(path: Path) -> None:
    trials = Trials(path, CHOICES, seed=0)
    point = {"prune.layers": "half", "variant": "int8 @ ov"}
    assert trials.ask(point) == (0, point)
    assert trials.ask({**point, "prune.layers": "off"}) == (1, {**point, "prune.layers": "off"})
    assert trials.unfinished() == [(0, point), (1, {**point, "prune.layers": "off"})]


@pytest.mark.parametrize("point", [{"prune.layers": "half"}, {"prune.layers": "tenth", "variant": "int8 @ ov"}])
def test_a_point_outside_the_choices_leaves_no_trial(path: Path, point: dict[str, str]) -> None:
    trials = Trials(path, CHOICES, seed=0)
    with pytest.raises(ValueError):
        trials.ask(point)
    assert trials.unfinished() == []
    assert trials.ask()[0] == 0


def test_a_told_trial_is_finished_and_telling_again_changes_nothing(path: Path) -> None:
    trials = Trials(path, CHOICES, seed=0)
    for _ in range(2):
        trials.ask()
    trials.tell(0, 0.5, 0.01, [0.0])
    trials.tell(1, None, None, [])
    again = Trials(path, CHOICES, seed=0)
    again.tell(0, 0.1, 0.5, [9.0])
    again.tell(1, 0.1, 0.5, [9.0])
    assert again.unfinished() == []
    loaded = optuna.load_study(study_name="lighten", storage=f"sqlite:///{path}")
    assert [t.values for t in loaded.get_trials()] == [[0.5, 0.01], None]


def test_the_same_history_asks_the_same(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    first = go(Trials(path, CHOICES, seed=3), 9)
    assert [number for number, _ in first] == list(range(9))
    assert go(Trials(other, CHOICES, seed=3), 9) == first
    assert go(Trials(tmp_path / "third.db", CHOICES, seed=4), 9) != first


def test_a_resumed_study_asks_what_an_uninterrupted_one_would(path: Path, tmp_path: Path) -> None:
    whole = go(Trials(path, CHOICES, seed=1), 9)
    broken: list[Told] = []
    for _ in range(3):  # killed twice, each time between ask and tell
        trials = Trials(tmp_path / "broken.db", CHOICES, seed=1)
        for number, point in trials.unfinished():
            answer(trials, number, point)
        broken += go(trials, 2)
        broken.append(trials.ask())
    assert broken == whole


def test_what_misses_the_floor_is_avoided(path: Path) -> None:
    choices = {"share": [str(i) for i in range(12)]}
    trials = Trials(path, choices, seed=0)
    asked = []
    for _ in range(24):
        number, point = trials.ask()
        share = int(point["share"])
        trials.tell(number, float(share), 0.0, [float(5 - share)])  # the cheaper half is not good enough
        asked.append(share)
    assert sum(share >= 5 for share in asked[12:]) >= 9


KILLED = """
import json, sys, time
from pathlib import Path
from lighten.search.trials import Trials
trials = Trials(Path(sys.argv[1]), json.loads(sys.argv[2]), seed=1)
for _ in range(2):
    number, point = trials.ask()
    trials.tell(number, 1.0, 0.0, [0.0])
print(json.dumps(trials.ask()), flush=True)
time.sleep(60)
"""


def test_kill_9_leaves_the_trial_with_its_number_and_point(path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(path), json.dumps(CHOICES)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    number, point = json.loads(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    trials = Trials(path, CHOICES, seed=1)
    assert trials.unfinished() == [(number, point)] == [(2, point)]
    trials.tell(number, 0.5, 0.0, [0.0])
    assert trials.unfinished() == []
    assert trials.ask()[0] == 3


def test_other_choices_are_refused_on_resume(path: Path) -> None:
    go(Trials(path, CHOICES, seed=0), 1)
    fewer = {**CHOICES, "variant": CHOICES["variant"][:2]}
    with pytest.raises(RunFolderError, match="1 gone") as caught:
        Trials(path, fewer, seed=0)
    assert "int8 @ ov" in str(caught.value)
    with pytest.raises(RunFolderError, match="the order changed"):
        Trials(path, {**CHOICES, "variant": CHOICES["variant"][::-1]}, seed=0)
    assert Trials(path, CHOICES, seed=0).ask()[0] == 1


def test_any_folder_name_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "50% a?b=c {x} #1 é"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Trials(Path("study.db"), CHOICES, seed=0).ask()
    assert (folder / "study.db").is_file()
    monkeypatch.chdir(tmp_path)
    assert len(Trials(folder / "study.db", CHOICES, seed=0).unfinished()) == 1


def test_it_lives_beside_the_study_in_one_file(path: Path) -> None:
    study, trials = Study(path), Trials(path, CHOICES, seed=0)
    for number in range(3):
        study.remember("a", number)
        trials.ask()
    assert study.recall("a") == 2
    assert len(Trials(path, CHOICES, seed=0).unfinished()) == 3


def test_nothing_is_printed(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        go(Trials(path, CHOICES, seed=0), 6)
    assert [str(w.message) for w in caught if "optuna" in str(w.message).lower()] == []
    assert capfd.readouterr() == ("", "")


def test_without_optuna_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra) as caught:
        Trials(path, CHOICES, seed=0)
    assert caught.value.fix == "pip install 'lighten[search]'"
