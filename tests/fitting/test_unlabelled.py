"""Rows without labels: each once, none that is judged by, none that holds nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError
from lighten.fitting import reading
from lighten.fitting.lessons import first_cost, joined, seconds_of
from lighten.fitting.options import FitOptions
from lighten.fitting.unlabelled import Unlabelled, unlabelled_rows
from lighten.testing.tiny import toy_rows


@pytest.fixture
def options(tmp_path: Path) -> FitOptions:
    toy = toy_rows(200)
    rows = "".join(f"{text},{target}\n" for text, target in zip(toy.inputs, toy.targets, strict=True))
    (tmp_path / "data.csv").write_text("text,label\n" + rows, encoding="utf-8")
    return FitOptions(
        "m", str(tmp_path / "data.csv"), tmp_path / "run", "text_classification", DataOptions(),
        unlabelled=str(tmp_path / "more.csv"),
    )  # fmt: skip


def test_rows_of_the_data_and_copies_are_left_out(options: FitOptions) -> None:
    data = reading.read_whole(options)
    known = data.parts.proof.inputs[0]
    more = Path(options.unlabelled)
    more.write_text(f"text\n{known}\na new one\nA  new one\nanother\n", encoding="utf-8")
    items, ids, note = unlabelled_rows(options, data.task, data.parts)
    assert items == ("A  new one", "another") and len(set(ids)) == 2 and "2 rows of 4" in note
    more.write_text(f"text\n{known}\n", encoding="utf-8")
    with pytest.raises(DataError, match="has no row that is not in"):
        unlabelled_rows(options, data.task, data.parts)


def test_rows_that_hold_nothing_are_refused_or_left_out(options: FitOptions) -> None:
    data = reading.read_whole(options)
    Path(options.unlabelled).write_text('text,n\na new one,1\n" ",2\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"1 row of 2 hold nothing, the first is row 2(.|\n)*--drop-empty"):
        unlabelled_rows(options, data.task, data.parts)
    dropping = replace(options, of_data=DataOptions(drop_empty=True))
    assert unlabelled_rows(dropping, data.task, data.parts)[0] == ("a new one",)


def test_they_follow_the_labelled_ones() -> None:
    train = replace(toy_rows(2, groups=True), ids=("0" * 16, "1" * 16), units=("a", "b"))
    rows = joined(train, Unlabelled(("x", "y"), ("2" * 16, "3" * 16)), np.array([[0.1, 0.9], [2.0, 1.0]]))
    assert rows.inputs[2:] == ("x", "y") and rows.targets[2:] == (1, 0) and rows.groups[2:] == ("", "")
    assert rows.units[2:] == (f"unlabelled:{'2' * 16}", f"unlabelled:{'3' * 16}") and len(rows.ids) == 4


def test_a_model_that_teaches_itself_has_half_the_time_for_each_training(options: FitOptions) -> None:
    timed = replace(options, seconds=10.0)
    assert seconds_of(timed) == 5.0 and seconds_of(options) is None
    assert seconds_of(replace(timed, teachers=("a",))) == seconds_of(replace(timed, unlabelled="")) == 10.0

    class Memory:
        """Stands for the study."""

        def __init__(self, known: object) -> None:
            self.known = known

        def recall(self, name: str) -> object:
            return self.known

    cost = {
        "seconds": 1.0, "cpu_seconds": 2.0, "memory": 5, "joules": 4.0, "arithmetic": 3.0, "resumed": False,
        "energy_note": "",
    }  # fmt: skip
    assert first_cost(Memory(None), cost) == {}  # type: ignore[arg-type]
    both = {**cost, "seconds": 2.0, "cpu_seconds": 4.0, "memory": 7, "joules": 8.0, "arithmetic": 6.0}
    assert first_cost(Memory({**cost, "memory": 7}), cost) == both  # type: ignore[arg-type]
    cut = {**cost, "joules": None, "resumed": True, "energy_note": "it was resumed"}
    for first, second in ((cut, cost), (cost, cut)):
        found = first_cost(Memory(first), second)  # type: ignore[arg-type]
        assert (found["resumed"], found["joules"], found["energy_note"]) == (True, None, "it was resumed")
