"""What misses a ceiling by little is worked on: settings that lessen what is missed first, then other quantizations."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core.space import Space, Variant
from lighten.core.step import Step
from lighten.engines.llama import Llama
from lighten.search import near_misses as module
from lighten.search.leaderboard import Leaderboard
from lighten.search.near_misses import is_met, meet_what_is_missed, near_misses, smaller
from lighten.testing.stage_engine import StageEngine


def attempts(run: Any) -> Any:
    return SimpleNamespace(run=run, board=Leaderboard(run))


def test_the_nearest_that_breaks_no_floor_comes_first(measured: Any) -> None:
    found = {0: (100.0, 0), 1: (70.0, 2), 2: (52.0, 4), 3: (51.0, 300), 4: (90.0, 0)}
    run = measured(found, under=["toll<=50MB"])
    assert [c.key for c in near_misses(attempts(run))] == [2, 1]  # 3 cannot hold, 4 is far
    assert not is_met(attempts(run))


def test_nothing_is_worked_on_once_one_meets_the_budget_and_may_hold(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (52.0, 2), 2: (40.0, 4)}, under=["toll<=50MB"])
    assert is_met(attempts(run))
    run = measured({0: (100.0, 0), 1: (52.0, 2), 2: (40.0, 12)}, under=["toll<=50MB"])
    assert not is_met(attempts(run))  # by its point estimate it just keeps the floor; that is no proof to hope for


def test_each_near_miss_is_worked_on_once_whatever_made_it(
    measured: Any, plugins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = measured({0: (100.0, 0), 1: (70.0, 2), 2: (52.0, 4)}, under=["toll<=50MB"])
    assert all(candidate.recipe for candidate in run.folder.study.candidates() if candidate.key)
    tried: list[tuple[int, int]] = []
    asked = attempts(run)
    asked.spent = lambda reserve: False
    asked.planning = SimpleNamespace(
        settings=lambda count: 1.0, proof_of=lambda candidates: 1.0, variant=lambda engine: 1.0
    )
    asked.variants = SimpleNamespace(affordable=list)
    asked.made_from = lambda key: (None, Variant((), StageEngine(act=key)))
    asked.attempt = lambda _, variant, reserve: tried.append((variant.engine.act, variant.engine.thrift))
    monkeypatch.setattr(module, "served_best", lambda run, candidate, seconds, engines: engines[1])
    meet_what_is_missed(asked)
    assert tried == [(2, 1), (1, 1)]


def test_an_engine_names_its_settings_that_lessen_a_quantity() -> None:
    engine = StageEngine(act=2)
    found: list[Any] = engine.sparing(["toll"])
    assert [one.thrift for one in found] == [1, 3]
    assert {one.act for one in found} == {2}
    assert engine.sparing(["p95"]) == []
    assert [one.thrift for one in StageEngine(thrift=1).sparing(["toll"])] == [3]  # type: ignore[attr-defined]


def test_every_setting_that_saves_memory_of_llama_is_tried_together_and_alone() -> None:
    found: list[Any] = Llama().sparing(["memory"])
    assert len(found) == len(set(found))
    least, most = found[:2]
    assert (least.cells, least.batch, least.cache, least.repack) == (1024, 64, "q8_0", False)
    assert (most.cells, most.batch) == (512, 32)
    assert replace(Llama(), cache="q8_0") in found


@pytest.mark.usefixtures("fakes")
def test_other_quantizations_come_the_least_change_first() -> None:
    class Less(Step):
        consumes = ("hf",)

        def __init__(self, left: float) -> None:
            object.__setattr__(self, "left", left)

        def run(self, model: Any, needs: Any) -> Any:
            return model

        def share(self, facts: Any = None) -> float:
            return float(self.left)  # type: ignore[attr-defined]

        def __eq__(self, other: object) -> bool:
            return getattr(other, "left", None) == self.left  # type: ignore[attr-defined]

        def __hash__(self) -> int:
            return hash(self.left)  # type: ignore[attr-defined]

    engine = StageEngine()
    every = [Variant((Less(left),), engine) for left in (0.5, 0.25, 0.4, 0.9)]
    asked: Any = SimpleNamespace(run=SimpleNamespace(facts={}), variants=SimpleNamespace(affordable=lambda: every))
    order = [d.steps[0].left for d in smaller(asked, every[0])]  # type: ignore[attr-defined]
    assert order == [0.4, 0.25, 0.9]
    assert Space.compose("hf", (), {}).variants == ()
