"""Trials in one process: the model is opened once, every trial begins with the same weights, the best settings win."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lighten.core.errors import InputError, RunFolderError, StepFailed
from lighten.core.rows import Parts
from lighten.core.sweep import FAILED, FINISHED, STOPPED, SweepRecord, best_of
from lighten.fitting import child
from lighten.fitting.sweep import trials
from lighten.measure.rates import Rate
from lighten.models.bring import bring
from lighten.nets.training.schedule import Hyperparameters
from lighten.store.folder import save_parts
from lighten.testing.tiny import tiny_network_folder, toy_rows

Asked = dict[str, Any]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    base = bring(str(tiny_network_folder(tmp_path / "net", layers=2, labels=None)), tmp_path / "base")
    some = [replace(toy_rows(48, seed=n), ids=tuple(f"{100 * n + k:016x}" for k in range(48))) for n in range(4)]
    save_parts(Parts(*some, labels=("bad", "good")), tmp_path / "parts.json")
    return {
        "base": str(base.path), "parts": str(tmp_path / "parts.json"), "task": {"use": "text_classification"},
        "settings": {"epochs": 2.0, "precision": "fp32"}, "given": {"epochs": 2.0}, "trials": 4, "seconds": None,
        "seed": 0, "threads": 1, "folder": str(tmp_path),
    }  # fmt: skip


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(trials, "emit", told.append)
    monkeypatch.setattr(trials, "OFTEN", 0.0)
    return told


def seen_by(monkeypatch: pytest.MonkeyPatch, before: Callable[..., object]) -> None:
    """Let ``before`` see every training before it begins."""
    train = trials.train

    def seeing(work: Any, **more: Any) -> Any:
        before(work, **more)
        return train(work, **more)

    monkeypatch.setattr(trials, "train", seeing)


def test_it_searches_and_says_how_to_train_then(
    asked: Asked, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    begun: list[list[torch.Tensor]] = []
    examples: set[int] = set()
    first = trials.prepare

    def once(*given: Any) -> Any:
        opened.append(first(*given))
        return opened[-1]

    def before(work: Any, **_: object) -> None:
        assert not work.judged_first
        examples.add(id(work.examples))
        begun.append([tensor.clone() for tensor in work.net.state_dict().values()])

    monkeypatch.setattr(trials, "prepare", once)
    seen_by(monkeypatch, before)
    found = trials.search(**asked)
    assert len(opened) == 1 and len(examples) == 1 and len(begun) == 4
    assert all(torch.equal(a, b) for later in begun[1:] for a, b in zip(begun[0], later, strict=True))
    record = SweepRecord.from_json(found["record"])
    assert [one.number for one in record.trials] == [1, 2, 3, 4] and record.given == {"epochs": 2.0}
    assert record.trials[0].settings["batch_rows"] == 32 and record.trials[0].state == FINISHED
    assert {one.state for one in record.trials} <= {FINISHED, STOPPED}
    assert record.best == best_of(record.trials) and record.learned == 96 and record.judged == 48
    settings = Hyperparameters(**found["settings"])
    assert (settings.epochs, settings.holds_out, settings.timed) == (record.best.epochs, False, False)
    assert settings.learning_rate == record.best.settings["learning_rate"] and settings.precision == "fp32"
    assert found["seconds"] is None
    messages = [one["message"] for one in events if "message" in one]
    assert any("trial 2/4, best so far tune " in message for message in messages)
    assert [one["note"].split(":")[0] for one in events if "note" in one] == [f"trial {n}/4" for n in (1, 2, 3, 4)]


def test_what_follows_learns_from_train_and_tune_and_is_scored_by_neither(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "product_rate", lambda *_: Rate(100.0))
    settings = {**asked["settings"], "holds_out": False}
    more = {name: asked[name] for name in ("base", "parts", "task", "seconds", "seed", "threads", "folder")}
    found = child.fit(**more, settings=settings, model="mine")
    assert found["best"] is None and found["learned"] == 2 * 96 and found["stopped"] == 0
    assert found["settings"]["keep"] == "last"
    shutil.rmtree(tmp_path / child.CHECKPOINTS)
    again = child.fit(**more, settings={**settings, "epochs": 0.0}, model="mine")  # the best was before any update
    assert again["learned"] == 0


def test_killed_it_goes_on_with_the_trial_that_was_interrupted(
    asked: Asked, tmp_path: Path, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    whole = SweepRecord.from_json(trials.search(**{**asked, "folder": str(tmp_path / "whole")})["record"])

    class Killed(BaseException):
        """As ``kill -9``: nothing hears it."""

    count = 0

    def dying(work: Any, **_: object) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise Killed

    with monkeypatch.context() as patch:
        seen_by(patch, dying)
        with pytest.raises(Killed):
            trials.search(**asked)
    made: list[object] = []
    seen_by(monkeypatch, lambda work, **_: made.append(work))
    record = SweepRecord.from_json(trials.search(**asked)["record"])
    assert len(made) == 2  # the two before stay
    assert [one.settings for one in record.trials] == [one.settings for one in whole.trials]
    with pytest.raises(RunFolderError, match="begun over other values of epochs"):
        trials.search(**{**asked, "given": {}})


def test_a_trial_that_comes_apart_is_told_and_the_others_go_on(
    asked: Asked, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def failing(work: Any, **_: object) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise StepFailed("The training came apart.")

    seen_by(monkeypatch, failing)
    record = SweepRecord.from_json(trials.search(**{**asked, "trials": 3})["record"])
    assert (record.trials[1].state, record.trials[1].reason) == (FAILED, "The training came apart.")
    assert record.trials[1].score is None and record.winner != 2


def test_where_every_trial_fails_the_first_reason_is_said(
    asked: Asked, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(work: Any, **_: object) -> None:
        raise StepFailed("The training came apart.")

    seen_by(monkeypatch, failing)
    with pytest.raises(StepFailed, match=r"None of the 2 trials(.|\n)*came apart"):
        trials.search(**{**asked, "trials": 2})


def test_the_time_is_shared_and_bounds_the_trials(
    asked: Asked, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    seen_by(monkeypatch, lambda work, **more: given.append(more["seconds"]))
    monkeypatch.setattr(trials, "is_time", lambda left, trial, more: len(given) < 3)
    settings = {"precision": "fp32", "timed": True}
    found = trials.search(**{**asked, "settings": settings, "given": {}, "trials": 6, "seconds": 60.0})
    record = SweepRecord.from_json(found["record"])
    assert len(record.trials) == 3 and record.asked == 6 and len(set(given)) == 1 and 0 < given[0] < 60.0
    assert "epochs" not in record.ranges and 0 < found["seconds"] < 60.0
    assert any("The time allows 3 of 6 trials." in one.get("note", "") for one in events)


def test_nothing_left_to_search_is_refused(asked: Asked, events: list[dict[str, Any]]) -> None:
    every = ("learning_rate", "batch_rows", "epochs", "weight_decay", "dropout", "label_smoothing")
    with pytest.raises(InputError, match="nothing left to search"):
        trials.search(**{**asked, "given": dict.fromkeys(every, 0)})
