"""Whatever goes wrong with one candidate is a typed result with its reason, and its answers are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import BuildFailed
from lighten.search.evaluate import answer, built_of, evaluate, file_of
from lighten.search.planning import Planning
from lighten.testing.plugin import installed
from lighten.testing.stage import Act, Stage
from lighten.testing.stage_engine import StageEngine


def test_a_candidate_is_measured_beside_the_original_or_has_its_reason(stage: Callable[..., Stage]) -> None:
    with stage(Act(100.0), Act(25.0, wrong=0.02)).open() as run:
        original = evaluate(run, 0, (), Stage.ORIGINAL, "original")
        good = evaluate(run, 1, (), StageEngine(act=1), "stock")
        bad = evaluate(run, 2, (), StageEngine(act=1, fault="segv", at="open"), "search")
        none = evaluate(run, 3, (), StageEngine(act=3), "search")
        assert (original.state, good.state, bad.state, none.state) == ("ok", "ok", "failed", "failed")
        assert good.results["toll"].ratio == pytest.approx(4.0)
        assert 0.95 < (good.value("accuracy") or 0.0) < 1.0
        assert bad.reason.startswith("SessionCrashed")
        assert none.reason.startswith("BuildFailed: There is no such part.")
        assert [c.key for c in run.folder.study.candidates()] == [0, 1, 2, 3]
        answers = run.folder.study.answers(1, "select")
        assert answers is not None
        assert answers.shape == (len(run.parts.select), 2)
        assert run.folder.study.answers(1, "proof") is None
        assert Planning(run).a_row(good.key) > 0


def test_answers_that_are_not_finite_or_too_few_are_refused(measured: Any) -> None:
    import numpy as np

    run = measured({0: (1.0, 0)})
    run.listener = type("Quiet", (), {"progress": lambda self, *of: None})()

    def session(answers: Any) -> Any:
        return type("Answers", (), {"answers": lambda self, inputs, heard: answers})()

    whole = np.zeros((len(run.parts.select), 2), dtype=np.float32)
    with pytest.raises(BuildFailed, match="shape"):
        answer(run, session(whole[1:]), "select", 1)
    whole[3, 1] = np.nan
    with pytest.raises(BuildFailed, match="1 of 400 answers are not finite"):
        answer(run, session(whole), "select", 1)
    assert run.folder.study.answers(1, "select") is None


def upgraded(folder: Path) -> Path:
    """A place where another version of a library is installed."""
    record = folder / "torch-99.0.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 99.0\n", encoding="utf-8")
    return folder


def test_the_file_that_was_measured_is_taken_whatever_is_installed_now(
    stage: Callable[..., Stage], tmp_path: Path
) -> None:
    theatre = stage(Act(100.0), Act(25.0))
    with theatre.open() as run:
        evaluate(run, 0, (), Stage.ORIGINAL, "original")
        good = evaluate(run, 1, (), StageEngine(act=1), "stock")
        before = file_of(run, good)
    with installed(upgraded(tmp_path / "new")), theatre.open() as run:
        assert file_of(run, good).path == before.path
        again = built_of(run, (), StageEngine(act=1))  # what is made now is made by other versions
        assert again.path != before.path
        assert again.versions["torch"] == "99.0"


def test_a_file_that_the_loss_of_power_broke_is_made_again(stage: Callable[..., Stage]) -> None:
    said: list[str] = []
    with stage(Act(100.0), Act(25.0)).open() as run:
        evaluate(run, 0, (), Stage.ORIGINAL, "original")
        good = evaluate(run, 1, (), StageEngine(act=1), "stock")
        run.folder.store.told = said.append
        for entry in run.folder.store.every():
            if entry.path.name != "model":
                (entry.path / "fake.txt").write_bytes(b"\0" * 100)
        assert file_of(run, good).id == good.artifact
        assert said and "was broken" in said[0]
        assert evaluate(run, 2, (), StageEngine(act=1, thrift=1), "search").state == "ok"
