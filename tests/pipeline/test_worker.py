"""What the workshop's process does: it makes, builds and scores, and stops what is hopeless or out of time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import StoppedEarly
from lighten.core.recipe import task_record_of
from lighten.pipeline import worker
from lighten.pipeline.worker import EARLIEST, SLACK, Reporting
from lighten.store.folder import save_parts
from lighten.tasks.text_classification import TextClassification
from lighten.testing.stage import stage_parts
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact


def test_a_hopeless_training_is_stopped_and_one_that_may_catch_up_is_not() -> None:
    watch = Reporting(0.9, 1e9)
    watch.score(EARLIEST - 0.01, 0.1)  # too early to tell
    watch.score(0.5, 0.9 - 0.5 * SLACK)
    with pytest.raises(StoppedEarly, match=r"at least 86\.0% was needed"):
        watch.score(0.5, 0.9 - 0.5 * SLACK - 0.001)
    with pytest.raises(StoppedEarly, match=r"at least 90\.0% was needed"):
        watch.score(1.0, 0.899)
    Reporting(0.0, 1e9).score(1.0, 0.0)


def test_a_training_ends_with_the_time_of_the_run() -> None:
    with pytest.raises(StoppedEarly, match="time of the run was up"):
        Reporting(0.0, -1.0).progress(1, 2)
    assert Reporting(0.0, 5.0).seconds_left() == float("inf")


def test_a_training_that_may_be_shortened_plans_with_the_time_and_may_be_a_little_late() -> None:
    watch = Reporting(0.0, 100.0, shortens=True)
    assert 90.0 < watch.seconds_left() <= 100.0
    late = Reporting(0.0, 100.0, shortens=True)
    late.planned -= 120.0
    late.until -= 120.0
    assert late.seconds_left() < 0
    late.progress(1, 2)
    late.until -= 100.0
    with pytest.raises(StoppedEarly, match="time of the run was up"):
        late.progress(1, 2)


@pytest.mark.usefixtures("fakes")
def test_it_makes_and_builds_and_scores(tmp_path: Path) -> None:
    parts = replace(stage_parts(), labels=LABELS)
    save_parts(parts, tmp_path / "parts.json")
    (tmp_path / "store").mkdir()
    common: dict[str, Any] = {
        "root": str(tmp_path / "store"), "parts": str(tmp_path / "parts.json"), "original": "", "seed": 0, "threads": 1,
        "task": task_record_of(TextClassification()),
    }  # fmt: skip
    base = tiny_artifact("hf")
    made = worker.make(**common, base=str(base.path), chain=[{"use": "prune.trim"}], floor=0.0, seconds=None)
    artifact = Artifact.open(Path(made["path"]))
    assert artifact.parent == base.id
    right = worker.score(**common, artifact=made["path"], part="select")["right"]
    assert 0.0 <= right <= 1.0
    assert right * len(parts.select) == pytest.approx(round(right * len(parts.select)))
