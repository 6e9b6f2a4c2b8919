"""Teachers are brought, have the student's classes in whatever order, and are asked once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, InputError, SessionCrashed
from lighten.core.rows import Parts
from lighten.core.task import Data
from lighten.core.training import ProofScore
from lighten.fitting import comparison, reading, score
from lighten.fitting.comparison import compared
from lighten.fitting.lessons import lesson_for
from lighten.fitting.options import FitOptions
from lighten.fitting.teachers import adopt, bring_teachers, teachers_of
from lighten.measure.probe import EngineHealth
from lighten.models.bring import bring
from lighten.nets.training.lesson import LABELS, Lesson
from lighten.search.listener import Quiet
from lighten.store.folder import RunFolder
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

LABELLED = ("bad", "good")


@pytest.fixture
def options(tmp_path: Path) -> FitOptions:
    return FitOptions("m", "d.csv", tmp_path / "run", "text_classification", DataOptions(), teachers=("a", "b"))


def test_what_cannot_teach_is_refused(options: FitOptions, tmp_path: Path, in_this_process: None) -> None:
    net = tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    data = Data(TextClassification(), Parts(*[toy_rows(4)] * 4, labels=LABELLED), {})
    with pytest.raises(InputError, match=r"has no head that was trained(.|\n)*lighten train"):
        bring_teachers(replace(options, teachers=(str(net),)), data, tmp_path)


def sealed(folder: Path, labels: tuple[str, ...]) -> Artifact:
    config = tiny_network_folder(folder / "net", layers=2) / "config.json"
    told = {**json.loads(config.read_text()), "id2label": dict(enumerate(labels)), "label2id": None}
    config.write_text(json.dumps(told))
    made = bring(str(folder / "net"), folder / "made")
    assert made.meta["labels"] == list(labels)
    return made


def test_classes_may_be_in_another_order_and_must_be_the_same(
    options: FitOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [sealed(tmp_path / "a", ("good", "bad")), sealed(tmp_path / "b", LABELLED)]
    assert [one.places for one in teachers_of(options, made, LABELLED)] == [(1, 0), (0, 1)]
    with pytest.raises(InputError, match="answers 2 classes, and the model that is trained 3"):
        teachers_of(options, made, ("x", "y", "z"))
    with pytest.raises(DataError):
        teachers_of(options, made, ("cat", "dog"))

    asked, notes = list[str](), list[str]()

    def answered(
        artifact: Artifact, engine: object, task: object, rows: object, *_: object
    ) -> tuple[np.ndarray, float]:  # type: ignore[type-arg]
        asked.append(artifact.path.name)
        sure = np.tile([4.0, -4.0], (len(rows), 1))  # type: ignore[arg-type]
        return sure, 2.0

    monkeypatch.setattr(score, "answered", answered)
    monkeypatch.setattr(reading, "probe_engine", lambda name: EngineHealth(name, works=True))
    rows = toy_rows(6)
    data = Data(TextClassification(), Parts(rows, rows, rows, rows, labels=LABELLED), {})
    folder = RunFolder.open(options.out, options.manifest("x", 1), resume=False)
    try:
        teachers = teachers_of(options, adopt(folder, made), LABELLED)
        for _ in range(2):
            told = lesson_for(options, folder, made[0], data, teachers, 1, Quiet())
        assert told.parts.name == "parts.json" and asked == ["teacher-0", "teacher-1"] and told.lesson is not None
        assert [path.name for path in told.teachers] == ["teacher-0", "teacher-1"]
        lesson = Lesson.read(told.lesson)
        np.testing.assert_allclose(lesson.answers, 0.0, atol=1e-6)  # one says good, the other bad
        np.testing.assert_allclose(lesson.weights, LABELS)
        mine = ProofScore("accuracy", "fraction", "higher", 1.0, 6)
        found = compared(options, folder, made[0], made[1], data, teachers, (mine, 1.0), 1, Quiet(), notes.append)
        assert [(one.kind, one.name, one.seconds) for one in found] == [
            ("trained", "m", 1.0), ("ensemble", "", 4.0), ("teacher", "a", 2.0), ("teacher", "b", 2.0),
        ]  # fmt: skip
        assert found[2].score.value + found[3].score.value == pytest.approx(1.0)
        assert lesson_for(options, folder, made[0], data, [], 1, Quiet()).lesson is None
        assert compared(options, folder, made[0], made[1], data, [], (mine, 1.0), 1, Quiet(), notes.append) == ()
        assert not notes

        def dying(*_: object) -> None:
            raise SessionCrashed("It died.")

        monkeypatch.setattr(comparison, "attacked_answers", dying)
        monkeypatch.setattr(teachers[0].__class__, "answers", dying)
        hard = replace(options, harden=0.1)
        before, after = (one.artifact for one in teachers)
        found = compared(hard, folder, before, after, data, teachers, (mine, 1.0), 1, Quiet(), notes.append)
        assert [one.kind for one in found] == ["trained", "before"]  # what it was trained for is not lost
        assert notes[0] == "The trained model under attack could not be judged on proof: It died."
        assert [note.split(" could")[0] for note in notes[2:]] == ["--teacher a", "--teacher b"]
    finally:
        folder.close()
