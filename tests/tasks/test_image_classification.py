"""Image classification: data of pictures becomes rows that refer to files, and paths are what is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError
from lighten.core.item import Reference
from lighten.core.rows import PART_NAMES
from lighten.tasks.image_classification import ImageClassification
from lighten.testing.pictures import CLASSES, picture_folder, saved_picture

TASK = ImageClassification()
NOTHING = DataOptions()


def test_it_is_in_the_catalogue() -> None:
    assert catalog.load("tasks", "image_classification") is ImageClassification
    assert TASK.metrics[0] == "accuracy"


def test_a_folder_for_each_class_is_read_in_parts(tmp_path: Path) -> None:
    data = TASK.read(picture_folder(tmp_path / "data", 40), NOTHING, seed=0)
    assert data.parts.labels == tuple(sorted(CLASSES))
    assert data.columns["label"] == "label"
    items = [item for name in PART_NAMES for item in data.parts[name].inputs]
    assert len(items) == 120 and all(isinstance(item, Reference) and item.kind == "image" for item in items)


def test_new_rows_come_in_the_order_of_the_data(tmp_path: Path) -> None:
    saved = [saved_picture(tmp_path / f"{at}.png", at) for at in range(6)]
    (tmp_path / "new.csv").write_text("\n".join(["path,label", *(f"{at}.png,{'ab'[at % 2]}" for at in range(6))]))
    new = TASK.read_new(tmp_path / "new.csv", NOTHING, ("a", "b"))
    assert (new.rows.inputs, new.labels, new.rows.targets) == (tuple(saved), ("a", "b"), (0, 1, 0, 1, 0, 1))


def test_files_folders_and_tables_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = [saved_picture(tmp_path / "more" / f"{at}.png", at) for at in range(3)]
    paths = [item.path for item in saved]
    monkeypatch.chdir(tmp_path / "more")
    assert TASK.read_inputs(paths, NOTHING) == saved
    assert TASK.read_inputs("1.png", NOTHING) == saved[1:2]
    assert TASK.read_inputs(["2.png"], NOTHING) == saved[2:]
    assert TASK.read_inputs(tmp_path / "more", NOTHING) == saved
    (tmp_path / "list.csv").write_text("file\nmore/2.png\nmore/0.png\n")
    assert TASK.read_inputs(tmp_path / "list.csv", NOTHING) == [saved[2], saved[0]]
    assert TASK.item_of("0.png", NOTHING) == saved[0]
    assert TASK.item_of(saved[1], NOTHING) == saved[1]


def test_what_cannot_be_asked_is_named(tmp_path: Path) -> None:
    fine = saved_picture(tmp_path / "fine.png", 0)
    for name in ("bad.png", "worse.png"):
        (tmp_path / name).write_text("no picture")
    with pytest.raises(DataError, match=r"bad\.png is no picture .* first of 2 of 3 in 3 files"):
        TASK.read_inputs([fine.path, str(tmp_path / "bad.png"), str(tmp_path / "worse.png")], NOTHING)
    with pytest.raises(DataError, match=r"gone\.png cannot be read: No such file"):
        TASK.read_inputs([fine.path, str(tmp_path / "gone.png")], NOTHING)
    with pytest.raises(DataError, match=r"gone\.png cannot be read"):
        TASK.item_of(str(tmp_path / "gone.png"), NOTHING)
    (tmp_path / "notes.txt").write_text("a text")
    with pytest.raises(DataError, match=r"notes\.txt is no file that is answered by itself"):
        TASK.read_inputs([fine.path, str(tmp_path / "notes.txt")], NOTHING)


def test_predictions_are_probabilities_of_the_labels(tmp_path: Path) -> None:
    from lighten.testing.fake import FakeEngine, FakeSession

    item = saved_picture(tmp_path / "a.png", 0)
    (one,) = TASK.predict(FakeSession(FakeEngine()), [item], ("no", "yes"))
    assert sum(one.scores.values()) == pytest.approx(1.0)
    assert one.label == max(one.scores, key=lambda name: one.scores[name])


def test_a_copy_of_the_data_elsewhere_is_the_same_data(tmp_path: Path) -> None:
    first = picture_folder(tmp_path / "first", 40)
    shutil.copytree(first, tmp_path / "second")
    one, other = (TASK.read(tmp_path / name, NOTHING, seed=0).parts for name in ("first", "second"))
    assert one.fingerprint == other.fingerprint
    assert np.array_equal(one.proof.targets, other.proof.targets)
