"""What MLflow is told of a finished training, by a stand-in that writes down what it is asked."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from lighten.core.training import TrainingResult
from lighten.fitting.mlflow import FAILED, KILLED, end_in_mlflow, metrics_of, record_in_mlflow
from lighten.testing.trainings import result

STANDIN = """
import json, os, types

class MlflowException(Exception):
    pass

class Metric:
    def __init__(self, key, value, timestamp, step):
        self.all = [key, value, step]
        self.timestamp = timestamp

class MlflowClient:
    def _say(self, *words):
        if os.environ.get("MLFLOW_STANDIN_FAILS"):
            raise MlflowException("no connection")
        with open(os.environ["MLFLOW_TRACKING_URI"], "a") as stream:
            stream.write(json.dumps(words) + "\\n")

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        self._say("experiment", name)
        return "7"

    def create_run(self, experiment, run_name):
        self._say("run", experiment, run_name)
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))

    def get_run(self, run):
        if os.environ.get("MLFLOW_STANDIN_FORGETS"):
            raise MlflowException("no such run")
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run))

    def log_param(self, run, key, value):
        self._say("param", key, value)

    def log_batch(self, run, metrics):
        if os.environ.get("MLFLOW_STANDIN_STOPS"):
            raise {"error": MlflowException, "kill": KeyboardInterrupt}[os.environ["MLFLOW_STANDIN_STOPS"]]("no more")
        self._say("metrics", [one.all for one in metrics])
        self._say("times", [one.timestamp for one in metrics])

    def log_artifact(self, run, path):
        self._say("artifact", os.path.basename(path))

    def set_terminated(self, run, status=None):
        self._say("end", run, status)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for MLflow; gives the file of what it is told."""
    package = tmp_path / "site" / "mlflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "_all.py").write_text(STANDIN)
    for name in ("exceptions", "tracking", "entities"):
        (package / f"{name}.py").write_text("from mlflow._all import *\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in [one for one in sys.modules if one.partition(".")[0] == "mlflow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "told"))
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return tmp_path / "told"


def finished(folder: Path) -> TrainingResult:
    names = {"model": "model", "report": "report.html", "result": "result.json"}
    run = folder / "sentiment"
    run.mkdir()
    (run / "report.html").write_text("<html>")
    (run / "result.json").write_text("{}")
    return result(paths={name: str(run / file) for name, file in names.items()}, settings={"batch": 32, "lr": 1e-4})


def test_settings_curve_scores_and_report_are_one_run_which_is_made_once(installed: Path, tmp_path: Path) -> None:
    made = finished(tmp_path)
    assert record_in_mlflow(made) == f"MLflow at {installed} has the run r1."
    told = [json.loads(line) for line in installed.read_text().splitlines()]
    assert (
        told[0] == ["experiment", "lighten"]
        and told[1] == ["run", "7", "sentiment"]
        and told[-1] == ["end", "r1", "FINISHED"]
    )
    assert ["param", "lr", 1e-4] in told and ["param", "model", "<b>net</b>"] in told
    assert ["artifact", "report.html"] in told and ["artifact", "result.json"] in told
    sent = next(words[1] for words in told if words[0] == "metrics")
    assert ["loss", 0.5, 2] in sent and ["score", 0.8, 5] in sent
    assert ["proof.accuracy", 0.8123, 10] in sent and ["proof.accuracy.west", 0.7, 10] in sent
    assert ["cost.seconds", 75.0, 10] in sent
    times = next(words[1] for words in told if words[0] == "times")
    began = 1000 * datetime.fromisoformat(made.started).timestamp()
    assert times[sent.index(["loss", 0.5, 2])] == began + 2_000
    assert times[sent.index(["cost.seconds", 75.0, 10])] == began + 75_000
    assert record_in_mlflow(made) == "" and len(installed.read_text().splitlines()) == len(told)


def test_what_goes_wrong_there_is_said_and_the_training_stands(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = finished(tmp_path)
    monkeypatch.setenv("MLFLOW_STANDIN_FAILS", "1")
    assert record_in_mlflow(made).endswith("no connection")
    monkeypatch.delenv("MLFLOW_STANDIN_FAILS")
    assert record_in_mlflow(made).endswith("has the run r1.")


@pytest.mark.parametrize(("stops", "ended"), [("error", "FAILED"), ("kill", "KILLED")])
@pytest.mark.parametrize("forgotten", [False, True])
def test_what_was_recorded_by_half_does_not_go_on_for_ever_and_is_the_same_run_again(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: str, ended: str, forgotten: bool
) -> None:
    made = finished(tmp_path)
    monkeypatch.setenv("MLFLOW_STANDIN_STOPS", stops)
    with suppress(KeyboardInterrupt):
        assert "was not recorded" in record_in_mlflow(made)
    monkeypatch.delenv("MLFLOW_STANDIN_STOPS")
    if forgotten:
        monkeypatch.setenv("MLFLOW_STANDIN_FORGETS", "1")
    assert record_in_mlflow(made).endswith("has the run r1.") and record_in_mlflow(made) == ""
    told = [json.loads(line) for line in installed.read_text().splitlines()]
    assert [words for words in told if words[0] == "end"] == [["end", "r1", ended], ["end", "r1", "FINISHED"]]
    assert len([words for words in told if words[0] == "run"]) == 1 + forgotten


def test_a_training_that_failed_is_a_run_that_failed_until_it_is_taken_up(installed: Path, tmp_path: Path) -> None:
    made = finished(tmp_path)
    run = Path(made.paths["result"]).parent
    for how in (FAILED, KILLED):
        assert end_in_mlflow(run, {"model": "<b>net</b>"}, how).endswith("has the run r1.")
    assert record_in_mlflow(made).endswith("has the run r1.")
    assert end_in_mlflow(run, {}, FAILED) == ""
    told = [json.loads(line) for line in installed.read_text().splitlines()]
    assert [words[2] for words in told if words[0] == "end"] == ["FAILED", "KILLED", "FINISHED"]
    assert [words for words in told if words[0] == "run"] == [["run", "7", "sentiment"]]


def test_nothing_is_sent_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert record_in_mlflow(finished(tmp_path)) == ""


def test_names_are_such_as_mlflow_allows() -> None:
    odd = result(proof=(*result().proof[:1], *(result().proof[2:])))
    assert all(set(name) <= set("_-. /") | {c for c in name if c.isalnum()} for name, *_ in metrics_of(odd))
