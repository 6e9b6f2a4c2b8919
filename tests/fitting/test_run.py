"""The job as a whole: what went wrong names the command that goes on. The rest is in tests/verbs/test_train.py."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core.errors import InputError, Interrupted, SessionCrashed, StepFailed
from lighten.fitting import run
from lighten.fitting.lessons import Taught
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training
from lighten.search.listener import Listener, Quiet
from lighten.store.folder import RunFolder
from lighten.store.study import Study


class Phases(Quiet):
    """Remembers what it is told of."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def phase(self, name: str, seconds_left: float | None) -> None:
        self.heard.append(name)


@pytest.mark.parametrize(("search", "heard"), [(None, ["training"]), (3, ["sweep", "training"])])
def test_a_training_is_announced_when_it_begins(
    options: FitOptions, monkeypatch: pytest.MonkeyPatch, search: int | None, heard: list[str]
) -> None:
    def searched(training: Training, study: Study, threads: int, listener: Listener) -> Training:
        listener.phase("sweep", None)
        listener.phase("training", None)
        return training

    phases = Phases()
    monkeypatch.setattr(run, "lesson_for", lambda *_: Taught(options.out))
    monkeypatch.setattr(run, "searched", searched)
    monkeypatch.setattr(run, "trained_in_process", lambda *_, **__: {"steps": 1})
    asked = replace(options, search=search)
    folder = RunFolder.open(options.out, {}, resume=False)
    data: Any = SimpleNamespace(task=None, columns=None)
    try:
        assert run.taught(asked, folder, None, data, [], 1, phases) == {"steps": 1}  # type: ignore[arg-type]
    finally:
        folder.close()
    assert phases.heard == heard


@pytest.mark.parametrize("asked", [{"grid": True}, {"unlabelled": "more.csv"}])
def test_what_a_launcher_cannot_do_is_refused_by_every_process_of_it(
    options: FitOptions, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="a launcher started this one among 2 processes"):
        run.train_model(replace(options, **asked))


def test_no_workers_are_refused(options: FitOptions) -> None:
    with pytest.raises(InputError, match=r"--workers is 0(.|\n)*1 to 4096"):
        run.train_model(replace(options, workers=0))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KeyboardInterrupt(), Interrupted, r"was interrupted(.|\n)*lighten train .*--resume"),
        (SessionCrashed("It died."), SessionCrashed, r"It died(.|\n)*last checkpoint: lighten train .*--resume"),
        (StepFailed("OSError: I/O error"), StepFailed, r"I/O error(.|\n)*last checkpoint: lighten train .*--resume"),
        (StepFailed("It came apart.", fix="lower learning_rate"), StepFailed, "lower learning_rate"),
    ],
)
def test_what_goes_wrong_says_how_to_go_on(
    options: FitOptions,
    monkeypatch: pytest.MonkeyPatch,
    in_this_process: None,
    error: BaseException,
    kind: type[Exception],
    words: str,
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "taught", failing)
    with pytest.raises(kind, match=words):
        run.train_model(options)
    assert (options.out / "manifest.json").is_file()
