"""A student learns what its teacher answers, even without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs
from lighten.distill.logits import LogitDistillation
from lighten.nets.encoders.network import open_network
from lighten.nets.forward import logits
from lighten.nets.network import Network
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK, TRAIN, TUNE = TextClassification(), toy_rows(320), toy_rows(80, seed=1)


class Answers:
    """A teacher that is sure of the right answers, by 2 logits."""

    def logits(self, rows: Rows) -> Any:
        return np.eye(2, dtype=np.float32)[list(rows.targets)] * 4 - 2


@pytest.fixture
def student(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))


def test_learns_the_teachers_logits_not_the_labels(student: Network) -> None:
    lies = Rows(TRAIN.inputs, TRAIN.targets[1:] + TRAIN.targets[:1])

    class Honest(Answers):
        def logits(self, rows: Rows) -> Any:
            return super().logits(TRAIN)

    needs = Needs(TASK, train=lies, tune=TUNE, teacher=Honest())
    LogitDistillation(epochs=12, learning_rate=2e-4, alpha=0.0).run(student, needs)
    unseen = toy_rows(200, seed=2)
    outputs = logits(student, unseen.inputs, 1)
    assert TASK.right(outputs, unseen).mean() > 0.95
    assert np.abs(outputs - Answers().logits(unseen)).mean() < 0.5


def test_labels_are_mixed_in(student: Network) -> None:
    class Clueless:
        def logits(self, rows: Rows) -> Any:
            return np.zeros((len(rows), 2), np.float32)

    needs = Needs(TASK, train=TRAIN, tune=TUNE, teacher=Clueless())
    LogitDistillation(epochs=12, learning_rate=2e-4, alpha=1.0).run(student, needs)
    unseen = toy_rows(200, seed=2)
    assert TASK.right(logits(student, unseen.inputs, 1), unseen).mean() > 0.95


def test_refuses_a_teacher_of_other_classes(student: Network) -> None:
    class Three:
        def logits(self, rows: Rows) -> Any:
            return np.zeros((len(rows), 3), np.float32)

    with pytest.raises(StepFailed, match=r"answers \[320, 3\]"):
        LogitDistillation().run(student, Needs(TASK, train=TRAIN, tune=TUNE, teacher=Three()))
    with pytest.raises(StepFailed, match="needs a teacher"):
        LogitDistillation().run(student, Needs(TASK, train=TRAIN, tune=TUNE))


def test_is_in_the_catalog() -> None:
    assert catalog.load_step("distill.logits") is LogitDistillation
    assert LogitDistillation.needs == {"train", "tune", "teacher"}


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3_text"])
def test_a_language_model_comes_nearer_to_its_original(tmp_path: Path, family: str) -> None:
    from lighten.nets.language.network import open_language
    from lighten.nets.language.teacher import LanguageTeacher
    from lighten.nets.language.vocabulary import cut_language
    from lighten.prune.layers import DropLayers
    from lighten.tasks.text_generation import TextGeneration
    from lighten.testing.tiny_language import tiny_documents, tiny_language

    class Original:
        def network(self) -> Any:
            return open_language(tmp_path)

    tiny_language(family, tmp_path, layers=6)
    train, unseen = tiny_documents(120), tiny_documents(6, 5).inputs
    needs = Needs(TextGeneration(), train=train, tune=tiny_documents(4, 1), teacher=Original())  # type: ignore[arg-type]
    student = DropLayers(keep=0.5).run(open_language(tmp_path), needs)
    cut_language(student, train.inputs, min_count=1, spare=0.0, threads=1, watch=needs.watch)  # type: ignore[arg-type]
    apart = LanguageTeacher(open_language(tmp_path), student, unseen, 128)  # type: ignore[arg-type]
    batch = [list(window) for window in apart._pairs]
    before = apart.objective(0.0, 1.0)(student.net, batch)
    student.net.zero_grad()
    LogitDistillation(epochs=1.0, alpha=0.0, learning_rate=5e-4).run(student, needs)
    assert apart.objective(0.0, 1.0)(student.net, batch) < 0.8 * before


def test_a_file_that_was_opened_once_teaches_without_being_opened_again(tmp_path: Path) -> None:
    from importlib.util import find_spec

    from lighten.core.recipe import Recipe
    from lighten.core.rows import Parts
    from lighten.core.step import Silent
    from lighten.pipeline.make import Workbench
    from lighten.store.artifacts import ArtifactStore
    from lighten.tasks.text_generation import TextGeneration
    from lighten.testing.require import require
    from lighten.testing.tiny_language import tiny_documents, tiny_gguf

    require(find_spec("gguf") and find_spec("libgguf"), "GGUF (pip install 'lighten[llama]')")
    original = tiny_gguf("llama", tmp_path)
    parts = Parts(tiny_documents(30), *(tiny_documents(4, seed) for seed in (1, 2, 3)), ())
    bench = Workbench(ArtifactStore(tmp_path / "run" / "store"), TextGeneration(), parts, original, seed=0, threads=1)
    steps = (catalog.load_step("prune.layers")(), LogitDistillation(epochs=0.1))
    plan = Recipe("m", steps).plan(format="gguf", facts={"language": True, "family": "llama", "layers": 2})
    made = bench.chain(original, plan, Silent())
    assert made.format == "hf-causal" and made.step is not None and made.step["use"] == "distill.logits"
    kept = list((tmp_path / "run" / "store").rglob("lighten.json"))
    assert len(kept) == 3  # opened, one layer dropped, trained back


def test_a_temperature_is_for_language_models() -> None:
    assert "language models" in LogitDistillation(temperature=2.0).check({"family": "bert"})
    assert LogitDistillation(temperature=2.0).check({"family": "llama", "language": True}) == ""
    assert LogitDistillation().check({"family": "bert"}) == ""
