"""What is learned beside labels, and the whole job with it: teachers, rows without labels, attacks, a grid."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError, RunFolderError
from lighten.core.training import TrainingResult
from lighten.data.learned import learned_in
from lighten.fitting.lessons import FIRST, FIRST_NOTES, PARTS, UNLABELLED, check_same, notes_of
from lighten.fitting.options import FitOptions
from lighten.fitting.run import train_model
from lighten.fitting.unlabelled import Unlabelled
from lighten.nets.training.lesson import FILE
from lighten.store.study import Study
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.fixture
def options(tmp_path: Path, in_this_process: None) -> FitOptions:
    tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    toy = toy_rows(300, groups=True)
    with (tmp_path / "data.csv").open("w", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["text", "label", "domain"])
        out.writerows(zip(toy.inputs, (("bad", "good")[t] for t in toy.targets), toy.groups, strict=True))
    return FitOptions(
        str(tmp_path / "net"), str(tmp_path / "data.csv"), tmp_path / "run", "text_classification",
        DataOptions(group="domain"), epochs=2.0, threads=1, precision="fp32",
    )  # fmt: skip


def learned(run: Path) -> set[int]:
    return set(learned_in(run / "model").tolist())


def test_it_learns_from_trained_models_and_is_compared_with_them_and_under_attack(
    options: FitOptions, tmp_path: Path
) -> None:
    first = train_model(replace(options, out=tmp_path / "first"))
    assert first.compared == () and first.grid == ()
    taught = replace(options, teachers=(str(tmp_path / "first"),) * 2, harden=0.1, grid=True)
    result = train_model(taught)
    assert [one.kind for one in result.compared] == ["trained", "attacked", "ensemble", "teacher", "teacher"]
    kinds = {one.kind: one.score.value for one in result.compared}
    assert kinds["ensemble"] == kinds["teacher"] and kinds["trained"] == result.proof[0].value
    assert 0.0 <= kinds["attacked"] <= 1.0
    assert result.settings["harden"] == 0.1 and result.settings["teacher"].count("first") == 2
    # Rows that the teachers learned from are not judged on, and are known to have been learned from.
    assert result.rows["proof"] == first.rows["proof"] and learned(tmp_path / "first") <= learned(options.out)
    names = ("east", "west")
    assert {(one.trained_on, one.score.group) for one in result.grid} == {(of, on) for of in names for on in names}
    assert result.grid_seconds > 0 and any("models of the grid learned from the labels" in one for one in result.notes)
    assert not any((options.out / name).exists() for name in ("grid", FILE, FIRST, PARTS))
    assert TrainingResult.from_json(json.loads((options.out / "result.json").read_text())) == result
    (options.out / FIRST).mkdir()  # as a kill leaves it that comes once all is trained
    again = train_model(replace(taught, resume=True))
    assert (again.compared, again.grid_seconds) == (result.compared, result.grid_seconds)
    assert not (options.out / FIRST).exists()


def test_rows_without_labels_are_answered_after_a_first_training(options: FitOptions, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    lines = "".join(f"{text} indeed\n" for text in toy_rows(40, seed=9).inputs)
    more.write_text(f"text\n{lines}{lines.splitlines()[0]}\n", encoding="utf-8")
    asked = replace(options, unlabelled=str(more))
    result = train_model(asked)
    many = result.rows["unlabelled"]
    assert 0 < many <= 40 and result.learned == 2 * (result.rows["train"] + many)
    assert len(learned(options.out)) == result.rows["train"] + result.rows["tune"] + many
    assert not any((options.out / name).exists() for name in (FIRST, FILE, PARTS))
    assert "--unlabelled" in result.command and result.compared == ()
    assert any("of --unlabelled" in one and "left out" in one for one in result.notes)
    more.unlink()
    shutil.rmtree(options.model)  # the run has all that it goes on from
    assert train_model(replace(asked, resume=True)).rows == result.rows
    before = train_model(replace(options, model=str(options.out), out=tmp_path / "hard", harden=0.1, epochs=1.0))
    assert [one.kind for one in before.compared] == ["trained", "attacked", "before", "before_attacked"]


def test_teachers_without_a_head_are_refused_before_anything_is_written(options: FitOptions) -> None:
    with pytest.raises(InputError, match="has no head that was trained"):
        train_model(replace(options, teachers=(options.model,)))
    assert not options.out.exists()


def test_other_rows_without_labels_are_refused_on_resume(options: FitOptions, tmp_path: Path) -> None:
    study = Study(tmp_path / "study.sqlite")
    try:
        for _ in range(2):
            check_same(options, study, Unlabelled(("one", "two"), ("a", "b"), "1 row of 3 is left out."))
        assert study.recall(UNLABELLED) == {UNLABELLED: 2} and notes_of(study) == ("1 row of 3 is left out.",)
        study.remember(FIRST_NOTES, ["Of a batch."])
        assert notes_of(study)[1:] == ("The first training: Of a batch.",)
        with pytest.raises(RunFolderError, match="are others than those of the training"):
            check_same(options, study, Unlabelled(("one", "two"), ("a", "c")))
    finally:
        study.close()
