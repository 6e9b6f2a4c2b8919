"""MLflow: a training that is over as a run there, where MLflow is installed and the user has named where it listens.

A training that failed or was interrupted is one that ended so; taken up, it goes on as the same run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from lighten.core.training import TrainingResult
from lighten.store.folder import write_whole

PLACE, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
"""MLflow's own environment variables: where runs are kept, and which experiment they belong to."""
FILE = "mlflow.json"
"""Which run it is there, in the folder of the training: what was recorded whole is not recorded again, and what was not
goes on as the same run."""
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
"""MLflow's own words for how a run ended."""
USUAL = "lighten"
"""Experiment where none is named."""
TOGETHER = 500
"""Metrics that are sent at once."""
COUNTED = ("step", "rows", "epoch")
"""What says where a point of the curve stands, and is no metric of its own."""


class Logged(NamedTuple):
    """One value of a metric. step: updates that were done. when: milliseconds since 1970."""

    name: str
    value: float
    step: int
    when: int


def record_in_mlflow(result: TrainingResult) -> str:
    """Keep settings, curve, scores and report of a training as a run of MLflow; nothing where it is not asked for.

    It is asked for by ``MLFLOW_TRACKING_URI``. The training stands whatever becomes of this.

    Returns:
        One sentence for the user: where the run is, or why there is none; empty where it is not asked for.
    """

    def write(client: Any, run: str) -> None:
        for key, value in settings_of(result).items():
            client.log_param(run, key, value)
        every = metrics_of(result)
        for first in range(0, len(every), TOGETHER):
            _send(client, run, every[first : first + TOGETHER])
        for path in map(Path, (result.paths["report"], result.paths["result"])):
            if path.is_file():
                client.log_artifact(run, str(path))

    return _recorded(Path(result.paths["result"]).parent, write, FINISHED)


def end_in_mlflow(folder: Path, told: Mapping[str, Any], how: str) -> str:
    """Keep that a training ended before its time, as :func:`record_in_mlflow` keeps others.

    Args:
        folder: of its run. told: what was asked. how: ``FAILED`` or ``KILLED``.
    """

    def write(client: Any, run: str) -> None:
        for key, value in told.items():
            client.log_param(run, key, value)

    return _recorded(folder, write, how)


def _recorded(folder: Path, write: Callable[[Any, str], None], how: str) -> str:
    """Write one run, the one that was begun before where there is one. Returns a sentence for the user.

    Args:
        folder: of the training. write: puts what there is into a run, of which it is told the id. how: it ended.
    """
    place, kept = os.environ.get(PLACE), folder / FILE
    known = _known(kept, place or "")
    if not place or known.get("over", False):
        return ""
    if find_spec("mlflow") is None:
        return f"{PLACE} is set, and MLflow is not installed here: the training was not recorded there."
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    client: Any = None
    run, ended, closed = "", KILLED, False
    try:
        client = MlflowClient()
        run = _begun(client, str(known.get("run", "")), folder.name)
        write_whole(kept, json.dumps({"place": place, "run": run, "over": False}) + "\n")
        write(client, run)
        ended = how
        client.set_terminated(run, how)
        closed = True
        write_whole(kept, json.dumps({"place": place, "run": run, "over": how == FINISHED}) + "\n")
    except (MlflowException, OSError) as error:
        ended = FAILED
        return f"The training was not recorded in MLflow at {place}: {error}"
    finally:
        if run and not closed:  # it would seem to go on for ever
            with suppress(MlflowException, OSError):
                client.set_terminated(run, ended)
    return f"MLflow at {place} has the run {run}."


def _known(kept: Path, place: str) -> Mapping[str, Any]:
    """What is known of the run of a training at a place; an older file names one that was recorded whole."""
    try:
        found = {"over": True, **json.loads(kept.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError):
        return {}
    return found if found["over"] or found.get("place") == place else {}


def _begun(client: Any, known: str, name: str) -> str:
    """Id of the run that was begun before, or of a new one.

    Args:
        known: its id; empty where there is none. name: of a new one.
    """
    from mlflow.exceptions import MlflowException

    if known:
        with suppress(MlflowException):  # it was removed there
            return str(client.get_run(known).info.run_id)
    experiment = os.environ.get(EXPERIMENT, USUAL)
    found = client.get_experiment_by_name(experiment)
    number = found.experiment_id if found is not None else client.create_experiment(experiment)
    return str(client.create_run(number, run_name=name).info.run_id)


def _send(client: Any, run: str, some: Sequence[Logged]) -> None:
    from mlflow.entities import Metric

    client.log_batch(run, metrics=[Metric(one.name, one.value, one.when, one.step) for one in some])


def settings_of(result: TrainingResult) -> Mapping[str, Any]:
    """What it was trained from and with."""
    told = {"model": result.model, "data": result.data, "task": result.task, "precision": result.precision}
    return {**told, "seed": result.seed, "workers": result.workers, **result.settings}


def metrics_of(result: TrainingResult) -> list[Logged]:
    """The curve, then cost and scores of the end."""
    began = datetime.fromisoformat(result.started).timestamp()

    def at(seconds: float) -> int:
        return int(1000 * (began + seconds))

    found = [
        Logged(name, float(value), point.step, at(point.seconds))
        for point in result.curve
        for name, value in asdict(point).items()
        if value is not None and name not in COUNTED
    ]
    cost = {f"cost.{name}": value for name, value in asdict(result.cost).items() if isinstance(value, int | float)}
    proof = {f"proof.{one.metric}{f'.{one.group}' if one.group else ''}": one.value for one in result.proof}
    return found + [
        Logged(_allowed(name), float(value), result.steps, at(result.cost.seconds))
        for name, value in {**cost, **proof}.items()
        if not isinstance(value, bool)
    ]


def _allowed(name: str) -> str:
    """A name as MLflow allows it: letters, digits, and ``_-. /``."""
    return "".join(one if one.isalnum() or one in "_-. /" else "_" for one in name)
