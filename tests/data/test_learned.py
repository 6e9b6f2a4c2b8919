"""Rows that a model learned from are known by their texts, and nothing is judged on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import LEARNED, Artifact
from lighten.core.errors import DataError, ModelError
from lighten.core.rows import Parts, Rows
from lighten.data.cells import Table
from lighten.data.columns import Columns
from lighten.data.examples import Example
from lighten.data.learned import hashes_of, keep_apart, learned_in, save_learned, seen_before, unseen
from lighten.data.parts import split
from lighten.readers.image import ImageReader
from lighten.testing.pictures import picture, saved_picture

TEXTS = tuple(f"sentence number {i}" for i in range(400))
USERS = tuple(f"user{i // 4}" for i in range(400))
TABLE = Table({"text": TEXTS, "label": ("no", "yes") * 200, "user": USERS}, "data.csv")
EMPTY = hashes_of(())


def parts(seed: int = 0, unit: str | None = None) -> Parts:
    return split(TABLE, Columns("text", "label", unit=unit), seed=seed)


def test_a_row_is_known_by_its_text_whatever_its_case_spacing_and_label() -> None:
    same = {Example(text, label, 1).id for text in ("Some  text", "some TEXT ") for label in ("a", "b")}
    assert len(same) == 1 and Example("some texts", "a", 1).id not in same


def test_hashes_are_kept_in_the_folder_and_passed_on(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    one, two = parts(), parts(1)
    save_learned(folders[0], [], one.train.ids)
    assert (folders[0] / LEARNED).stat().st_size == 8 * len(one.train)
    save_learned(folders[1], [folders[0]], two.tune.ids)
    known = learned_in(folders[1])
    assert seen_before(one.train, known).all() and seen_before(two.tune, known).all()
    assert not seen_before(one.proof, learned_in(folders[0])).any()
    save_learned(folders[2], [])
    assert not (folders[2] / LEARNED).exists() and len(learned_in(folders[2])) == 0
    (folders[0] / LEARNED).write_bytes(b"short")
    with pytest.raises(ModelError, match="damaged"):
        learned_in(folders[0])


def test_a_picture_that_was_stored_anew_is_learned_with_the_one_beside_it(tmp_path: Path) -> None:
    items = [saved_picture(tmp_path / f"{seed}.png", seed, size=(120, 90)) for seed in range(4)]
    picture(1, size=(120, 90)).save(tmp_path / "again.jpg", quality=85)
    items.append(ImageReader.describe(tmp_path / "again.jpg"))
    ids = tuple(Example(item, "", 1).id for item in items)
    rows, known = Rows(tuple(items), (0,) * 5, ids=ids), hashes_of([ids[1]])
    assert seen_before(rows, known).tolist() == [False, True, False, False, True]
    assert not seen_before(rows.take([0, 2, 3, 4]), known).any(), "alone it is not known again"


def test_the_hashes_are_sealed_and_do_not_count_as_the_models_size(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1234")
    save_learned(tmp_path, [], parts().train.ids)
    made = Artifact.seal(tmp_path, format="fake", meta={})
    assert LEARNED in made.files and made.size == 4


def test_learned_rows_are_never_judged_on() -> None:
    first, second = parts(0), parts(1)
    learned = hashes_of((*first.train.ids, *first.tune.ids))
    apart = keep_apart(second, learned, "runs/a/winner")
    for name in ("select", "proof"):
        assert seen_before(second[name], learned).any() and not seen_before(apart[name], learned).any()
        assert len(apart[name]) >= 2
    total = sum(len(second[name]) for name in ("train", "select", "proof"))
    assert sum(len(apart[name]) for name in ("train", "select", "proof")) == total
    assert "runs/a/winner learned from rows of this data" in apart.notes[-1]
    assert keep_apart(apart, learned, "m") is apart, "nothing is left to move"
    assert keep_apart(first, learned, "m") is first, "the same data and seed: its own train and tune rows"
    assert keep_apart(second, EMPTY, "m") is second


def test_units_stay_whole_when_learned_rows_move() -> None:
    rows = parts(1, "user")
    learned = hashes_of(
        one for one, text in zip(rows.proof.ids, rows.proof.inputs, strict=True) if int(text[16:]) % 8 == 0
    )
    apart = keep_apart(rows, learned, "m")
    assert not set(apart.train.units) & set(apart.proof.units)
    assert 0 < len(apart.proof) < len(rows.proof) - len(learned)


def test_data_that_was_learned_from_wholly_cannot_judge() -> None:
    with pytest.raises(DataError, match=r"m learned from rows of this data(.|\n)*add new rows"):
        keep_apart(parts(), hashes_of(Example(text, "", 0).id for text in TEXTS), "m")


def some(known: int, new: int) -> tuple[Rows, dict[str, np.ndarray]]:
    ids = [Example(f"text {i}", "", 0).id for i in range(known + new)]
    rows = Rows(tuple(f"text {i}" for i in range(known + new)), (0,) * (known + new), ids=tuple(ids))
    return rows, {"original": EMPTY, "winner": hashes_of(ids[:known])}


def test_new_data_with_a_few_learned_rows_goes_on_without_them() -> None:
    rows, learned = some(40, 60)
    left, notes = unseen(rows, learned, "new.csv")
    assert left.inputs == rows.inputs[40:]
    assert notes == ("40 of 100 rows of new.csv are rows that winner learned from; they were left out.",)
    assert unseen(rows, {"original": EMPTY}, "new.csv") == (rows, ())


def test_new_data_of_mostly_learned_rows_is_refused_unless_asked() -> None:
    rows, learned = some(412, 88)
    with pytest.raises(
        DataError, match=r"412 of 500 rows of new\.csv(.|\n)*--leave-out-learned compares on the other 88"
    ):
        unseen(rows, learned, "new.csv")
    assert len(unseen(rows, learned, "new.csv", leave_out=True)[0]) == 88
    rows, learned = some(100, 0)
    with pytest.raises(DataError, match=r"100 of 100(.|\n)*to do:   give data"):
        unseen(rows, learned, "new.csv", leave_out=True)
