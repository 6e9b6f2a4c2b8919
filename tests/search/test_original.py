"""A model without a head is trained first: within a time that is said, and it is said what there was no time for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lighten.pipeline.workshop import Work
from lighten.search import original
from lighten.search.original import HEAD_TIMES, TUNED, prepare_original
from lighten.store.study import Study

SECONDS = 600.0


@pytest.fixture
def run(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run of ten minutes of a model without a head; ``run.asked`` is what its workshop was asked to make."""
    said, asked = list[str](), list[dict[str, Any]]()
    plain, made = SimpleNamespace(format="hf", id="plain"), SimpleNamespace(format="hf", id="made")

    def make(base: Any, plan: Any, **how: Any) -> Any:
        asked.append(how)
        return made

    monkeypatch.setattr(original, "recipe_of_head", lambda *_: SimpleNamespace(plan=lambda **_: ()))
    monkeypatch.setattr(original, "facts_of", lambda model: {"has_head": model is made})
    study = Study(tmp_path / "study.db")
    store = SimpleNamespace(find=lambda name, formats: made if name == "made" else None)
    workshop = SimpleNamespace(make=make, work=(), teach_with=lambda model: None, score=lambda model, part: 0.5)
    return SimpleNamespace(
        facts={"has_head": False}, original=plain, notes=[], said=said, asked=asked, workshop=workshop,
        options=SimpleNamespace(model="m", seed=0, seconds=SECONDS), parts=SimpleNamespace(train=range(1234)),
        folder=SimpleNamespace(study=study, store=store), listener=SimpleNamespace(note=said.append),
        task=SimpleNamespace(settles_classes=True),
    )  # fmt: skip


def test_a_head_is_trained_within_a_time_that_is_said(run: Any) -> None:
    prepare_original(run)
    assert run.asked == [{"seconds": HEAD_TIMES * SECONDS, "shortens": True}]
    assert "1,234 rows" in run.said[0] and "about 20 min at most" in run.said[0]
    assert run.facts["has_head"] and run.folder.study.recall(TUNED) == "made"
    assert run.folder.study.recall("original tune accuracy") == 0.5
    assert run.notes == []


def test_without_a_time_none_is_said(run: Any) -> None:
    run.options.seconds = None
    prepare_original(run)
    assert "at most" not in run.said[0]


@pytest.mark.parametrize(
    ("seconds", "reached", "told"), [(1190.0, 0.19, True), (1190.0, 1.0, False), (300.0, 0.5, False)]
)
def test_what_there_was_no_time_for_is_said(run: Any, seconds: float, reached: float, told: bool) -> None:
    run.workshop.work = (Work("train.full", seconds, reached),)
    prepare_original(run)
    assert run.notes == (["There was time for 19% of the passes of m's training."] if told else [])
    assert run.said[1:] == run.notes


def test_what_was_trained_before_is_taken_up(run: Any) -> None:
    run.folder.study.remember(TUNED, "made")
    run.workshop.work = (Work("train.full", 1190.0, 0.19),)
    prepare_original(run)
    assert run.asked == [] and run.notes == []


def test_a_model_with_a_head_is_the_original_as_it_stands(run: Any) -> None:
    run.facts = {"has_head": True}
    prepare_original(run)
    assert run.original.id == "plain" and run.asked == [] and run.said == []
