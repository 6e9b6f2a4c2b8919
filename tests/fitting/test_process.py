"""A training in a process of its own: what it is told, what is heard of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import OutOfMemory
from lighten.fitting import process, workers
from lighten.fitting.options import FitOptions
from lighten.models.bring import bring
from lighten.nets.training.checkpoint import deaths_in
from lighten.search.listener import Quiet
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder


class Notes(Quiet):
    """Remembers notes and progress."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def note(self, text: str) -> None:
        self.heard.append(text)

    def progress(self, done: float, total: float, message: str) -> None:
        self.heard.append((done, total, message))


def test_it_is_told_what_to_train_and_what_it_says_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Child:
        """Stands for the process."""

        def __init__(self, **_: object) -> None:
            asked["closed"] = False

        def start(self) -> None:
            pass

        def kill(self) -> None:
            pass

        def close(self) -> None:
            asked["closed"] = True

        def ask(self, verb: str, deadline: float, *, on_event: Any, function: str, arguments: Any) -> Any:
            on_event({"note": "a note"})
            on_event({"done": 1, "total": 2, "message": "half"})
            asked.update(arguments, function=function)
            return {"value": {"steps": 3}}

    monkeypatch.setattr(workers, "ChildProcess", Child)
    base = bring(str(tiny_network_folder(tmp_path / "net", layers=2)), tmp_path / "base")
    options = FitOptions("m", "d", tmp_path / "run", "text_classification", DataOptions(), seed=5)
    training = process.Training(options, base, TextClassification(), tmp_path / "parts.json", tmp_path / "run")
    training = replace(training, columns={"text": "body", "answer": "right"})
    notes = Notes()
    assert process.trained_in_process(replace(training, seconds=9.0), 2, notes) == {"steps": 3}
    assert (asked["seed"], asked["threads"], asked["seconds"], asked["closed"]) == (5, 2, 9.0, True)
    assert asked["folder"] == str(tmp_path / "run") and asked["function"] == "lighten.fitting.child:fit"
    assert asked["columns"] == {"text": "body"}
    assert notes.heard == ["a note", (1, 2, "half")]


def test_an_end_for_want_of_memory_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """Stands for the processes."""

        def __init__(self, *_: object) -> None:
            pass

        def fit(self, *_: object) -> None:
            raise OutOfMemory("It held too much.")

        def close(self) -> None:
            pass

    monkeypatch.setattr(process, "Workers", Full)
    base = bring(str(tiny_network_folder(tmp_path / "net", layers=2)), tmp_path / "base")
    options = FitOptions("m", "d", tmp_path / "run", "text_classification", DataOptions(), seed=5)
    training = process.Training(options, base, TextClassification(), tmp_path / "parts.json", tmp_path / "run")
    for deaths in (1, 2):
        with pytest.raises(OutOfMemory):
            process.trained_in_process(training, 2, Quiet())
        assert deaths_in(tmp_path / "run" / "checkpoint") == deaths
