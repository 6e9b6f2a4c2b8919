"""A recipe is made step by step, each result kept under the key of what made it; what raises says which step it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.errors import BuildFailed, StepFailed
from lighten.core.recipe import step_from
from lighten.core.step import Silent
from lighten.pipeline.make import Seen, Workbench, build, versions
from lighten.store.artifacts import ArtifactStore
from lighten.tasks.text_classification import TextClassification
from lighten.testing.fake import fake_artifact
from lighten.testing.stage import stage_parts
from lighten.testing.tiny_artifacts import LABELS, tiny_artifact

PARTS = replace(stage_parts(), labels=LABELS)

pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(ArtifactStore(tmp_path / "store"), TextClassification(), PARTS, None, 0, 1)


def test_what_was_made_before_is_taken_from_the_store(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    trim, shrink = catalog.load_step("prune.trim"), catalog.load_step("prune.shrink")
    ran: list[str] = []
    for cls in (trim, shrink):
        monkeypatch.setattr(cls, "run", lambda self, model, needs, cls=cls: (ran.append(cls.__name__), model)[1])
    made = bench.chain(tiny_artifact("hf"), [trim(), shrink()], Silent())
    assert ran == ["Trim", "Shrink"]
    assert made.step["use"] == "prune.shrink"
    assert bench.chain(tiny_artifact("hf"), [trim(), shrink()], Silent()) == made
    assert ran == ["Trim", "Shrink"]
    other = bench.chain(tiny_artifact("hf"), [trim(), shrink(keep=0.2)], Silent())  # type: ignore[call-arg]
    assert ran == ["Trim", "Shrink", "Shrink"]
    assert other.path != made.path
    assert other.parent == made.parent


def test_what_was_carried_out_is_told_with_how_much_of_its_plan_was_done(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends_early(self: Any, model: Any, needs: Any) -> Any:
        needs.watch.progress(1, 4, "better")
        needs.watch.progress(3, 4, "nothing more to gain")
        return model

    trim, shrink = catalog.load_step("prune.trim"), catalog.load_step("prune.shrink")
    monkeypatch.setattr(trim, "run", lambda self, model, needs: model)
    monkeypatch.setattr(shrink, "run", ends_early)
    bench.chain(tiny_artifact("hf"), [trim(), shrink()], Silent())
    assert [(one["use"], one["reached"]) for one in bench.work] == [("prune.trim", 1.0), ("prune.shrink", 0.75)]
    assert all(one["seconds"] >= 0 for one in bench.work)
    again = Workbench(bench.store, bench.task, bench.parts, None, 0, 1)
    again.chain(tiny_artifact("hf"), [trim(), shrink()], Silent())
    assert again.work == []


def test_keys_follow_from_settings_and_from_the_data_that_a_step_needs(bench: Workbench) -> None:
    thin: Any = catalog.load_step("prune.thin")
    trim: Any = catalog.load_step("prune.trim")
    other = Workbench(bench.store, bench.task, PARTS, None, 1, 1)
    assert bench.step_key("a", thin()) == bench.step_key("a", thin())
    assert len({bench.step_key("a", thin()), bench.step_key("a", thin(width=0.5)), bench.step_key("b", thin())}) == 3
    assert other.step_key("a", trim()) != bench.step_key("a", trim())  # another seed


def test_a_step_that_raises_is_named(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    trim = catalog.load_step("prune.trim")

    def broken(self: Any, model: Any, needs: Any) -> Any:
        raise ZeroDivisionError("nothing is left")

    monkeypatch.setattr(trim, "run", broken)
    with pytest.raises(StepFailed, match=r"prune\.trim: ZeroDivisionError: nothing is left"):
        bench.chain(tiny_artifact("hf"), [trim()], Silent())


def test_a_student_needs_an_original(bench: Workbench) -> None:
    with pytest.raises(StepFailed, match="learns from the original"):
        bench.chain(tiny_artifact("hf"), [step_from({"use": "distill.relearn"})], Silent())


def test_a_build_is_kept_and_one_that_raises_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = catalog.load("engines", "floaty")()
    store, source = ArtifactStore(tmp_path / "store"), fake_artifact(tmp_path / "model")
    calls: list[Path] = []

    def built(self: Any, artifact: Any, folder: Path) -> str:
        calls.append(folder)
        (folder / "built.txt").write_text("here", encoding="utf-8")
        return "hf"

    monkeypatch.setattr(type(engine), "build", built)
    first = build(store, source, engine, 0)
    assert first.meta["labels"] == ["even", "odd"]
    assert build(store, source, engine, 0) == first
    assert len(calls) == 1

    def refuses(self: Any, artifact: Any, folder: Path) -> str:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(type(engine), "build", refuses)
    with pytest.raises(BuildFailed, match="floaty: RuntimeError: no such operator"):
        build(store, fake_artifact(tmp_path / "another", "other"), engine, 0)


def test_versions_are_those_of_what_is_installed() -> None:
    assert {"torch", "transformers"} <= set(versions())


def test_a_plan_that_became_shorter_was_not_reached_whole() -> None:
    seen = Seen(Silent())
    seen.progress(1, 10)
    seen.progress(4, 4)
    assert seen.reached == 0.4
