"""Pairs of texts: which columns they are, what is kept apart, what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, UnknownName
from lighten.core.rows import PART_NAMES
from lighten.data.cells import Table
from lighten.data.text_pairs import new_pairs, pair_columns, read_pairs

WORDS = [f"a few words of row {n}" for n in range(9)]
OTHERS = [f"others that belong to row {n}" for n in range(9)]


def table(**columns: list[str]) -> Table:
    return Table({name: tuple(cells) for name, cells in columns.items()}, "pairs.csv")


@pytest.mark.parametrize(
    ("one", "other"),
    [("query", "document"), ("anchor", "positive"), ("sentence1", "sentence2"), ("question", "answer"),
     ("Source", "Target"), ("english", "chinese")],
)  # fmt: skip
def test_columns_are_found_by_their_names_or_because_no_others_hold_words(one: str, other: str) -> None:
    found = pair_columns(table(**{one: WORDS, other: OTHERS, "id": [str(n) for n in range(9)]}), DataOptions())
    assert (found.text, found.label) == (one, other)
    assert one in found.notes[0] and other in found.notes[0]


def test_columns_that_are_named_are_taken_and_a_group_is_found() -> None:
    cells = table(negative=WORDS, query=WORDS[::-1], document=OTHERS, group=["a", "b", "c"] * 3)
    found = pair_columns(cells, DataOptions(text="document", answer="query"))
    assert (found.text, found.label, found.group) == ("document", "query", "group")
    assert pair_columns(cells, DataOptions()).label == "document"
    assert pair_columns(cells, DataOptions(text="negative")).text == "negative"


def test_what_nobody_can_tell_is_asked() -> None:
    with pytest.raises(DataError, match="which two columns of text belong together: 3 hold texts") as told:
        pair_columns(table(one=WORDS, two=OTHERS, three=WORDS[::-1]), DataOptions())
    assert "--answer" in told.value.fix
    with pytest.raises(UnknownName, match="nothing"):
        pair_columns(table(query=WORDS, document=OTHERS), DataOptions(text="query", answer="nothing"))


def test_the_column_that_a_model_was_made_with_may_be_missing_from_other_data() -> None:
    asked = DataOptions(answer="nothing").beside({"text": "query"})
    found = pair_columns(table(query=WORDS, document=OTHERS), asked)
    assert found.label == "document" and "was made with" in found.notes[0]


def test_rows_that_share_a_text_are_in_one_part_and_judged_once(tmp_path: Path) -> None:
    lines = [f"question number {n},answer number {n // 2 if n < 100 else n}" for n in range(300)]
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(["query,document", *lines]))
    parts, _ = read_pairs(file, DataOptions(), 3, seed=0)
    homes: dict[str, set[str]] = {}
    for name in PART_NAMES:
        for _, document in parts[name].inputs:  # type: ignore[misc]
            homes.setdefault(str(document), set()).add(name)
    assert all(len(found) == 1 for found in homes.values())
    for name in ("select", "proof"):
        documents = [item[1] for item in parts[name].inputs]
        assert len(set(documents)) == len(documents)
    assert any("one of its texts does" in note for note in parts.notes)
    new = new_pairs(file, DataOptions(), 3)
    assert len(new.rows) == 250 and set(new.rows.targets) == {3}
    assert any("50 rows share a text" in note for note in new.notes)


def test_a_row_without_one_of_both_is_refused_or_left_out(tmp_path: Path) -> None:
    lines = [f"question number {n},answer number {n}" for n in range(60)]
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(["query,document", *lines, "only a question,"]))
    with pytest.raises(DataError, match="1 row without 'document'"):
        read_pairs(file, DataOptions(), 0, seed=0)
    parts, _ = read_pairs(file, DataOptions(drop_empty=True), 0, seed=0)
    assert sum(len(parts[name]) for name in PART_NAMES) == 60
