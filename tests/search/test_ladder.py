"""Rungs of the ladder, and candidates measured together in groups that memory has room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lighten.core.result import Candidate
from lighten.search import ladder
from lighten.search.attempts import Attempts
from lighten.search.evaluate import evaluate
from lighten.search.ladder import measure_together, rungs
from lighten.search.planning import Planning
from lighten.search.proposals import Architecture
from lighten.testing.stage import Act, Stage


class Board:
    """Candidates with their costs."""

    def __init__(self, *found: tuple[str, str, tuple[Any, ...], float]) -> None:
        self.done = {
            key: Candidate(key, name, recipe, engine="ort", state="ok", role=role, seconds=cost)
            for key, (name, role, recipe, cost) in enumerate(found)
        }
        self.original = self.done[0]

    def cost_of(self, candidate: Candidate) -> float:
        return candidate.seconds


def test_the_cheapest_stock_candidates_stand_on_the_rungs() -> None:
    step = ({"use": "quantize.int8_dynamic"},)
    board: Any = Board(
        ("original", "original", (), 1.0), ("float", "stock", (), 0.9), ("int8", "stock", step, 0.5),
        ("better int8", "stock", step, 0.4), ("searched", "search", step, 0.1),
    )  # fmt: skip
    assert {rung: c.name for rung, c in rungs(board, board.done[4]).items()} == {
        "naive": "original", "tuned": "float", "stock": "better int8", "ours": "searched",
    }  # fmt: skip
    assert set(rungs(board, None)) == {"naive", "tuned", "stock"}


def test_groups_are_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch, measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 0)})
    others = [Candidate(key, str(key), (), "llama", {"library": "xllamacpp"}) for key in range(1, 7)]
    monkeypatch.setattr(
        ladder, "_engine", lambda one: type("Big", (), {"memory": lambda self, facts: {"all": 1_000}})()
    )
    monkeypatch.setattr(ladder, "available_memory", lambda: 6_000)
    assert [[c.key for c in group] for group in ladder._groups(run, others)] == [[1, 2], [3, 4], [5, 6]]
    monkeypatch.setattr(ladder, "available_memory", lambda: 1)
    assert [len(group) for group in ladder._groups(run, others)] == [1] * 6
    monkeypatch.setattr(ladder, "available_memory", lambda: 1 << 40)
    assert [len(group) for group in ladder._groups(run, others)] == [6]
    assert list(ladder._groups(run, [])) == [[]]


def test_what_is_measured_together_has_fresh_readings_and_who_fails_has_none(stage: Callable[..., Stage]) -> None:
    cheaper = {"search": 50.0, "proof": 20.0}
    with stage(Act(100.0), Act(cheaper), Act({"search": 30.0}, fault="segv")).open() as run:
        original = evaluate(run, 0, (), Stage.ORIGINAL, "original")
        attempts = Attempts(run, Planning(run))
        for variant in attempts.variants.every:
            attempts.attempt(Architecture(), variant)
        done = attempts.board.done
        assert done[1].results["toll"].ratio == pytest.approx(2.0)
        run.listener.phase("proof", None)
        found = measure_together(run, [original, done[1]])
        assert sorted(found) == [0, 1]
        assert found[1].results["toll"].ratio == pytest.approx(5.0)
        assert found[1].value("accuracy") == done[1].value("accuracy")
        assert run.folder.study.candidates()[1].value("toll") == 50.0  # the study keeps the earlier ones
