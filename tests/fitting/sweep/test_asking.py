"""What is refused before a search, and what a run keeps of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError, MissingExtra
from lighten.fitting.options import FitOptions
from lighten.fitting.process import Training
from lighten.fitting.sweep import asking
from lighten.fitting.sweep.asking import check_search, given, searched, sweep_of
from lighten.models.bring import bring
from lighten.search.listener import Quiet
from lighten.store.study import Study
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.trainings import SWEEP

PLAIN = FitOptions("m", "d.csv", Path("out"), "text_classification", DataOptions(), search=5)
FIXED = {"lr": 1e-4, "batch_rows": 8, "weight_decay": 0.0, "dropout": 0.0, "label_smoothing": 0.1}


def test_what_is_given_is_fixed_also_where_it_is_nothing() -> None:
    assert given(replace(PLAIN, lr=1e-3, dropout=0.0)) == {"learning_rate": 1e-3, "dropout": 0.0}


def test_where_everything_is_given_nothing_is_searched() -> None:
    check_search(replace(PLAIN, **FIXED))  # type: ignore[arg-type]
    check_search(replace(PLAIN, search=None, epochs=3.0, **FIXED))  # type: ignore[arg-type]
    for more in ({"epochs": 3.0}, {"seconds": 60.0}):
        with pytest.raises(InputError, match="--search has nothing left to search: --lr, --batch-rows, "):
            check_search(replace(PLAIN, **FIXED, **more))  # type: ignore[arg-type]


def test_without_its_libraries_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"--search needs a library(.|\n)*'lighten\[search\]'"):
        check_search(PLAIN)
    check_search(replace(PLAIN, search=None))


@pytest.mark.parametrize(("more", "words"), [({"grid": True}, "--search with --grid"), ({"workers": 2}, "2 workers")])
def test_what_does_not_go_with_a_search_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_search(replace(PLAIN, **more))


def test_a_search_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, calls = Study(tmp_path / "study.db"), list[dict[str, Any]]()

    class Child:
        """Stands for the process."""

        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            pass

        def close(self) -> None:
            calls[-1]["closed"] = True

        def ask(self, verb: str, deadline: float, *, on_event: Any, function: str, arguments: Any) -> Any:
            calls.append({"function": function, **arguments})
            return {"value": {"record": SWEEP.to_json(), "settings": {"epochs": 1.5}, "seconds": 9.0}}

    monkeypatch.setattr(asking, "ChildProcess", Child)
    base = bring(str(tiny_network_folder(tmp_path / "net", layers=2)), tmp_path / "base")
    options = replace(PLAIN, dropout=0.1, seed=3)
    training = Training(options, base, TextClassification(), tmp_path / "parts.json", tmp_path, seconds=60.0)
    assert sweep_of(study) is None
    for _ in range(2):
        found = searched(training, study, 2, Quiet())
        assert (found.settings, found.seconds, found.parts) == ({"epochs": 1.5}, 9.0, training.parts)
    (asked,) = calls
    assert asked["function"] == "lighten.fitting.sweep.trials:search" and asked["closed"]
    assert (asked["seed"], asked["trials"], asked["seconds"], asked["given"]) == (3, 5, 60.0, {"dropout": 0.1})
    assert sweep_of(study) == SWEEP
    assert found.arguments(2)["settings"] == {"epochs": 1.5}
