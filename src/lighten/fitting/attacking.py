"""Attacking: how often a model is right where its inputs are moved against it; in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.recipe import task_from, task_record_of
from lighten.core.rows import Rows
from lighten.core.task import Data
from lighten.fitting import reading
from lighten.fitting.options import FitOptions
from lighten.fitting.workers import PATIENCE
from lighten.isolate.process import call
from lighten.pipeline.formats import open_model
from lighten.store.folder import RunFolder, load_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 2_000
"""Rows of ``proof`` that are attacked, at most; evenly spaced ones where there are more."""


def some_of(rows: Rows) -> Rows:
    """The rows that are attacked."""
    count = min(len(rows), MOST)
    return rows.take([number * len(rows) // count for number in range(count)])


def attacked_answers(
    options: FitOptions, folder: RunFolder, key: int, artifact: Artifact, data: Data, threads: int
) -> NDArray[np.float32]:
    """Answers of a float model to some rows of ``proof`` under attack, [n, classes]; made once and kept.

    Args:
        key: under which the study keeps them.

    Raises:
        CandidateFailed: the model does not run.
    """
    known = folder.study.answers(key, "attacked")
    if known is None:
        reply = call(
            "lighten.fitting.attacking:answer_attacked",
            threads=threads,
            deadline=PATIENCE,
            base=str(artifact.path.resolve()),
            parts=str((folder.path / reading.PARTS).resolve()),
            task=task_record_of(data.task),
            radius=options.harden,
            seed=options.seed,
            cores=threads,
        )
        known = np.asarray(reply["answers"], np.float32)
        folder.study.save_answers(key, "attacked", known)
    return known


def answer_attacked(
    base: str, parts: str, task: Mapping[str, Any], radius: float, seed: int, cores: int
) -> dict[str, Any]:
    """What the process does: open the model and answer. Returns plain values.

    Args:
        cores: that it may use. (``threads`` is an argument of ``isolate.process.call`` itself.)
    """
    from lighten.nets.training.attack import attacked

    data = load_parts(Path(parts))
    network = open_model(Artifact.open(base, verify=False), data.labels)
    found = attacked(network, some_of(data.proof), task_from(task), radius, seed=seed, threads=cores)
    return {"answers": found.tolist()}
