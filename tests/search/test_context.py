"""The clock goes on over all starts of a run, and quantities are known by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.meters.accuracy import Accuracy
from lighten.meters.memory import Memory
from lighten.search import context
from lighten.search.context import Clock, quantities_of
from lighten.store.study import Study


def test_a_resumed_run_goes_on_where_the_killed_one_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(context.time, "monotonic", lambda: now[0])
    study = Study(tmp_path / "study.db")
    clock = Clock(study, 60.0, used=5.0)
    now[0] += 10.0
    assert (clock.spent, clock.left) == (15.0, 45.0)
    clock.tick()
    now[0] += 7.0  # killed: what came after the last tick is lost
    again = Clock(study, 60.0)
    now[0] += 1.0
    assert (again.spent, again.left) == (16.0, 44.0)
    assert Clock(study, None).left == float("inf")


def test_quantities_stand_under_their_names() -> None:
    found = quantities_of({"accuracy": Accuracy()}, {"memory": Memory()})
    assert {"accuracy", "memory"} <= set(found)
    assert all(found[name].name == name for name in found)
