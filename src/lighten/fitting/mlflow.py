"""MLflow: a finished training as a run there, where MLflow is installed and the user has named where it listens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
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
"""Which run it is there, in the folder of the training: what was recorded is not recorded again."""
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
    place, kept = os.environ.get(PLACE), Path(result.paths["result"]).with_name(FILE)
    if not place or kept.is_file():
        return ""
    if find_spec("mlflow") is None:
        return f"{PLACE} is set, and MLflow is not installed here: the training was not recorded there."
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        run = _recorded(MlflowClient(), result)
    except (MlflowException, OSError) as error:
        return f"The training was not recorded in MLflow at {place}: {error}"
    write_whole(kept, json.dumps({"place": place, "run": run}) + "\n")
    return f"MLflow at {place} has the run {run}."


def _recorded(client: Any, result: TrainingResult) -> str:
    """Write one run. Returns its id."""
    name = os.environ.get(EXPERIMENT, USUAL)
    found = client.get_experiment_by_name(name)
    experiment = found.experiment_id if found is not None else client.create_experiment(name)
    run = client.create_run(experiment, run_name=Path(result.paths["model"]).parent.name).info.run_id
    for key, value in settings_of(result).items():
        client.log_param(run, key, value)
    every = metrics_of(result)
    for first in range(0, len(every), TOGETHER):
        _send(client, run, every[first : first + TOGETHER])
    for path in map(Path, (result.paths["report"], result.paths["result"])):
        if path.is_file():
            client.log_artifact(run, str(path))
    client.set_terminated(run)
    return str(run)


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
