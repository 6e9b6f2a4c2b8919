"""The study of a sweep: it begins with the defaults, stops what is hopeless, and survives being killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import RunFolderError
from lighten.core.sweep import FAILED, FINISHED, STOPPED, Range, TrialRecord
from lighten.fitting.sweep.study import SweepStudy, Trial

RANGES = {
    "learning_rate": Range(1e-5, 1e-3, log=True),
    "batch_rows": Range(choices=(8, 16, 32)),
    "epochs": Range(1, 6, whole=True),
    "dropout": Range(0.0, 0.3, step=0.05),
}
FIRST = {"learning_rate": 1e-4, "batch_rows": 32, "epochs": 3, "dropout": 0.0}


def opened(folder: Path, ranges: dict[str, Range] = RANGES) -> SweepStudy:
    return SweepStudy(folder / "trials.db", ranges, 0, FIRST)


def ended(study: SweepStudy, trial: Trial, state: str, score: float | None) -> None:
    loss = None if score is None else 1.0 - score
    study.tell(trial, TrialRecord(trial.number, trial.settings, state, score, loss, 1.0, 1.0, 2.0))


def trained(study: SweepStudy, quality: float) -> tuple[str, dict[str, Any]]:
    """One trial that is as good as ``quality`` all the time; how it ended, and its settings."""
    trial = study.begin()
    for fraction in (0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 1.0):
        if trial.is_hopeless(fraction, quality):
            ended(study, trial, STOPPED, quality)
            return STOPPED, trial.settings
    ended(study, trial, FINISHED, quality)
    return FINISHED, trial.settings


def test_the_first_trial_has_the_defaults_and_the_others_lie_in_the_ranges(tmp_path: Path) -> None:
    study = opened(tmp_path)
    assert trained(study, 0.5) == (FINISHED, FIRST)
    seen = [trained(study, 0.6)[1] for _ in range(3)]
    assert len({str(one) for one in seen}) == 3
    for one in seen:
        assert 1e-5 <= one["learning_rate"] <= 1e-3 and one["batch_rows"] in (8, 16, 32)
        assert one["epochs"] in range(1, 7) and 0.0 <= one["dropout"] <= 0.3


def test_what_is_worse_at_the_same_point_is_stopped_and_what_is_better_goes_on(tmp_path: Path) -> None:
    study = opened(tmp_path)
    assert trained(study, 0.5)[0] == FINISHED
    assert trained(study, 0.4)[0] == STOPPED
    assert trained(study, 0.6)[0] == FINISHED
    assert [one.state for one in study.records()] == [FINISHED, STOPPED, FINISHED]
    compared, at = study.compared()
    assert [one.value for one in compared.get_trials()] == [0.5, 0.4, 0.6] and at == 0.16


def test_taken_up_it_asks_what_it_would_have_asked(tmp_path: Path) -> None:
    whole = opened(tmp_path)
    qualities = [0.5, 0.4, None, 0.6, 0.3, 0.55, 0.2, 0.45, 0.62, 0.5, 0.4]
    asked = []
    for quality in qualities:
        if quality is None:
            trial = whole.begin()
            asked.append(trial.settings)
            ended(whole, trial, FAILED, None)
        else:
            asked.append(trained(whole, quality)[1])
    again = []
    (tmp_path / "killed").mkdir()
    for quality in qualities:
        study = opened(tmp_path / "killed")
        assert len(study.records()) == len(again)
        study.begin().is_hopeless(0.5, 0.9)  # and killed in the middle of it
        study = opened(tmp_path / "killed")
        if quality is None:
            trial = study.begin()
            again.append(trial.settings)
            ended(study, trial, FAILED, None)
        else:
            again.append(trained(study, quality)[1])
    assert again == asked


def test_another_space_is_refused_and_plain_values_are_kept(tmp_path: Path) -> None:
    opened(tmp_path).remember("seconds", [1.5, None])
    assert opened(tmp_path).recall("seconds") == [1.5, None]
    assert opened(tmp_path).recall("nothing", 3) == 3
    with pytest.raises(RunFolderError, match=r"begun over other values of dropout, epochs"):
        opened(tmp_path, {**RANGES, "dropout": Range(0.0, 0.5), "epochs": Range(1, 9, whole=True)})
